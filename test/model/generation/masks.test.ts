/**
 * Masks by row, and defaults of files: against what transformers makes of them
 * (test/fixtures/t5/make_mask_fixtures.py).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseGenerationConfig } from '../../../src/model/checkpoint/generation-config.ts';
import { openCheckpoint } from '../../../src/model/families/checkpoint.ts';
import { type GenerationRequest, generationOptions } from '../../../src/model/generation/options.ts';
import { newUnit } from '../../tensor/machines.ts';
import { fixture, memoryFolder } from '../checkpoint/memory.ts';
import { FixtureModel, openFolder } from './models.ts';

interface Masks {
  masks: { input_ids: number[]; options: GenerationRequest; ids: number[] }[];
  defaults: {
    what: string;
    input_ids: number[];
    config: Record<string, unknown>;
    generation: object | null;
    max_new_tokens?: number | null;
    ids?: number[];
    error?: string;
  }[];
}
const { masks, defaults } = JSON.parse(readFileSync('test/fixtures/t5/flan-a/masks.json', 'utf8')) as Masks;

it('bad words, suppressed and forced tokens give the ids of transformers, beams too', async () => {
  const model = await FixtureModel.open('flan-a', 'float32', newUnit());
  for (const { input_ids, options, ids } of masks) {
    expect(model.generate(input_ids, { max_new_tokens: 16, ...options }), JSON.stringify(options)).toEqual(ids);
  }
});

it('a draw among several forced tokens is made by the random number, in the order of ids', async () => {
  const model = await FixtureModel.open('flan-a', 'float32', newUnit());
  const request = { do_sample: true, max_new_tokens: 1, forced_eos_token_id: [8, 3, 5] };
  const drawn = (seed: number) => model.generate([5, 1], { ...request, seed })[1];
  // seed 42: 0.613 (docs/generation.md), of three the second
  expect(drawn(42)).toBe(5);
  expect(new Set(Array.from({ length: 20 }, (_, seed) => drawn(seed)))).toEqual(new Set([3, 5, 8]));
});

describe('defaults', () => {
  const folder = (config: Record<string, unknown>, generation: object | null) => {
    const json = { ...JSON.parse(new TextDecoder().decode(fixture('t5/flan-a/config.json'))), ...config };
    return memoryFolder({
      'config.json': json,
      ...(generation && { 'generation_config.json': generation }),
      'model.safetensors': fixture('t5/flan-a/model.safetensors'),
    });
  };

  it.each(defaults.map((c) => [c.what, c] as const))('%s', async (_, c) => {
    const opening = openCheckpoint(folder(c.config, c.generation), 'flan-a');
    if (c.error) {
      await expect(opening).rejects.toThrow('expected a decoder_start_token_id, or else a bos_token_id');
      return;
    }
    const model = await openFolder(await opening, 'float32', newUnit());
    const request = c.max_new_tokens ? { max_new_tokens: c.max_new_tokens } : {};
    expect(model.generate(c.input_ids, request)).toEqual(c.ids);
  });

  it.each<[object, object | null, string]>([
    [{ num_beams: 20 }, null, 'config.json: expected "num_beams" to be an integer from 1 to 16, got 20'],
    [{}, { num_beams: 20, bos_token_id: 0 }, 'generation_config.json: expected "num_beams" to be an integer from 1 to'],
    [{}, { bos_token_id: 0, bad_words_ids: [[1], [384]] }, 'generation_config.json: expected "bad_words_ids[1][0]" to'],
    [{}, { bos_token_id: 0, bad_words_ids: [5] }, 'generation_config.json: expected "bad_words_ids[0]" to be a list'],
    [{}, { bos_token_id: 0, bad_words_ids: [[]] }, 'expected "bad_words_ids[0]" to be a list of token ids, got []'],
    [{}, { bos_token_id: 0, suppress_tokens: [-1] }, 'generation_config.json: expected "suppress_tokens[0]" to be'],
    [
      {},
      { bos_token_id: 0, do_sample: true, num_beams: 2 },
      'generation_config.json: expected "num_beams" to be 1 with do_sample, got 2',
    ],
    [{}, { bos_token_id: 0, length_penalty: 30 }, 'generation_config.json: expected "length_penalty" to be a number'],
    [
      {},
      { bos_token_id: 0, suppress_tokens: [9], forced_bos_token_id: 9 },
      'generation_config.json: expected "forced_bos_token_id" to be none of suppress_tokens, got 9',
    ],
  ])('%j, %j: the file is blamed, at conversion', async (config, generation, message) => {
    const opening = openCheckpoint(folder(config as Record<string, unknown>, generation), 'x');
    await expect(opening).rejects.toThrow(message);
  });

  it('of a file that was converted all the same are not called the fault of the call', async () => {
    const { config } = await openCheckpoint(folder({}, null), 'flan-a');
    const file = parseGenerationConfig({ num_beams: 20, temperature: 0.5 }, config.vocabularySize);
    const options = (request: GenerationRequest) => generationOptions(request, file, config, () => 0n);
    expect(() => options({})).toThrow(`the model's generation_config.json: expected "num_beams" to be an integer from`);
    expect(() => options({ num_beams: 21 })).toThrow('generate: expected "num_beams" to be an integer from');
    expect(options({ num_beams: 2 }).numBeams).toBe(2);
  });
});
