/** Random models of the Llama block against what Hugging Face transformers computes on them (test/fixtures/llama, made by make_llama_fixtures.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../../src/model/families/checkpoint.ts';
import type { LanguageModel } from '../../../../src/model/language-model.ts';
import type { WeightsKind } from '../../../../src/model/tensor-table.ts';
import { Reference } from '../../../../src/tensor/reference/reference.ts';
import { newUnit } from '../../../tensor/machines.ts';
import { memoryFolder } from '../../checkpoint/memory.ts';
import { FixtureModel, folder, LLAMA_FIXTURES, openFolder, readFixture } from '../../generation/models.ts';

type Json = Record<string, unknown>;

interface Case {
  input_ids: number[];
  logits_positions: number[];
  logits: number[][];
  greedy_ids: number[];
  /** Of every position of prompt and greedy answer. */
  argmax: number[];
  variants?: Record<'repetition_penalty_1_3' | 'no_repeat_ngram_size_2' | 'num_beams_4', number[]>;
}
const cases = (name: string): Case[] => readFixture<{ cases: Case[] }>(name, 'expected.json').cases;

const VARIANTS = {
  repetition_penalty_1_3: { repetition_penalty: 1.3 },
  no_repeat_ngram_size_2: { no_repeat_ngram_size: 2 },
  num_beams_4: { num_beams: 4 },
};

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

/** What the model gives after the first `count` ids. */
function logitsAfter(lm: LanguageModel, ids: readonly number[]): Float32Array {
  const sequence = lm.open(ids, 1);
  lm.step([sequence]);
  lm.close(sequence);
  return lm.logits();
}

describe.each(LLAMA_FIXTURES)('%s', (name) => {
  it('float32: logits within 2e-4, greedy ids and all ways of generating as recorded', async () => {
    const model = await FixtureModel.open(name, 'float32', newUnit());
    for (const c of cases(name)) {
      for (const [i, position] of c.logits_positions.entries()) {
        const logits = logitsAfter(model.lm, c.input_ids.slice(0, position + 1));
        expect(largestDifference(c.logits[i]!, logits), `position ${position}`).toBeLessThan(2e-4);
      }
      expect(model.generate(c.input_ids, { max_new_tokens: 24 })).toEqual(c.greedy_ids);
      for (const [variant, ids] of Object.entries(c.variants ?? {})) {
        const request = VARIANTS[variant as keyof typeof VARIANTS];
        expect(model.generate(c.input_ids, { max_new_tokens: 16, ...request }), variant).toEqual(ids);
      }
    }
  });

  it.each<[WeightsKind, number]>([
    ['int8', 0.9],
    ['int4', 0.45],
  ])('%s: choices along the recorded answers, of which at least %d are the same', async (weights, least) => {
    const { lm } = await FixtureModel.open(name, weights, newUnit());
    let [same, all] = [0, 0];
    for (const { input_ids, greedy_ids, argmax } of cases(name)) {
      const sequence = lm.open(input_ids, greedy_ids.length);
      for (const [i, id] of greedy_ids.entries()) {
        lm.step([sequence]);
        if (lm.greedy(0) === argmax[input_ids.length - 1 + i]) same += 1;
        all += 1;
        sequence.targetIds.push(id);
      }
      lm.close(sequence);
    }
    console.log(`${name}, ${weights}: ${same} of ${all} choices as in float32`);
    expect(same / all).toBeGreaterThanOrEqual(least);
  });
});

it.each<[string, WeightsKind]>([
  ['gemma3-scale', 'float32'],
  ['gemma3-scale', 'int8'],
  ['odd-llama', 'int4'],
])('%s, %s: the reference comes to the same, but for float sums in another order', async (name, weights) => {
  const ids = [1, 77, 300, 5, 900, 12, 13, 14, 15, 16, 17, 18];
  const [kernels, reference] = await Promise.all(
    [newUnit(), new Reference()].map(async (machine) => {
      const { lm } = await FixtureModel.open(name, weights, machine);
      return { logits: logitsAfter(lm, ids), greedy: lm.greedy(0) };
    }),
  );
  expect(largestDifference(kernels!.logits, reference!.logits)).toBeLessThan(weights === 'float32' ? 1e-4 : 0.02);
  expect(kernels!.greedy).toBe(reference!.greedy);
});

describe('a prompt', () => {
  it('and its answer have to fit the context, and ids the vocabulary', async () => {
    const { lm } = await FixtureModel.open('gemma3-scale', 'int8', newUnit());
    const long = (tokens: number) => Array.from({ length: tokens }, () => 5);
    expect(lm.limits).toEqual({ promptTokens: 511, newTokens: 511, context: 512 });
    lm.close(lm.open(long(500), 12));
    expect(() => lm.open(long(500), 13)).toThrow('open: expected 1 to 12 new tokens, got 13');
    expect(() => lm.open(long(512), 1)).toThrow('open: expected 1 to 511 prompt tokens, got 512');
    expect(() => lm.open([], 1)).toThrow('open: expected 1 to 511 prompt tokens, got 0');
    expect(() => lm.open([1000], 1)).toThrow('open: expected token ids from 0 to 999, got 1000');
    expect(() => lm.open([1, 2], 3, [1, 3])).toThrow('open: expected target ids that begin with the prompt');
  });

  it('may be as long as leaves room for the answer', async () => {
    const model = await FixtureModel.open('gemma3-scale', 'int8', newUnit());
    const prompt = Array.from({ length: 500 }, (_, i) => 3 + ((i * 37) % 900));
    expect(model.answer(prompt, { max_new_tokens: 12 })).toHaveLength(12);
  });
});

it('a fork borrows what it lacks of the prompt, to the bit', async () => {
  const { lm } = await FixtureModel.open('mistral', 'int8', newUnit());
  const prompt = Array.from({ length: 40 }, (_, i) => 3 + i);
  const first = lm.open(prompt, 8);
  lm.step([first]);
  const fork = lm.fork(first);
  lm.retarget(fork, [...prompt, 9, 8]);
  lm.borrow(fork, first);
  expect(fork.cached).toBe(40);
  lm.step([fork]);
  expect(lm.logits()).toEqual(logitsAfter(lm, [...prompt, 9, 8]));
});

it.each([
  ['llama-b', ({ rope_parameters }: Json) => ({ rope_theta: 500_000, rope_scaling: rope_parameters })],
  ['odd-llama', () => ({ rope_theta: 10_000, rope_scaling: null })],
  ['mistral', () => ({ rope_theta: 10_000 })],
  ['qwen2', () => ({ rope_theta: 1_000_000, layer_types: undefined })],
  [
    'gemma3',
    () => ({ layer_types: undefined, sliding_window_pattern: 3, rope_theta: 1_000_000, rope_local_base_freq: 10_000 }),
  ],
])('%s: a configuration in the form of transformers 4 gives the same bits', async (name, old) => {
  const json = readFixture<Json>(name, 'config.json');
  const rewritten = { ...json, rope_parameters: undefined, dtype: undefined, torch_dtype: 'float32', ...old(json) };
  const weights = new Uint8Array(readFileSync(`${folder(name)}/model.safetensors`));
  const bits = async (config: object) => {
    const files = { 'config.json': config, 'model.safetensors': weights };
    const { lm } = await openFolder(await openCheckpoint(memoryFolder(files), name), 'int8', newUnit());
    return logitsAfter(lm, [1, 50, 60, 70, 80]);
  };
  expect(await bits(rewritten)).toEqual(await bits(json));
});
