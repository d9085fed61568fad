/** Configurations of the Llama block, held against what transformers makes of the same files. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type LlamaConfig, parseLlamaConfig } from '../../../../src/model/families/llama/config.ts';
import { ropeFrequencies } from '../../../../src/model/families/llama/rope.ts';

interface Expected extends Omit<LlamaConfig, 'layers'> {
  windows: number[];
  frequencies: number[][];
}
const { cases }: { cases: { name: string; json: Record<string, unknown>; expected: Expected }[] } = JSON.parse(
  readFileSync('test/fixtures/llama/configs.json', 'utf8'),
);
const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(`test/fixtures/llama/${name}/config.json`, 'utf8'));

it.each(cases)('$name: as transformers reads it', ({ json, expected }) => {
  const { windows, frequencies, ...sizes } = expected;
  const config = parseLlamaConfig(json);
  expect(config).toMatchObject(sizes);
  expect(config.layers.map(({ window }) => window)).toEqual(windows);
  config.layers.forEach(({ rope }, i) => {
    const all = ropeFrequencies(rope, config.headDim);
    const shown = [...all.slice(0, 4), all.at(-1)!];
    frequencies[i]!.forEach((wanted, j) => {
      // transformers works it out in float32
      expect(shown[j]! / wanted).toBeCloseTo(1, 5);
    });
  });
});

describe('the form of transformers 4', () => {
  const olds: [string, (json: Record<string, unknown>) => object][] = [
    ['llama-a', () => ({ rope_theta: 100_000, rope_scaling: null })],
    ['llama-b', ({ rope_parameters }) => ({ rope_theta: 500_000, rope_scaling: rope_parameters })],
    ['qwen2', () => ({ rope_theta: 1_000_000, layer_types: undefined })],
    ['qwen3', () => ({ rope_theta: 1_000_000, layer_types: undefined })],
  ];
  it.each(olds)('%s comes to the same', (name, old) => {
    const json = fixture(name);
    const rewritten = { ...json, ...old(json), rope_parameters: undefined, dtype: undefined, torch_dtype: 'float32' };
    expect(parseLlamaConfig(JSON.parse(JSON.stringify(rewritten)))).toEqual(parseLlamaConfig(json));
  });

  it('gemma3 comes to the same', () => {
    const json = fixture('gemma3');
    const rewritten = {
      ...json,
      layer_types: undefined,
      rope_parameters: undefined,
      _sliding_window_pattern: undefined,
      sliding_window_pattern: 3,
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
    };
    expect(parseLlamaConfig(JSON.parse(JSON.stringify(rewritten)))).toEqual(parseLlamaConfig(json));
  });
});

describe('is refused by name', () => {
  it.each<[string, object, string]>([
    ['another model', { model_type: 'bert' }, 'expected "model_type" to be one of llama, mistral'],
    ['no type', {}, 'expected "model_type" to be a string, got nothing'],
    [
      'yarn',
      { rope_scaling: { type: 'yarn', factor: 4 } },
      'default, linear or llama3 (yarn is not built in), got "yarn"',
    ],
    ['longrope', { rope_parameters: { rope_type: 'longrope' } }, 'longrope is not built in'],
    ['an unknown scaling', { rope_scaling: { type: 'x' } }, 'that is no kind of scaling known here'],
    [
      'a scaling without its factor',
      { rope_scaling: { type: 'linear' } },
      'rope_scaling: expected "factor" to be a number',
    ],
    [
      'factors the wrong way round',
      { rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 1 } },
      '"high_freq_factor" to be more than low_freq_factor, 4, got 1',
    ],
    ['a part of the columns', { partial_rotary_factor: 0.5 }, '"partial_rotary_factor" to be absent'],
    ['a cap on logits', { final_logit_softcapping: 30 }, '"final_logit_softcapping" to be absent'],
    ['quantised weights', { quantization_config: { bits: 4 } }, '"quantization_config" to be absent'],
    ['heads that do not divide', { num_attention_heads: 6, num_key_value_heads: 4 }, 'a divisor of the 6 heads, got 4'],
    ['an odd head', { head_dim: 15 }, '"head_dim" to be even'],
    ['another activation', { hidden_act: 'relu2' }, '"hidden_act" to be one of silu'],
    ['a list of another length', { model_type: 'qwen3', layer_types: ['full_attention'] }, 'a list of 32 times'],
    ['a stop outside the vocabulary', { vocab_size: 10, eos_token_id: [3, 10] }, '"eos_token_id[1]" to be an integer'],
  ])('%s', (_, json, message) => {
    expect(() =>
      parseLlamaConfig({ ...('model_type' in json || _ === 'no type' ? {} : { model_type: 'llama' }), ...json }),
    ).toThrow(message);
  });
});
