/** One question and its answer on the page, from the moment it is asked. */
import type { Usage } from '../client/index.ts';
import { figures } from './figures.ts';
import { counted } from './format.ts';
import type { Ending, Kept } from './store.ts';

const template = document.querySelector<HTMLTemplateElement>('#answer')!;

export class AnswerView {
  readonly element: HTMLElement;
  readonly kept: Kept;
  readonly #item: HTMLElement;
  readonly #text: HTMLElement;
  readonly #steps: HTMLElement;
  readonly #state: HTMLElement;
  readonly #figures: HTMLElement;
  readonly #meaning: HTMLElement;
  readonly #again: HTMLButtonElement;

  /** Puts itself on top of `list`, with as much of the answer as there is. */
  constructor(list: HTMLElement, kept: Kept, again: () => void) {
    const item = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    const part = <E extends HTMLElement>(selector: string): E => item.querySelector<E>(selector)!;
    this.kept = kept;
    this.#item = item;
    this.element = part('article');
    this.#text = part('.text');
    this.#steps = part('.steps');
    this.#state = part('.state');
    this.#figures = part('.figures');
    this.#meaning = part('.meaning');
    this.#again = part('.again');
    part('h2').textContent = kept.question;
    this.#again.addEventListener('click', again);
    this.#again.hidden = true;
    list.prepend(item);
    this.#draw();
    if (kept.ending) this.#close();
    else this.#open();
  }

  /** A passing word on how it goes. */
  set state(text: string) {
    this.#state.textContent = text;
  }

  get state(): string {
    return this.#state.textContent!;
  }

  show(text: string, usage: Usage, milliseconds: number | undefined): void {
    Object.assign(this.kept, { text, usage, milliseconds });
    this.#draw();
  }

  /** @returns what there is to say of it */
  end(ending: Ending, usage: Usage | undefined, message = ''): string {
    const tokens = counted(usage?.output_tokens ?? 0, 'token');
    const words: Record<Ending, () => string> = {
      whole: () => (usage ? fromWhere(usage) : ''),
      length: () => `Cut off at the longest that an answer may be: ${tokens}.`,
      stopped: () => `Stopped after ${tokens}.`,
      failed: () => message,
    };
    Object.assign(this.kept, { ending, words: words[ending]() });
    this.#close();
    return ending === 'whole' ? `${tokens}. ${this.kept.words}` : this.kept.words!;
  }

  remove(): void {
    this.#item.remove();
  }

  #draw(): void {
    const { text, usage, milliseconds, ending } = this.kept;
    const empty = ending === 'whole' && text.trim() === '';
    this.#text.textContent = empty ? '(no text)' : text;
    this.element.classList.toggle('empty', text === '' && !ending);
    if (!usage) return;
    while (this.#steps.childElementCount < usage.output_tokens) this.#steps.append(document.createElement('i'));
    figures(this.#figures, this.#meaning, usage, milliseconds);
  }

  #open(): void {
    this.element.classList.add('writing');
    this.element.setAttribute('aria-busy', 'true');
  }

  #close(): void {
    const { ending, words = '' } = this.kept;
    this.#draw();
    this.element.classList.remove('writing');
    this.element.classList.add(ending!);
    this.element.removeAttribute('aria-busy');
    this.#again.textContent = ending === 'failed' ? 'Try again' : 'Ask again';
    this.#again.hidden = false;
    this.state = words;
  }
}

/** What of the answer was there already, and what its cycles are. */
function fromWhere({ answer_cached, embedding_cached, prompt_tokens, messages }: Usage): string {
  const bill = `Cycles are for ${counted(messages, 'message')}, calls and replies, and for ingress.`;
  if (answer_cached) return `Answered before: this one came from the cache, at once. ${bill}`;
  const prompt = `The prompt is ${counted(prompt_tokens, 'token')}`;
  return `${prompt}${embedding_cached ? '; its encoding came from the cache' : ', read and encoded'}. ${bill}`;
}

export function pair(name: string | Node, value: string | Node): HTMLElement {
  const group = document.createElement('div');
  const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
  dt.append(name);
  dd.append(value);
  group.append(dt, dd);
  return group;
}
