/**
 * A client of the canister: its methods as one would want to call them from JavaScript. Field names are the canister's.
 */

import { Actor } from '@dfinity/agent';
import type * as Candid from '../interface/llm.did.ts';
import { certifiedModel } from './certified/certified-model.ts';
import { fetchReceipt, type Receipt } from './certified/receipt.ts';
import { generateError, NoSuchSession, unwrap } from './errors.ts';
import { type Asking, messagesInCandid } from './messages.ts';
import { toCandid } from './options.ts';
import { type Patience, whenAvailable } from './patience.ts';
import { type FinishReason, finishReason, type StreamOptions, TextStream } from './stream.ts';
import { type PackSource, type UploadOptions, uploadPack } from './upload/upload.ts';
import { abortable } from './wait.ts';

export interface Generation extends Omit<Candid.Generation, 'finish_reason' | 'token_ids'> {
  token_ids: number[];
  finish_reason: FinishReason;
}

const plain = (generation: Candid.Generation): Generation => ({
  ...generation,
  token_ids: Array.from(generation.token_ids),
  finish_reason: finishReason(generation.finish_reason),
});

export class Client {
  /**
   * @param actor the canister as it is, for what this class does not wrap; or several as one (together.ts)
   * @param members the canisters, one by one
   */
  constructor(
    readonly actor: Candid._SERVICE,
    readonly members: readonly Candid._SERVICE[] = [actor],
  ) {}

  /**
   * The whole answer to a prompt, or to a conversation, certified. One call that lasts until the last token: for long
   * answers use `stream`. `signal` ends the waiting, not the work.
   * @throws GenerateError
   */
  async generate(asking: Asking, { signal, patience, ...options }: StreamOptions = {}): Promise<Generation> {
    const candid = toCandid('generate', options);
    const isPlain = Object.keys(options).length === 0;
    const messages = typeof asking === 'string' ? undefined : messagesInCandid('generate', asking);
    const ask = () => {
      if (messages) return this.actor.chat(messages, candid);
      return isPlain ? this.actor.generate(asking as string) : this.actor.generate_with(asking as string, ...candid);
    };
    const generation = whenAvailable(ask, { signal, patience });
    return plain(await abortable(generation, signal));
  }

  /**
   * The answer's text as it comes. The canister works on by itself: nothing is lost while nobody reads, and leaving the
   * loop leaves it working; `signal` cancels the session.
   * @param asking a prompt, or the messages of a conversation
   * @example const answer = client.stream(prompt);
   *          for await (const text of answer) show(text);
   *          console.log(answer.finish_reason, answer.usage);
   */
  stream(asking: Asking, { signal, patience, ...options }: StreamOptions = {}): TextStream {
    const candid = toCandid('stream', options);
    const messages = typeof asking === 'string' ? undefined : messagesInCandid('stream', asking);
    const open = () =>
      messages ? this.actor.start_chat(messages, candid) : this.actor.start(asking as string, candid);
    const start = () => whenAvailable(open, { signal, patience });
    return new TextStream(this.actor, start, { signal, patience }, true);
  }

  /** The text of a session from its first token on. `signal` ends the reading, not the session. */
  follow(session: string, patience: Patience = {}): TextStream {
    return new TextStream(this.actor, async () => session, patience, false);
  }

  /** Goes on with a session that failed, to the end. @throws GenerateError */
  async resume(session: string): Promise<Generation> {
    return plain(unwrap(await this.actor.resume(session), generateError));
  }

  /** Ends a session that is under way; what it has stays readable. @throws GenerateError */
  async cancel(session: string): Promise<void> {
    unwrap(await this.actor.cancel(session), generateError);
  }

  /**
   * The SHA-256 of the model's pack as the subnet certifies it, in hexadecimal; undefined where there is no model.
   * `modelInfo` is one node's word.
   * @throws Error where the certificate does not hold, or where several canisters have different models
   */
  async certifiedModel(): Promise<string | undefined> {
    const [model, ...others] = await Promise.all(this.members.map(certifiedModel));
    const i = others.findIndex((other) => other !== model);
    if (i >= 0) throw new Error(`certifiedModel: expected one model in all canisters, got ${model} and ${others[i]}`);
    return model;
  }

  /**
   * The receipt of a session's answer, to be kept, in JSON or otherwise: `verifyReceipt` checks it at any time without
   * the canister. By a receipt's own hash, the proof that there was one.
   * @throws GenerateError where there is none
   */
  async receipt(session: string): Promise<Receipt> {
    let missing: unknown;
    for (const member of this.members) {
      try {
        return await fetchReceipt(member, Actor.canisterIdOf(member as unknown as Actor), session);
      } catch (error) {
        if (!(error instanceof NoSuchSession)) throw error;
        missing = error;
      }
    }
    throw missing;
  }

  /**
   * How many tokens a prompt is, and how many it may be; undefined while there is no model in memory, and for more text
   * than is read at all.
   */
  async countTokens(prompt: string): Promise<Candid.TokenCount | undefined> {
    return (await this.actor.count_tokens(prompt))[0];
  }

  /** The model that answers, if there is one. */
  async modelInfo(): Promise<Candid.ModelInfo | undefined> {
    return (await this.actor.model_info())[0];
  }

  async status(): Promise<Candid.Status> {
    return await this.actor.status();
  }

  /**
   * Makes a pack the canister's model; for its controllers. Goes on where an earlier upload of it ended; nothing is
   * sent if it is the model already.
   * @throws UploadError
   */
  async uploadPack(pack: PackSource | Uint8Array, options: UploadOptions = {}): Promise<void> {
    for (const member of this.members) await uploadPack(member, pack, options);
  }
}
