/**
 * What an answer is thought to take at most, in instructions and cycles: never less than its bill, so that what was
 * attached suffices. Worked out from the model's shape with factors that were measured; a test holds it against what
 * was really charged.
 */

import { MAX_ROWS } from '../model/batch.ts';
import { packTensors, sizesOf, workOf } from '../model/families/registry.ts';
import { type OpenedHead, packShape } from '../model/pack/pack.ts';
import { ROWS_A_HOP } from '../model/stages/wire.ts';
import { packWeightsBytes } from '../model/tensor-table.ts';
import { callFees, executed, ingressFees, SELF_CALL_BYTES } from './bill.ts';
import { CALL_BYTE_CYCLES, PAGE_INSTRUCTIONS } from './prices.ts';

/** Instructions a multiply-add, its share of everything else in the unit included. */
const PER_MAC = 1.2;
/** Of weights that are streamed: reading, pages of stable memory, and the window's. */
const PER_STREAMED_BYTE = 3;
/** Of a token's messages outside the unit, pages included: the step, and the callback of whoever waits. */
const PER_STEP = 22_000_000;
/** The same where the native loop makes the tokens, its one turn in TypeScript for every 32 of them included. */
const PER_NATIVE_TOKEN = 2_000_000;
/** Of each token that TypeScript makes, and of each of a beam. */
const PER_TOKEN = 2_000_000;
const PER_BEAM_TOKEN = 7_000_000;
/** Of an answer: reading and writing Candid, the session's record. */
const PER_ANSWER = 64_000_000;
const PER_PROMPT_TOKEN = 400_000;
/** Of the tokenizer. */
const PER_CHARACTER = 100_000;
/** What a message is sure to use before it leaves the next token to another one. */
const LEAST_OF_MANY = 700_000_000;
/** Of an errand to another stage: that stage's message, and the callback that takes the answer. */
const PER_ERRAND = 50_000_000;
/** What a request to a stage and its answer carry beside rows. */
const ERRAND_BYTES = 2_000;
/** What a call brings beside its prompt: options in Candid, and the envelope around them. */
const ARGUMENT_BYTES = 1_500;

export interface Estimate {
  instructions: number;
  cycles: number;
}

/** What is asked for. */
export interface Work {
  promptTokens: number;
  promptCharacters: number;
  newTokens: number;
  /** Tokens that are there already. */
  made: number;
  beams: number;
  /** 0: as many as a message holds. */
  tokensPerCall: number;
  /** Whether the native loop makes them: one a call, each the likeliest. */
  isNative: boolean;
  /** Bytes of weights that a batch reads from stable memory. */
  streamedBytes: number;
}

/** The most that an answer is thought to take. */
export function estimate(head: OpenedHead, work: Work): Estimate {
  const { promptTokens, promptCharacters, newTokens, made, beams, tokensPerCall, streamedBytes } = work;
  const isNative = work.isNative && !head.stage;
  const { prompt, token, pages } = shapeOf(head, promptTokens, made + newTokens);
  const batches = newTokens + Math.ceil((promptTokens + made) / MAX_ROWS);
  const unit = (prompt + newTokens * beams * token) * PER_MAC + batches * streamedBytes * PER_STREAMED_BYTE;
  const fits = tokensPerCall === 0 ? 1 + Math.ceil(unit / LEAST_OF_MANY) : Math.ceil(newTokens / tokensPerCall);
  // a step over stages comes back in another message
  const least = head.stage ? newTokens : Math.max(Math.min(fits, newTokens), 1);
  const steps = least + Math.ceil(unit / 1_500_000_000);
  const tours = toursOf(head, { promptTokens, batches, rows: promptTokens + made + newTokens * beams, unit });
  const instructions =
    tours.errands * PER_ERRAND +
    PER_ANSWER +
    promptTokens * PER_PROMPT_TOKEN +
    promptCharacters * PER_CHARACTER +
    unit +
    steps * (pages + (isNative ? PER_NATIVE_TOKEN : PER_STEP)) +
    newTokens * (beams > 1 ? beams * PER_BEAM_TOKEN : isNative ? 0 : PER_TOKEN);
  // each step is a message and its answer another; one of the first, and the watchdog
  const fees =
    executed(0, 2 * steps + 4 + 2 * tours.errands).fees +
    callFees(ERRAND_BYTES, tours.errands) +
    tours.bytes * CALL_BYTE_CYCLES +
    callFees(SELF_CALL_BYTES, steps) +
    ingressFees(ARGUMENT_BYTES + 3 * promptCharacters);
  return { instructions: Math.ceil(instructions), cycles: Math.ceil(instructions + fees) };
}

/** What goes to other stages: errands, and the bytes of rows in them and in their answers. */
function toursOf(
  head: OpenedHead,
  { promptTokens, batches, rows, unit }: { promptTokens: number; batches: number; rows: number; unit: number },
): { errands: number; bytes: number } {
  if (!head.stage) return { errands: 0, bytes: 0 };
  const others = head.stage.parts.length - 1;
  const { width, encoderLayers } = sizesOf(packShape(head));
  // an encoder's rows visit all stages, and then once more for each decoder's keys and values of them
  const prompts = encoderLayers > 0 ? 2 : 0;
  // whose message is full is asked to go on, and so is whose rows do not go in one call, there or back
  const more = (count: number): number => 2 * Math.floor((count * (width + 15) * 4) / ROWS_A_HOP);
  const pieces = batches * more(Math.min(MAX_ROWS, rows)) + prompts * more(promptTokens);
  const errands = others * (batches + prompts + pieces) + Math.ceil(unit / 1_500_000_000);
  return { errands, bytes: 2 * others * (rows + prompts * promptTokens) * (width + 15) * 4 };
}

/** What an answer of one token is thought to take, without any company. */
export function leastInstructions(head: OpenedHead, promptTokens: number, streamedBytes: number): number {
  const { prompt, token, pages } = shapeOf(head, promptTokens, 1);
  return Math.ceil((prompt + token) * PER_MAC + pages + streamedBytes);
}

/** Multiply-adds of a prompt and of a token, the last of `tokens`, and instructions of the weights' pages. */
function shapeOf(head: OpenedHead, promptTokens: number, tokens: number) {
  const shape = packShape(head);
  // those of all stages
  const bytes = head.stage ? packWeightsBytes(packTensors({ ...shape, stage: undefined })) : head.weightsBytes;
  return { ...workOf(shape, promptTokens, tokens), pages: (bytes / 65_536) * PAGE_INSTRUCTIONS };
}

/**
 * What a query may read of weights in stable memory: it may touch 1 GiB, and the session's records, the tokenizer and
 * what else it looks at are in there. A message may touch 2 GiB, which its instructions do not reach.
 */
export const QUERY_STABLE_BYTES = 960 * 2 ** 20;

/** What so many cycles of a bill are sold for: 0 where nothing is asked. */
export const priceOf = (cycles: number, percent: number): bigint => BigInt(Math.ceil((cycles * percent) / 100));
