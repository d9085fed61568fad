/**
 * The conversation of the page, where the model chats: what was said in it goes along with each message. Which answers
 * belong to it is kept with them, so that a reload goes on with it.
 */
import type { Asking, ChatMessage } from '../client/index.ts';
import { counted } from './format.ts';
import type { Kept } from './store.ts';

/** Typed in place of a message, it begins a new one. */
export const RESET = '/reset';

export class Conversation {
  readonly #row: HTMLElement;
  readonly #said: HTMLElement;
  readonly #label: HTMLElement;
  /** Undefined while the model is not known, or does not chat. */
  #id: string | undefined;

  /** @param row says how long it is, and has the button that ends it @param label of the box */
  constructor(row: HTMLElement, label: HTMLElement) {
    this.#row = row;
    this.#said = row.querySelector('p')!;
    this.#label = label;
  }

  get id(): string | undefined {
    return this.#id;
  }

  /** The model chats, or does not. @param all what is kept, the oldest first */
  learn(chats: boolean, all: readonly Kept[], newId: () => string): void {
    this.#id = chats ? (this.#id ?? all.at(-1)?.conversation ?? newId()) : undefined;
    this.#label.textContent = chats ? 'Your message' : 'Your question';
    this.show(all);
  }

  begin(id: string, all: readonly Kept[]): void {
    this.#id = id;
    this.show(all);
  }

  /** How much was said in it. */
  show(all: readonly Kept[]): void {
    const turns = this.#id === undefined ? 0 : all.filter((kept) => isTurn(kept, this.#id)).length;
    this.#row.hidden = turns === 0;
    this.#said.textContent = `The model has ${counted(turns, 'message')} of yours in mind, and its answers.`;
  }
}

const isTurn = ({ conversation, ending, text }: Kept, id: string | undefined): boolean =>
  conversation !== undefined &&
  conversation === id &&
  ending !== undefined &&
  ending !== 'failed' &&
  text.trim() !== '';

/**
 * What the canister is asked: a question by itself, or with what was said before it in its conversation.
 * @param all the oldest first
 */
export function askingOf(kept: Kept, all: readonly Kept[]): Asking {
  if (kept.conversation === undefined) return kept.question;
  const before = all.filter((other) => other.id < kept.id && isTurn(other, kept.conversation));
  const messages = before.flatMap(({ question, text }): ChatMessage[] => [
    { role: 'user', content: question },
    { role: 'assistant', content: text },
  ]);
  return [...messages, { role: 'user', content: kept.question }];
}
