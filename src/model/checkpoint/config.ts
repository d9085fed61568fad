// The sizes and choices that make one T5: what `config.json` says, checked. Not the weights, and not how to generate.
// Source: Hugging Face transformers, models/t5/configuration_t5.py (T5Config, its defaults and `feed_forward_proj`).
import { Fields, parseJson } from '../json/json.ts';

/**
 * The function between the two feed-forward matrices. `gelu_new` is the tanh form (what "gated-gelu" means in a T5
 * file), `gelu_exact` the one with erf, `silu` is x * sigmoid(x).
 */
export type Activation = 'relu' | 'gelu_new' | 'gelu_exact' | 'silu';

/**
 * A T5's configuration. The letters stand for these sizes in every comment of `src/model`: D `dModel`, H `numHeads`, K
 * `dKv`, F `dFf`, V `vocabularySize`, B `relativeAttentionNumBuckets`, L the layers of a stack; S is the source's
 * length, T a target position. The inner size of attention is H * K, which need not be D.
 */
export interface T5Config {
  /**
   * V: rows of the embedding and of the head; a multiple of 128 as trained, so often more than the tokenizer has
   * pieces.
   */
  vocabularySize: number;
  /** D */
  dModel: number;
  /** K: size of one head's key and value. */
  dKv: number;
  /** F */
  dFf: number;
  /** L of the encoder. */
  numLayers: number;
  /** L of the decoder. */
  numDecoderLayers: number;
  /** H */
  numHeads: number;
  /** B: rows of `relative_attention_bias` [B, H]. */
  relativeAttentionNumBuckets: number;
  /** Distances from here on share the last bucket. */
  relativeAttentionMaxDistance: number;
  layerNormEpsilon: number;
  /** `wi_0`, `wi_1` and `wo` if gated, else `wi` and `wo`. */
  feedForward: { gated: boolean; activation: Activation };
  /**
   * The head may be the embedding itself. A `lm_head.weight` in the checkpoint is used all the same (see
   * families/t5/match-tensors.ts).
   */
  tieWordEmbeddings: boolean;
  /** The decoder's output is multiplied by D^-0.5 before the head, as the first T5 does. */
  scaleDecoderOutputs: boolean;
  decoderStartTokenId: number;
  padTokenId: number;
  /** Generation stops at any of these; may be empty. */
  eosTokenIds: number[];
}

/** transformers' names of activations, and which of ours computes the same. */
const ACTIVATIONS: Record<string, Activation> = {
  relu: 'relu',
  gelu: 'gelu_exact',
  gelu_new: 'gelu_new',
  gelu_fast: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  silu: 'silu',
  swish: 'silu',
};

/** Bounds far above any T5 there is: they keep a file that lies from asking for memory without end. */
const MAX_SIZE = 1 << 17;
const MAX_LAYERS = 1 << 10;
const MAX_VOCABULARY = 1 << 22;

/**
 * Reads `config.json`.
 * @throws Error, TypeError or RangeError naming the field, what was expected and what is there.
 */
export function readT5Config(bytes: Uint8Array, where = 'config.json'): T5Config {
  return parseT5Config(parseJson(where, bytes), where);
}

/** As {@link readT5Config}, from the parsed JSON. Absent fields have transformers' defaults. */
export function parseT5Config(json: unknown, where = 'config.json'): T5Config {
  const fields = new Fields(where, json);
  if (fields.string('model_type', 't5') !== 't5') {
    fields.wrong(Error, 'model_type', '"t5" (no other architecture is built in)', fields.get('model_type'));
  }
  if (!fields.boolean('is_encoder_decoder', true)) fields.wrong(Error, 'is_encoder_decoder', 'true', false);

  const vocabularySize = fields.integer('vocab_size', 1, MAX_VOCABULARY, 32128);
  const numLayers = fields.integer('num_layers', 1, MAX_LAYERS, 6);
  // A bidirectional table gives half its buckets to each direction and half of those to single distances: 4 is the
  // least.
  const relativeAttentionNumBuckets = fields.integer('relative_attention_num_buckets', 4, MAX_SIZE, 32);
  const tieWordEmbeddings = fields.boolean('tie_word_embeddings', true);
  const padTokenId = fields.integer('pad_token_id', 0, vocabularySize - 1, 0);
  return {
    vocabularySize,
    dModel: fields.integer('d_model', 1, MAX_SIZE, 512),
    dKv: fields.integer('d_kv', 1, MAX_SIZE, 64),
    dFf: fields.integer('d_ff', 1, MAX_SIZE, 2048),
    numLayers,
    numDecoderLayers: fields.integer('num_decoder_layers', 1, MAX_LAYERS, numLayers),
    numHeads: fields.integer('num_heads', 1, MAX_SIZE, 8),
    relativeAttentionNumBuckets,
    // Its logarithm against the exact buckets is divided by, so it must be past them.
    relativeAttentionMaxDistance: fields.integer(
      'relative_attention_max_distance',
      Math.floor(relativeAttentionNumBuckets / 2) + 1,
      2 ** 31 - 1,
      128,
    ),
    layerNormEpsilon: fields.number('layer_norm_epsilon', 0, 1, 1e-6),
    feedForward: readFeedForward(fields),
    tieWordEmbeddings,
    // Files before transformers 5 have only the tie, which stood for the scale as well.
    scaleDecoderOutputs: fields.boolean('scale_decoder_outputs', tieWordEmbeddings),
    padTokenId,
    decoderStartTokenId: readStartToken(fields, vocabularySize) ?? padTokenId,
    eosTokenIds: fields.integers('eos_token_id', 0, vocabularySize - 1, [1]),
  };
}

/**
 * What decoding begins with, as transformers falls back: `decoder_start_token_id`, or else `bos_token_id`; undefined
 * for neither. A folder without is refused when it is converted; packs of earlier versions began with `pad_token_id`
 * then, and go on to.
 */
export function readStartToken(fields: Fields, vocabularySize: number): number | undefined {
  const name = ['decoder_start_token_id', 'bos_token_id'].find((name) => fields.get(name) !== undefined);
  return name === undefined ? undefined : fields.integer(name, 0, vocabularySize - 1);
}

/**
 * `feed_forward_proj` is "ACTIVATION" or "gated-ACTIVATION"; "gated-gelu" alone means the tanh form, "gelu" does not.
 */
function readFeedForward(fields: Fields): T5Config['feedForward'] {
  const projection = fields.string('feed_forward_proj', 'relu');
  const gated = projection.startsWith('gated-');
  const name = projection === 'gated-gelu' ? 'gelu_new' : gated ? projection.slice('gated-'.length) : projection;
  if (!Object.hasOwn(ACTIVATIONS, name)) {
    const known = Object.keys(ACTIVATIONS).join(', ');
    fields.wrong(RangeError, 'feed_forward_proj', `one of ${known}, or one of them after "gated-"`, projection);
  }
  const activation = ACTIVATIONS[name]!;
  // transformers writes what it made of `feed_forward_proj` beside it, and lets an edited one win: two answers are
  // none.
  const written = fields.string('dense_act_fn', name);
  if (ACTIVATIONS[written] !== activation) {
    fields.wrong(RangeError, 'dense_act_fn', `"${name}", as "feed_forward_proj" says`, written);
  }
  if (fields.boolean('is_gated_act', gated) !== gated) {
    fields.wrong(RangeError, 'is_gated_act', `${gated}, as "feed_forward_proj" says`, !gated);
  }
  return { gated, activation };
}
