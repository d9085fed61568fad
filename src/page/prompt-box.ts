/**
 * The box for the question. What is too long is counted while it is typed: by the canister, which has the model's
 * tokenizer, and only where it could be too long, as a token is a byte at least. Nothing is cut.
 */

import type { Client } from '../client/index.ts';
import { maxPromptCharacters } from '../interface/prompt-limit.ts';
import { counted } from './format.ts';

/** Milliseconds without a key before the canister is asked. */
const REST = 250;
/** Tokens that a tokenizer adds: the word mark before the text, the stop token after it. */
const ADDED = 2;

export class PromptBox {
  readonly #box: HTMLTextAreaElement;
  readonly #hint: HTMLElement;
  readonly #client: () => Promise<Client>;
  /** The most tokens, once it is known. */
  #limit: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why what is in the box cannot be sent; '' where nothing is known against it. */
  #tooLong = '';

  constructor(box: HTMLTextAreaElement, hint: HTMLElement, client: () => Promise<Client>) {
    this.#box = box;
    this.#hint = hint;
    this.#client = client;
    box.addEventListener('input', () => this.#changed());
  }

  /** The question, and an empty box after it; undefined, with a word on why, for one that cannot be sent. */
  async take(): Promise<string | undefined> {
    const text = this.#box.value.trim();
    if (this.#mayBeTooLong(text)) await this.#count(text);
    if (text !== this.#box.value.trim()) return undefined;
    if (text === '') this.say('Type a question first.', true);
    else if (this.#tooLong) this.say(this.#tooLong, true);
    else {
      this.#box.value = '';
      this.#changed();
      return text;
    }
    this.#box.focus();
    return undefined;
  }

  say(text: string, wrong = false): void {
    this.#hint.textContent = text;
    this.#hint.classList.toggle('notice', wrong);
  }

  /** Learns how long a prompt may be. */
  async learn(): Promise<void> {
    this.#limit = (await (await this.#client()).countTokens(''))?.limit ?? this.#limit;
  }

  #changed(): void {
    clearTimeout(this.#timer);
    const text = this.#box.value.trim();
    this.#tooLong = '';
    const most = this.#mostCharacters;
    if (text.length > most) {
      const over = text.length - most;
      this.#tooLong = `${counted(text.length, 'character')} of ${most.toLocaleString('en')} at most: take out ${over.toLocaleString('en')}.`;
      this.say(this.#tooLong, true);
      return;
    }
    this.say('');
    if (this.#mayBeTooLong(text)) this.#timer = setTimeout(() => void this.#count(text), REST);
  }

  get #mostCharacters(): number {
    return maxPromptCharacters(this.#limit ?? 0);
  }

  #mayBeTooLong(text: string): boolean {
    const most = new TextEncoder().encode(text).length + ADDED;
    return text.length <= this.#mostCharacters && this.#limit !== undefined && most > this.#limit;
  }

  async #count(text: string): Promise<void> {
    const count = await this.#client()
      .then((llm) => llm.countTokens(text))
      .catch(() => undefined);
    // another key may have come meanwhile; a canister that does not say is asked with the question itself
    if (!count || text !== this.#box.value.trim()) return;
    const { tokens, limit } = count;
    this.#limit = limit;
    this.#tooLong =
      tokens > limit ? `${counted(tokens, 'token')} of ${limit} at most: take out ${tokens - limit}.` : '';
    this.say(this.#tooLong || `${counted(tokens, 'token')} of ${limit} at most.`, this.#tooLong !== '');
  }
}
