/** What an answer took, in figures; each has a word of explanation behind its name. */
import type { Usage } from '../client/index.ts';
import { dollars, seconds, short, USD_PER_XDR } from './format.ts';

interface Figure {
  name: string;
  value: (usage: Usage, milliseconds: number | undefined) => string;
  meaning: string;
}

const FIGURES: readonly Figure[] = [
  {
    name: 'Tokens',
    value: ({ output_tokens }) => output_tokens.toLocaleString('en'),
    meaning: 'Pieces of the answer: words, parts of words or digits. The model writes one at a time.',
  },
  {
    name: 'Calls',
    value: ({ calls }) => calls.toLocaleString('en'),
    meaning: 'Messages in which the canister worked on this answer. It sends them to itself.',
  },
  {
    name: 'Instructions',
    value: ({ instructions }) => short(instructions),
    meaning: 'Steps of the processor, as the Internet Computer counts them.',
  },
  {
    name: 'Cycles',
    value: ({ cycles }) => short(cycles),
    meaning: 'The Internet Computer is paid in cycles, and the canister pays. A trillion cycles cost one XDR.',
  },
  {
    name: 'Money',
    value: ({ cycles }) => dollars(cycles),
    meaning: `What the cycles cost the canister’s keeper in US dollars, if an XDR is ${USD_PER_XDR} dollars. You pay nothing.`,
  },
  {
    name: 'Time',
    value: (_, milliseconds) => (milliseconds === undefined ? '–' : seconds(milliseconds)),
    meaning: 'From asking to the last word, as this browser saw it.',
  },
];

/** Fills `list`; a tap on a name shows its meaning in `place`, and so does holding the pointer over it. */
export function figures(list: HTMLElement, place: HTMLElement, usage: Usage, milliseconds: number | undefined): void {
  // made once: a name that is made anew at each token loses the focus
  if (!list.childElementCount) list.append(...FIGURES.map((figure) => row(figure, list, place)));
  for (const [i, { value }] of FIGURES.entries()) {
    list.children[i]!.querySelector('dd')!.textContent = value(usage, milliseconds);
  }
}

function row({ name, meaning }: Figure, list: HTMLElement, place: HTMLElement): HTMLElement {
  const group = document.createElement('div');
  const [dt, dd, button] = (['dt', 'dd', 'button'] as const).map((tag) => document.createElement(tag));
  Object.assign(button!, { type: 'button', className: 'name', textContent: name, title: meaning });
  button!.setAttribute('aria-expanded', 'false');
  button!.addEventListener('click', () => {
    const shown = button!.getAttribute('aria-expanded') === 'true';
    for (const other of Array.from(list.querySelectorAll('button'))) other.setAttribute('aria-expanded', 'false');
    button!.setAttribute('aria-expanded', String(!shown));
    place.textContent = shown ? '' : `${name}: ${meaning}`;
    place.hidden = shown;
  });
  dt!.append(button!);
  group.append(dt!, dd!);
  return group;
}
