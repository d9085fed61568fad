import { describe, expect, it } from 'vitest';
import { parseT5Config } from '../../../src/model/checkpoint/config.ts';
import type { GenerationConfig } from '../../../src/model/checkpoint/generation-config.ts';
import { type GenerationRequest, generationOptions, seedOf } from '../../../src/model/generation/options.ts';

const config = parseT5Config({ vocab_size: 100, eos_token_id: 1, decoder_start_token_id: 0 });
const options = (request: GenerationRequest = {}, defaults: Partial<GenerationConfig> = {}) =>
  generationOptions(request, { notApplied: [], ...defaults }, config, () => 77n);

describe('defaults', () => {
  it("are GenerationConfig's, but for the length", () => {
    expect(options()).toEqual({
      maxNewTokens: 128,
      minNewTokens: 0,
      doSample: false,
      temperature: 1,
      topK: 50,
      topP: 1,
      key: [0, 0],
      repetitionPenalty: 1,
      noRepeatNgramSize: 0,
      numBeams: 1,
      lengthPenalty: 1,
      earlyStopping: false,
      eosTokenIds: [1],
      decoderStartTokenId: 0,
    });
  });

  it("come from the model's file, and a caller's word goes before them", () => {
    const defaults = {
      doSample: true,
      topK: 5,
      numBeams: 1,
      eosTokenIds: [1, 2],
      earlyStopping: 'never',
      maxNewTokens: 9,
    } as const;
    const file = { ...defaults, eosTokenIds: [...defaults.eosTokenIds] };
    expect(options({}, file)).toMatchObject({ ...defaults, key: [77, 0] });
    const asked = options(
      { do_sample: false, top_k: 7, eos_token_id: 3, early_stopping: true, max_new_tokens: 4 },
      file,
    );
    expect(asked).toMatchObject({ doSample: false, topK: 7, eosTokenIds: [3], earlyStopping: true, maxNewTokens: 4 });
  });

  it('max_length and min_length count the start token; lengths past the room for them are cut', () => {
    expect(options({}, { maxLength: 21, minLength: 6 })).toMatchObject({ maxNewTokens: 20, minNewTokens: 5 });
    expect(options({}, { maxLength: 21, maxNewTokens: 3, minLength: 6 })).toMatchObject({
      maxNewTokens: 3,
      minNewTokens: 3,
    });
    expect(options({}, { maxNewTokens: 4096 }).maxNewTokens).toBe(512);
  });

  it('can be written down as JSON', () => {
    const sampled = options({ do_sample: true, seed: 2n ** 63n + 5n, eos_token_id: [] });
    expect(JSON.parse(JSON.stringify(sampled))).toEqual(sampled);
  });
});

describe('a seed', () => {
  it.each([0n, 5n, 2n ** 32n, 2n ** 64n - 1n])('%d is the key of the draws', (seed) => {
    expect(seedOf(options({ do_sample: true, seed }))).toBe(seed);
  });

  it('is random where it is wanted and none was given', () => {
    expect(seedOf(options({ do_sample: true }))).toBe(77n);
    expect(seedOf(options({ do_sample: true, seed: 12 }))).toBe(12n);
  });
});

describe('what is wrong is named', () => {
  it.each<[object, string]>([
    [{ max_new_tokens: 0 }, '"max_new_tokens" to be an integer from 1 to 512, got 0'],
    [{ max_new_tokens: 513 }, '"max_new_tokens" to be an integer from 1 to 512, got 513'],
    [{ max_new_tokens: 5, min_new_tokens: 6 }, '"min_new_tokens" to be an integer from 0 to 5, got 6'],
    [{ do_sample: 1 }, '"do_sample" to be true or false, got 1'],
    [
      { do_sample: true, temperature: 0 },
      '"temperature" to be above 0 (for the likeliest token, leave do_sample out), got 0',
    ],
    [{ temperature: -1 }, '"temperature" to be a number from 0 to 1000000, got -1'],
    [{ temperature: Number.NaN }, '"temperature" to be a number from 0 to 1000000, got NaN'],
    [{ top_k: 1.5 }, '"top_k" to be an integer from 0 to 2147483647, got 1.5'],
    [{ top_p: 1.01 }, '"top_p" to be a number from 0 to 1, got 1.01'],
    [{ do_sample: true, seed: -1 }, '"seed" to be an integer from 0 to 2^64 - 1, got "-1"'],
    [{ do_sample: true, seed: 2n ** 64n }, '"seed" to be an integer from 0 to 2^64 - 1, got "18446744073709551616"'],
    [{ do_sample: true, seed: 0.5 }, '"seed" to be an integer from 0 to 2^64 - 1, got 0.5'],
    [{ repetition_penalty: 0 }, '"repetition_penalty" to be above 0, got 0'],
    [{ no_repeat_ngram_size: -2 }, '"no_repeat_ngram_size" to be an integer from 0 to 2147483647, got -2'],
    [{ num_beams: 0 }, '"num_beams" to be an integer from 1 to 16, got 0'],
    [{ num_beams: 17 }, '"num_beams" to be an integer from 1 to 16, got 17'],
    [
      { num_beams: 16, eos_token_id: [1, 2, 3, 4, 5, 6, 7] },
      '"num_beams" to be so few that 7 stop tokens leave candidates in a vocabulary of 100, got 16',
    ],
    [{ length_penalty: 11 }, '"length_penalty" to be a number from -10 to 10, got 11'],
    [{ early_stopping: 'always' }, '"early_stopping" to be true, false or "never", got "always"'],
    [{ eos_token_id: [1, 100] }, '"eos_token_id[1]" to be an integer from 0 to 99, got 100'],
    [{ decoder_start_token_id: -1 }, '"decoder_start_token_id" to be an integer from 0 to 99, got -1'],
    [{ penalty_alpha: 0.6 }, '"penalty_alpha" to be left out (it is not built in), got 0.6'],
  ])('%o', (request, message) => {
    expect(() => options(request as GenerationRequest)).toThrow(`generate: expected ${message}`);
  });
});
