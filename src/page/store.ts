/**
 * The answers that this browser keeps, so that a reload, or a visit elsewhere and Back, loses none: each in an item of
 * its own, so that two tabs do not write over each other. A browser that keeps nothing (private windows, a full disk)
 * loses them, and nothing else.
 */
import type { Usage } from '../client/index.ts';

export type Ending = 'whole' | 'length' | 'stopped' | 'failed';

export interface Kept {
  /** Sorts by the moment at which it was asked. */
  id: string;
  question: string;
  /** The conversation that it is part of, where the model chats. */
  conversation?: string | undefined;
  text: string;
  /** The canister's name for it, by which an answer that was under way is found again. */
  session?: string | undefined;
  usage?: Usage | undefined;
  /** From asking to the end; unknown where nobody watched. */
  milliseconds?: number | undefined;
  /** Missing while it is under way. */
  ending?: Ending | undefined;
  /** What there is to say of how it ended. */
  words?: string | undefined;
}

/** More are not kept. */
const MOST = 50;

const big = (_: string, value: unknown) => (typeof value === 'bigint' ? { big: String(value) } : value);
const small = (_: string, value: unknown) =>
  value && typeof value === 'object' && 'big' in value ? BigInt(value.big as string) : value;

export const newId = (): string => `${String(Date.now()).padStart(15, '0')}-${Math.random().toString(36).slice(2, 8)}`;

export class Store {
  readonly #prefix: string;

  /** @param canister whose answers; one address can serve the pages of several */
  constructor(canister: string) {
    this.#prefix = `stepwise ${canister} `;
  }

  /** What is kept, the oldest first. What cannot be read is left out. */
  all(): Kept[] {
    return this.#keys().flatMap((key) => {
      try {
        const kept = JSON.parse(localStorage.getItem(key)!, small) as Kept;
        return typeof kept.question === 'string' && typeof kept.text === 'string' ? [kept] : [];
      } catch {
        return [];
      }
    });
  }

  put(kept: Kept): void {
    this.#try(() => localStorage.setItem(this.#prefix + kept.id, JSON.stringify(kept, big)));
    for (const key of this.#keys().slice(0, -MOST)) this.#try(() => localStorage.removeItem(key));
  }

  remove(id: string): void {
    this.#try(() => localStorage.removeItem(this.#prefix + id));
  }

  #keys(): string[] {
    let keys: string[] = [];
    this.#try(() => {
      keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
    });
    return keys.sort();
  }

  #try(act: () => void): void {
    try {
      act();
    } catch {
      // the browser keeps nothing
    }
  }
}
