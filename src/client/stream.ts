/**
 * An answer's text as it comes: `start`, then `progress` queries. The session's chain goes on in the canister by
 * itself, so a poll that is lost costs nothing but time. Queries are answered by one node each, and a node may lag:
 * what is older than what was seen is passed over.
 */

import type * as Candid from '../interface/llm.did.ts';
import { generateError } from './errors.ts';
import type { GenerateOptions } from './options.ts';
import { DEFAULT_PATIENCE, mayPass, type Patience } from './patience.ts';
import { abortable, sleep } from './wait.ts';

export type FinishReason = Candid.FinishReason extends infer V ? (V extends unknown ? keyof V & string : never) : never;

export const finishReason = (variant: Candid.FinishReason): FinishReason => Object.keys(variant)[0] as FinishReason;

/** What an answer took. */
export type Usage = Omit<Candid.Progress, 'state' | 'text'>;

export interface StreamOptions extends GenerateOptions, Patience {}

/**
 * Milliseconds between polls: a replica on this machine makes a token in some 10, the Internet Computer in a round of
 * about 1,000.
 */
const POLL = { first: 50, least: 50, most: 2_000, quicker: 0.5, slower: 1.5 };

export class TextStream implements AsyncIterable<string> {
  /** The session's id, once it is open. */
  session: string | undefined;
  /** All of the text that has come. */
  text = '';
  /** What it has taken so far; what it took, once the loop is over. */
  usage: Usage | undefined;
  /** When the canister was last heard, as `Date.now()` counts; 0 before the session is open. */
  heard = 0;
  /** Why it ended, once it has. */
  finish_reason: FinishReason | undefined;

  readonly #actor: Candid._SERVICE;
  readonly #open: () => Promise<string>;
  readonly #opens: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #patience: number;
  readonly #pieces = this.#read();

  /**
   * @param open gives the session's id; runs when the first text is asked for
   * @param opens whether `open` begins the session. If it does, the signal ends the session too, and a node that does
   * not know the session yet is asked again. If it does not, an unknown id is the caller's mistake and is told at once.
   */
  constructor(
    actor: Candid._SERVICE,
    open: () => Promise<string>,
    { signal, patience = DEFAULT_PATIENCE }: Patience,
    opens: boolean,
  ) {
    this.#actor = actor;
    this.#open = open;
    this.#opens = opens;
    this.#signal = signal;
    this.#patience = patience;
  }

  /**
   * The text in pieces. A stream is read once.
   * @throws GenerateError; AgentError where the canister is not heard any more
   */
  [Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    return this.#pieces;
  }

  async *#read(): AsyncGenerator<string, void, void> {
    this.#signal?.throwIfAborted();
    const opening = this.#open();
    try {
      this.session = await abortable(opening, this.#signal);
      yield* this.#follow(this.session);
    } catch (error) {
      if (this.#opens && this.#signal?.aborted) this.#cancel(opening);
      throw error;
    }
  }

  /** Tells the canister, without waiting for its answer: a session that is not cancelled ends by itself. */
  #cancel(opening: Promise<string>): void {
    opening.then((session) => this.#actor.cancel(session)).catch(() => {});
  }

  async *#follow(session: string): AsyncGenerator<string, void, void> {
    this.heard = Date.now();
    let pause = POLL.first;
    for (;;) {
      await sleep(pause, this.#signal);
      const seen = this.usage?.output_tokens ?? 0;
      const progress = await abortable(this.#poll(session, seen), this.#signal);
      const news = progress !== undefined && progress.output_tokens > seen;
      pause = news ? Math.max(pause * POLL.quicker, POLL.least) : Math.min(pause * POLL.slower, POLL.most);
      if (!progress || progress.output_tokens < seen) continue;
      const { state, text, ...usage } = progress;
      this.usage = usage;
      this.text += text;
      if (text !== '') yield text;
      if ('failed' in state) throw generateError({ Failed: { session, message: state.failed } });
      if ('cancelled' in state)
        throw generateError({ Cancelled: { session, message: 'stream: the session was cancelled' } });
      if ('finished' in state) {
        this.finish_reason = finishReason(state.finished);
        return;
      }
    }
  }

  /**
   * What is new since token `from`; undefined where the canister could not be heard, or not by a node that knows of the
   * session yet.
   */
  async #poll(session: string, from: number): Promise<Candid.Progress | undefined> {
    let lost: Error;
    try {
      const result = await this.#actor.progress(session, from);
      if ('Ok' in result) {
        this.heard = Date.now();
        return result.Ok;
      }
      lost = generateError(result.Err);
      const nodeMayLag = 'NoSuchSession' in result.Err && (this.#opens || this.usage !== undefined);
      if (!(nodeMayLag || 'Unavailable' in result.Err)) throw lost;
    } catch (error) {
      if (!mayPass(error)) throw error;
      lost = error;
    }
    if (Date.now() - this.heard > this.#patience) throw lost;
    return undefined;
  }
}
