/** Who answers in a conversation at the terminal: a model in this process, or a canister's. */
import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ChatMessage, GenerateOptions } from '../../client/index.ts';
import { advance } from '../../model/generation/generation.ts';
import type { GenerationRequest } from '../../model/generation/options.ts';
import type { WeightsKind } from '../../model/tensor-table.ts';
import { stopStream } from '../../text/stop-strings.ts';
import { findModel } from '../model/find-model.ts';
import { beginAnswer, openLocalModel } from '../model/local-model.ts';
import { connectTo, type NetworkOptions } from '../network/network.ts';

/** What the assistant says next, in pieces as they come. */
export type Speaker = (messages: readonly ChatMessage[], signal: AbortSignal) => AsyncIterable<string>;

/** @throws Error for a model without a chat template */
export async function localSpeaker(model: string, weights: WeightsKind, request: GenerationRequest): Promise<Speaker> {
  const path = await findModel(model);
  const local = await openLocalModel(path, weights);
  const { model: lm, tokenizer, chat } = local;
  if (!chat)
    throw new Error(
      `chat: expected a model with a chat template, got ${basename(path)}, which has none; use npm run local`,
    );
  return async function* (messages, signal) {
    const promptIds = chat.encodeUpTo(messages, Number.POSITIVE_INFINITY)!;
    const { generation, decided } = beginAnswer(local, promptIds, request);
    const stream = stopStream(tokenizer!.stream(), decided.stopStrings);
    // beams change their minds until the end
    const isCertain = decided.numBeams === 1;
    let shown = 0;
    try {
      while (generation.finishReason === undefined) {
        advance(lm, generation);
        for (; isCertain && shown < generation.tokenIds.length; shown++) yield stream.push(generation.tokenIds[shown]!);
        // so that Ctrl-C is heard
        await setImmediate();
        signal.throwIfAborted();
      }
      for (; shown < generation.tokenIds.length; shown++) yield stream.push(generation.tokenIds[shown]!);
      yield stream.end();
    } finally {
      generation.close();
    }
  };
}

/** @throws Error for a model without a chat template, and where there is none or no canister */
export async function canisterSpeaker(network: NetworkOptions, request: GenerationRequest): Promise<Speaker> {
  const { client, canisterId } = await connectTo(network);
  const info = await client.modelInfo();
  if (!info?.chats[0]) {
    const got = info ? `${info.name}, which has none; use npm run ask` : 'no model; npm run upload brings one';
    throw new Error(`chat: expected a model with a chat template in ${canisterId}, got ${got}`);
  }
  const options = inCandidTerms(request);
  return (messages, signal) => client.stream(messages, { ...options, signal });
}

/**
 * Options of a generation as the client takes them: whole numbers of 64 bits, lists where transformers takes one id
 * too.
 */
function inCandidTerms({
  early_stopping,
  seed,
  eos_token_id,
  forced_eos_token_id,
  ...rest
}: GenerationRequest): GenerateOptions {
  const list = (ids: unknown) => (typeof ids === 'number' ? [ids] : ids);
  const given = {
    ...rest,
    early_stopping:
      early_stopping === undefined
        ? undefined
        : { [early_stopping === 'never' ? 'never' : early_stopping ? 'yes' : 'no']: null },
    seed: seed === undefined ? undefined : BigInt(seed),
    eos_token_id: list(eos_token_id),
    forced_eos_token_id: list(forced_eos_token_id),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as GenerateOptions;
}
