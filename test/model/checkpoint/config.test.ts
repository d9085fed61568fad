import { describe, expect, it } from 'vitest';
import { parseT5Config, readT5Config } from '../../../src/model/checkpoint/config.ts';
import { fixture } from './memory.ts';

const FLAN_T5_SMALL = {
  architectures: ['T5ForConditionalGeneration'],
  d_ff: 1024,
  d_kv: 64,
  d_model: 512,
  decoder_start_token_id: 0,
  dense_act_fn: 'gelu_new',
  dropout_rate: 0.1,
  eos_token_id: 1,
  feed_forward_proj: 'gated-gelu',
  is_encoder_decoder: true,
  is_gated_act: true,
  layer_norm_epsilon: 1e-6,
  model_type: 't5',
  n_positions: 512,
  num_decoder_layers: 8,
  num_heads: 6,
  num_layers: 8,
  pad_token_id: 0,
  relative_attention_max_distance: 128,
  relative_attention_num_buckets: 32,
  tie_word_embeddings: false,
  vocab_size: 32128,
};

describe('config.json', () => {
  it('reads that of google/flan-t5-small', () => {
    expect(parseT5Config(FLAN_T5_SMALL)).toEqual({
      vocabularySize: 32128,
      dModel: 512,
      dKv: 64,
      dFf: 1024,
      numLayers: 8,
      numDecoderLayers: 8,
      numHeads: 6,
      relativeAttentionNumBuckets: 32,
      relativeAttentionMaxDistance: 128,
      layerNormEpsilon: 1e-6,
      feedForward: { gated: true, activation: 'gelu_new' },
      tieWordEmbeddings: false,
      scaleDecoderOutputs: false,
      decoderStartTokenId: 0,
      padTokenId: 0,
      eosTokenIds: [1],
    });
  });

  it('reads the fixtures', () => {
    expect(readT5Config(fixture('t5/flan-b/config.json'))).toMatchObject({ numLayers: 3, numDecoderLayers: 2 });
    expect(readT5Config(fixture('t5/t5-v1.0/config.json'))).toMatchObject({
      feedForward: { gated: false, activation: 'relu' },
      tieWordEmbeddings: true,
      scaleDecoderOutputs: true,
    });
  });

  it('has the defaults of transformers', () => {
    expect(parseT5Config({})).toMatchObject({
      vocabularySize: 32128,
      numLayers: 6,
      numDecoderLayers: 6,
      dFf: 2048,
      feedForward: { gated: false, activation: 'relu' },
      tieWordEmbeddings: true,
      scaleDecoderOutputs: true,
    });
    expect(parseT5Config({ num_layers: 4 }).numDecoderLayers).toBe(4);
    expect(parseT5Config({ num_layers: 4, num_decoder_layers: null }).numDecoderLayers).toBe(4);
  });

  it.each([
    ['relu', false, 'relu'],
    ['gated-relu', true, 'relu'],
    ['gelu', false, 'gelu_exact'],
    ['gelu_new', false, 'gelu_new'],
    ['gated-gelu', true, 'gelu_new'],
    ['gated-gelu_new', true, 'gelu_new'],
    ['gated-silu', true, 'silu'],
  ])('knows feed_forward_proj %s', (feed_forward_proj, gated, activation) => {
    expect(parseT5Config({ feed_forward_proj }).feedForward).toEqual({ gated, activation });
  });

  it('takes the scale from the tie, unless it is said', () => {
    expect(parseT5Config({ tie_word_embeddings: false }).scaleDecoderOutputs).toBe(false);
    // As transformers 5 saves a flan-t5.
    expect(parseT5Config({ tie_word_embeddings: true, scale_decoder_outputs: false })).toMatchObject({
      tieWordEmbeddings: true,
      scaleDecoderOutputs: false,
    });
  });

  it('takes one end token or several', () => {
    expect(parseT5Config({ eos_token_id: [1, 7] }).eosTokenIds).toEqual([1, 7]);
  });

  it.each([
    [{ vocab_size: 0 }, '"vocab_size" to be an integer from 1 to 4194304, got 0'],
    [{ d_model: 2.5 }, '"d_model" to be an integer from 1 to 131072, got 2.5'],
    [{ d_model: '512' }, '"d_model" to be an integer from 1 to 131072, got "512"'],
    [{ num_layers: 1e9 }, '"num_layers" to be an integer from 1 to 1024, got 1000000000'],
    [{ model_type: 'bert' }, '"model_type" to be "t5" (no other architecture is built in), got "bert"'],
    [{ is_encoder_decoder: false }, '"is_encoder_decoder" to be true, got false'],
    [{ feed_forward_proj: 'gated-tanh' }, '"feed_forward_proj" to be one of relu'],
    [{ feed_forward_proj: 'gated-' }, '"feed_forward_proj" to be one of relu'],
    [{ feed_forward_proj: 'constructor' }, '"feed_forward_proj" to be one of relu'],
    [{ feed_forward_proj: 'relu', dense_act_fn: 'gelu' }, '"dense_act_fn" to be "relu", as "feed_forward_proj" says'],
    [{ feed_forward_proj: 'relu', is_gated_act: true }, '"is_gated_act" to be false'],
    [{ relative_attention_num_buckets: 3 }, '"relative_attention_num_buckets" to be an integer from 4'],
    [{ relative_attention_max_distance: 16 }, '"relative_attention_max_distance" to be an integer from 17'],
    [{ eos_token_id: 32128 }, '"eos_token_id" to be an integer from 0 to 32127, got 32128'],
    [{ eos_token_id: [1, -1] }, '"eos_token_id[1]" to be an integer from 0 to 32127, got -1'],
    [{ layer_norm_epsilon: -1 }, '"layer_norm_epsilon" to be a number from 0 to 1, got -1'],
    [[], 'config.json: expected a JSON object, got []'],
  ])('refuses %j', (json, message) => {
    expect(() => parseT5Config(json)).toThrow(message);
  });

  it('refuses what is no JSON', () => {
    expect(() => readT5Config(new TextEncoder().encode('{"d_model": '))).toThrow(
      'config.json: expected JSON, got 12 bytes',
    );
    expect(() => readT5Config(Uint8Array.of(0xff, 0xfe))).toThrow('config.json: expected JSON, got 2 bytes');
  });
});
