/** One question and its answer on the page, from the moment it is asked. */
import type { Usage } from '../client/index.ts';
import { counted, seconds, short } from './format.ts';

export type Ending = 'whole' | 'length' | 'stopped' | 'failed';

const template = document.querySelector<HTMLTemplateElement>('#answer')!;

export class AnswerView {
  readonly element: HTMLElement;
  readonly #text: HTMLElement;
  readonly #steps: HTMLElement;
  readonly #state: HTMLElement;
  readonly #figures: HTMLElement;
  readonly #again: HTMLButtonElement;
  readonly #began = performance.now();

  /** Puts itself on top of `list`. */
  constructor(list: HTMLElement, prompt: string, again: () => void) {
    const item = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    const part = <E extends HTMLElement>(selector: string): E => item.querySelector<E>(selector)!;
    this.element = part('article');
    this.#text = part('.text');
    this.#steps = part('.steps');
    this.#state = part('.state');
    this.#figures = part('.figures');
    this.#again = part('.again');
    part('h2').textContent = prompt;
    this.#again.addEventListener('click', again);
    this.#again.hidden = true;
    this.element.classList.add('writing');
    this.element.setAttribute('aria-busy', 'true');
    list.prepend(item);
  }

  /** A passing word on how it goes. */
  set state(text: string) {
    this.#state.textContent = text;
  }

  show(text: string, usage: Usage): void {
    this.#text.textContent = text;
    while (this.#steps.childElementCount < usage.output_tokens) this.#steps.append(document.createElement('i'));
    const figures = [
      ['Tokens', usage.output_tokens.toLocaleString('en')],
      ['Calls', usage.calls.toLocaleString('en')],
      ['Instructions', short(usage.instructions)],
      ['Cycles', short(usage.cycles)],
      ['Time', seconds(performance.now() - this.#began)],
    ];
    this.#figures.replaceChildren(...figures.map(([name, value]) => pair(name!, value!)));
  }

  /** @returns what there is to say of it */
  end(ending: Ending, usage: Usage | undefined, message = ''): string {
    this.element.classList.remove('writing');
    this.element.classList.add(ending);
    this.element.removeAttribute('aria-busy');
    this.#again.textContent = ending === 'failed' ? 'Try again' : 'Ask again';
    this.#again.hidden = false;
    const tokens = counted(usage?.output_tokens ?? 0, 'token');
    const words: Record<Ending, string> = {
      whole: usage && fromWhere(usage),
      length: `Cut off at the longest that an answer may be: ${tokens}.`,
      stopped: `Stopped after ${tokens}.`,
      failed: message,
    } as Record<Ending, string>;
    this.state = words[ending];
    return ending === 'whole' ? `${tokens}. ${words.whole}` : words[ending];
  }
}

/** What of the answer was there already. */
function fromWhere({ calls, embedding_cached, prompt_tokens }: Usage): string {
  if (calls === 0) return 'Answered before: this one came from the cache, at once.';
  const prompt = `The prompt is ${counted(prompt_tokens, 'token')}`;
  return embedding_cached ? `${prompt}; its encoding came from the cache.` : `${prompt}, read and encoded.`;
}

export function pair(name: string, value: string | Node): HTMLElement {
  const group = document.createElement('div');
  const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
  dt.textContent = name;
  dd.append(value);
  group.append(dt, dd);
  return group;
}
