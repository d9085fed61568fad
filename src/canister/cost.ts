/**
 * What an answer is thought to take at most, in instructions, and what it costs its caller. Worked out from the model's shape with measured factors
 * (bench/); a test holds it against what was really used.
 */

import { packTensors } from '../model/families/registry.ts';
import { type OpenedHead, packShape } from '../model/pack/pack.ts';
import { packWeightsBytes } from '../model/pack/tensors.ts';
import { MESSAGE_CYCLES, PAGE_INSTRUCTIONS } from './prices.ts';
import { settings } from './settings.ts';

/** Instructions a multiply-add, its share of everything else in the unit included. */
const PER_MAC = 1.2;
/** Of a token's messages outside the unit, pages included: the step and the callback of whoever waits. */
const PER_TOKEN = 18_000_000;
/** The same where a relay makes the tokens, its one turn in TypeScript for every 32 of them included. */
const PER_RELAYED_TOKEN = 2_000_000;
/** The same in a message that makes many. */
const PER_TOKEN_AT_ONCE = 200_000;
/** Of an answer: reading and writing Candid, the tokenizer, the session's record. */
const PER_ANSWER = 80_000_000;
const PER_PROMPT_TOKEN = 400_000;
/** The step, and the callback of whoever waits. */
const MESSAGES_A_TOKEN = 2;

export interface Estimate {
  instructions: number;
  cycles: number;
}

export interface Manner {
  /** All in one message, so that pages count once. */
  atOnce?: boolean;
  /** By a relay: one token a call, each the likeliest. */
  relayed?: boolean;
}

/** The most that an answer of `newTokens` tokens to `promptTokens` is thought to take. */
export function estimate(
  head: OpenedHead,
  promptTokens: number,
  newTokens: number,
  { atOnce = false, relayed = false }: Manner = {},
): Estimate {
  const { dModel: D, numHeads, dKv, dFf: F, numLayers, numDecoderLayers, vocabularySize: V } = head.config;
  const inner = numHeads * dKv;
  const feedForward = 3 * D * F;
  const attention = (rows: number): number => 2 * inner * rows;
  const encoder = promptTokens * numLayers * (4 * D * inner + feedForward + attention(promptTokens));
  const cross = promptTokens * numDecoderLayers * 2 * D * inner;
  const decoder = numDecoderLayers * (6 * D * inner + feedForward + attention(promptTokens + newTokens)) + D * V;
  const pages = (packWeightsBytes(packTensors(packShape(head))) / 65_536) * PAGE_INSTRUCTIONS;
  const messages = atOnce ? 1 : newTokens;
  const instructions =
    PER_ANSWER +
    promptTokens * PER_PROMPT_TOKEN +
    (encoder + cross + newTokens * decoder) * PER_MAC +
    messages * pages +
    newTokens * (atOnce ? PER_TOKEN_AT_ONCE : relayed ? PER_RELAYED_TOKEN : PER_TOKEN);
  return {
    instructions: Math.ceil(instructions),
    cycles: Math.ceil(instructions + messages * MESSAGES_A_TOKEN * MESSAGE_CYCLES),
  };
}

/** What a canister pays for that: 0 where nothing is asked. */
export const priceOf = (cycles: number, percent = settings().price_percent): bigint =>
  BigInt(Math.ceil((cycles * percent) / 100));
