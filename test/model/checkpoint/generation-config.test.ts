import { describe, expect, it } from 'vitest';
import { readGenerationConfig } from '../../../src/model/checkpoint/generation-config.ts';

const read = (json: unknown) => readGenerationConfig(new TextEncoder().encode(JSON.stringify(json)), 100);

describe('generation_config.json', () => {
  it('gives what is set and nothing else', () => {
    expect(read({ decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0, transformers_version: '4.27' })).toEqual(
      {
        decoderStartTokenId: 0,
        eosTokenIds: [1],
        padTokenId: 0,
        notApplied: [],
      },
    );
    expect(read({ temperature: null })).toEqual({ notApplied: [] });
  });

  it('reads every field that is built in', () => {
    const json = {
      max_new_tokens: 20,
      max_length: 21,
      min_new_tokens: 2,
      min_length: 3,
      do_sample: true,
      temperature: 0.7,
      top_k: 20,
      top_p: 0.9,
      repetition_penalty: 1.3,
      no_repeat_ngram_size: 2,
      num_beams: 3,
      length_penalty: 2,
      early_stopping: 'never',
      eos_token_id: [1, 5],
      bos_token_id: 7,
      bad_words_ids: [[3], [4, 5]],
      suppress_tokens: [6],
      begin_suppress_tokens: [8, 9],
      forced_bos_token_id: 10,
      forced_eos_token_id: 1,
    };
    expect(read(json)).toEqual({
      maxNewTokens: 20,
      maxLength: 21,
      minNewTokens: 2,
      minLength: 3,
      doSample: true,
      temperature: 0.7,
      topK: 20,
      topP: 0.9,
      repetitionPenalty: 1.3,
      noRepeatNgramSize: 2,
      numBeams: 3,
      lengthPenalty: 2,
      earlyStopping: 'never',
      eosTokenIds: [1, 5],
      decoderStartTokenId: 7,
      badWordsIds: [[3], [4, 5]],
      suppressTokens: [6],
      beginSuppressTokens: [8, 9],
      forcedBosTokenId: 10,
      forcedEosTokenIds: [1],
      notApplied: [],
    });
  });

  it('names what it does not apply, unless it does nothing', () => {
    expect(read({ num_beam_groups: 2, diversity_penalty: 0, typical_p: 1, min_p: 0.1 }).notApplied).toEqual([
      'num_beam_groups',
      'min_p',
    ]);
    expect(read({ typical: 0.5, dola_layers: 'high', chat_format: 'chatml', top_h: null }).notApplied).toEqual([
      'typical',
      'dola_layers',
      'chat_format',
    ]);
    const besides = { _from_model_config: true, use_cache: false, output_scores: true, cache_implementation: 'static' };
    expect(read(besides).notApplied).toEqual([]);
  });

  it.each([
    [{ eos_token_id: 100 }, '"eos_token_id" to be an integer from 0 to 99, got 100'],
    [{ top_p: 1.5 }, '"top_p" to be a number from 0 to 1, got 1.5'],
    [{ num_beams: 0 }, '"num_beams" to be an integer from 1'],
    [{ early_stopping: 'often' }, '"early_stopping" to be true or false, got "often"'],
    [{ repetition_penalty: 0 }, '"repetition_penalty" to be a number'],
    [7, 'generation_config.json: expected a JSON object, got 7'],
  ])('refuses %j', (json, message) => {
    expect(() => read(json)).toThrow(message);
  });
});
