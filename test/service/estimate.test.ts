/**
 * Estimates: figures worked out by hand for one shape, and how they grow. That they are never below the bill is held
 * against a canister (test/canister/paying.test.ts, bills.test.ts).
 */
import { describe, expect, it } from 'vitest';
import { instructionLimits, limits } from '../../packages/replica/src/limits.ts';
import { pageBytes, pageTouchCost } from '../../packages/replica/src/wasm/costs.ts';
import { parseT5Config } from '../../src/model/checkpoint/config.ts';
import type { OpenedHead } from '../../src/model/pack/pack.ts';
import { estimate, leastInstructions, priceOf, QUERY_STABLE_BYTES, type Work } from '../../src/service/estimate.ts';

const config = parseT5Config({
  vocab_size: 1_000,
  d_model: 64,
  d_kv: 16,
  d_ff: 128,
  num_heads: 4,
  num_layers: 2,
  num_decoder_layers: 3,
  eos_token_id: 1,
  decoder_start_token_id: 0,
  feed_forward_proj: 'gated-gelu',
});
/** Ten pages of weights, which take 1.6 M instructions to touch and write. */
const head = { family: 't5', config, weights: 'int8', tiedHead: false, weightsBytes: 655_360 } as unknown as OpenedHead;
const work: Work = {
  promptTokens: 10,
  promptCharacters: 50,
  newTokens: 4,
  made: 0,
  beams: 1,
  tokensPerCall: 1,
  isNative: false,
  streamedBytes: 0,
};
const of = (more: Partial<Work> = {}): number => estimate(head, { ...work, ...more }).instructions;

/** Multiply-adds: of the encoder's two layers, the cross keys and values, and a token as the last of so many. */
const PROMPT = 10 * 2 * (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64 * 10) + 10 * 3 * 2 * 64 * 64;
const tokenOf = (tokens: number): number => 3 * (6 * 64 * 64 + 3 * 64 * 128 + 2 * 64 * (10 + tokens)) + 64 * 1_000;
const ANSWER = 64_000_000 + 10 * 400_000 + 50 * 100_000;

describe('what an answer is thought to take', () => {
  const pages = leastInstructions(head, 10, 0) - Math.ceil((PROMPT + tokenOf(1)) * 1.2);

  it('at the least, its multiply-adds at 1.2 instructions each and the touch of the weights', () => {
    expect(pages).toBeGreaterThanOrEqual(10 * 80_000);
    expect(pages).toBeLessThanOrEqual(10 * 160_000 + 1);
  });

  it.each<[string, Partial<Work>, number]>([
    ['a token a call', {}, 5 * (pages + 22_000_000) + 4 * 2_000_000],
    ['two tokens a call', { tokensPerCall: 2 }, 3 * (pages + 22_000_000) + 4 * 2_000_000],
    ['as many as fit', { tokensPerCall: 0 }, 3 * (pages + 22_000_000) + 4 * 2_000_000],
    ['by the native loop', { isNative: true }, 5 * (pages + 2_000_000)],
  ])('%s', (_, more, rest) => {
    const unit = (PROMPT + 4 * tokenOf(4)) * 1.2;
    expect(Math.abs(of(more) - (ANSWER + unit + rest))).toBeLessThan(10);
  });

  it('by beams, as many tokens as there are beams', () => {
    const unit = (PROMPT + 4 * 3 * tokenOf(4)) * 1.2;
    const rest = 5 * (pages + 22_000_000) + 4 * 3 * 7_000_000;
    expect(Math.abs(of({ beams: 3 }) - (ANSWER + unit + rest))).toBeLessThan(10);
  });

  it('more for weights that are streamed, with every token and every 64 rows of a prompt', () => {
    expect(of({ streamedBytes: 1_000_000 }) - of()).toBeCloseTo(3 * 1_000_000 * (4 + 1), -1);
    const long = { promptTokens: 65 };
    expect(of({ ...long, streamedBytes: 1_000_000 }) - of(long)).toBeCloseTo(3 * 1_000_000 * (4 + 2), -1);
    expect(leastInstructions(head, 10, 1_000) - leastInstructions(head, 10, 0)).toBe(1_000);
  });

  it('more for tokens that follow others', () => {
    expect(of({ made: 100 }) - of()).toBeCloseTo(1.2 * 4 * 3 * 2 * 64 * 100, -1);
  });

  it('cycles are instructions, two messages and a call a step, and the ingress', () => {
    const { instructions, cycles } = estimate(head, work);
    const more = estimate(head, { ...work, newTokens: 5 });
    expect(cycles - instructions).toBeGreaterThan(14 * 5_000_000);
    const perStep = more.cycles - more.instructions - (cycles - instructions);
    // two messages executed and a call of a few bytes, with its reply
    expect(perStep).toBeGreaterThan(10_000_000);
    expect(perStep).toBeLessThan(11_000_000);
    const longer = estimate(head, { ...work, promptCharacters: 51 });
    expect(longer.cycles - cycles).toBe(100_000 + 3 * 2_000);
  });

  it('is sold at a percentage, rounded up', () => {
    expect([priceOf(1_000, 0), priceOf(1_000, 100), priceOf(1_001, 50)]).toEqual([0n, 1_000n, 501n]);
  });
});

it('what is read of stable memory stays below what the replica lets a message touch, and a query', () => {
  // a slice is used up before that, by the first touch of each page and a byte's reading
  const ofSlice = instructionLimits.slice / (pageTouchCost / pageBytes + 1);
  expect(ofSlice).toBeLessThan(limits.stableTouched.update);
  const ofQuery = instructionLimits.query / (pageTouchCost / pageBytes + 1);
  expect(ofQuery).toBeGreaterThan(limits.stableTouched.query);
  expect(QUERY_STABLE_BYTES).toBeLessThan(limits.stableTouched.query);
});
