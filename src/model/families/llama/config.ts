// The sizes and choices that make one decoder-only model of the Llama block: what `config.json` says, checked, in the
// form of transformers 4 and of transformers 5. Not the weights, and not how to generate.
// Source: Hugging Face transformers, models/{llama,mistral,qwen2,qwen3,gemma3}/configuration_*.py and
// modeling_rope_utils.py (names, defaults).
import { Fields } from '../../json/json.ts';
import { type Rope, readRope } from './rope.ts';

/** The models that are built from the block, by `model_type`. */
export const MODEL_TYPES = ['llama', 'mistral', 'qwen2', 'qwen3', 'gemma3_text'] as const;
export type ModelType = (typeof MODEL_TYPES)[number];

/** What a layer's attention sees. */
export interface LayerAttention {
  /** How many positions up to its own a row sees; 0 for all. */
  window: number;
  rope: Rope;
}

/**
 * A model's configuration. Dimension letters: D `hiddenSize`, H `numHeads`, G `numKvHeads` (heads of keys and values,
 * each shared by H / G queries), K `headDim`, F `intermediateSize`, V `vocabularySize`, L the layers. H * K need not be
 * D.
 */
export interface LlamaConfig {
  modelType: ModelType;
  /** V: rows of the embedding and of the head. */
  vocabularySize: number;
  /** D */
  hiddenSize: number;
  /** F */
  intermediateSize: number;
  /** H */
  numHeads: number;
  /** G */
  numKvHeads: number;
  /** K */
  headDim: number;
  /** The longest context that the model was made for, in tokens. */
  contextLength: number;
  rmsNormEpsilon: number;
  /** The feed-forward is `down(activation(gate(x)) * up(x))`. `gelu_new` is the tanh form. */
  activation: 'silu' | 'gelu_new';
  /** Biases of the linear layers q, k and v; of o. */
  bias: { qkv: boolean; o: boolean };
  /** A norm of each head's query and key before the rotation. */
  qkNorm: boolean;
  /** Norms of what attention and feed-forward give, before it is added: Gemma's. */
  postNorms: boolean;
  /** A norm multiplies by 1 + w in place of w: Gemma's. */
  normAddsOne: boolean;
  /** The embedding is multiplied by this. */
  embeddingScale: number;
  /** Scores of attention are multiplied by this. */
  attentionScale: number;
  /** The head is the embedding. */
  tieWordEmbeddings: boolean;
  /** One for each layer. */
  layers: LayerAttention[];
  /** Generation stops at any of these; may be empty. */
  eosTokenIds: number[];
  bosTokenId?: number;
}

/** Defaults of transformers where a file is silent. */
interface Defaults {
  vocab_size: number;
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  /** As many as heads where undefined. */
  num_key_value_heads?: number;
  /** D / H where undefined. */
  head_dim?: number;
  max_position_embeddings: number;
  sliding_window?: number;
  rope_theta: number;
  bos?: number;
  eos?: number;
}

const DEFAULTS: Record<ModelType, Defaults> = {
  llama: {
    vocab_size: 32_000,
    hidden_size: 4096,
    intermediate_size: 11_008,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    max_position_embeddings: 2048,
    rope_theta: 10_000,
    bos: 1,
    eos: 2,
  },
  mistral: {
    vocab_size: 32_000,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    max_position_embeddings: 131_072,
    sliding_window: 4096,
    rope_theta: 10_000,
    bos: 1,
    eos: 2,
  },
  qwen2: {
    vocab_size: 151_936,
    hidden_size: 4096,
    intermediate_size: 22_016,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 32,
    max_position_embeddings: 32_768,
    sliding_window: 4096,
    rope_theta: 10_000,
  },
  qwen3: {
    vocab_size: 151_936,
    hidden_size: 4096,
    intermediate_size: 22_016,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 32,
    head_dim: 128,
    max_position_embeddings: 32_768,
    sliding_window: 4096,
    rope_theta: 10_000,
  },
  gemma3_text: {
    vocab_size: 262_208,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 26,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 131_072,
    sliding_window: 4096,
    rope_theta: 1_000_000,
    bos: 2,
    eos: 1,
  },
};

/** transformers' names of activations, and which of ours computes the same. */
const ACTIVATIONS: Record<string, LlamaConfig['activation']> = {
  silu: 'silu',
  swish: 'silu',
  gelu_pytorch_tanh: 'gelu_new',
  gelu_new: 'gelu_new',
  gelu_fast: 'gelu_new',
};

/** Bounds far above any model there is: they keep a file that lies from asking for memory without end. */
const MAX_SIZE = 1 << 17;
const MAX_LAYERS = 1 << 10;
const MAX_VOCABULARY = 1 << 22;
const MAX_CONTEXT = 1 << 24;

/** Fields that would change what is computed and are not built, with the values at which each changes nothing. */
const NOT_BUILT: Record<string, readonly unknown[]> = {
  attn_logit_softcapping: [undefined],
  final_logit_softcapping: [undefined],
  mlp_bias: [undefined, false],
  use_bidirectional_attention: [undefined, false],
  partial_rotary_factor: [undefined, 1],
  quantization_config: [undefined],
};

/** Whether a `config.json` is of this family. */
export const isLlamaType = (modelType: unknown): modelType is ModelType =>
  (MODEL_TYPES as readonly unknown[]).includes(modelType);

/**
 * The configuration from the parsed JSON. Absent fields have transformers' defaults.
 * @throws Error, TypeError or RangeError naming the field, what was expected and what is there
 */
export function parseLlamaConfig(json: unknown, where = 'config.json'): LlamaConfig {
  const fields = new Fields(where, json);
  const modelType = fields.string('model_type');
  if (!isLlamaType(modelType)) return fields.wrong(Error, 'model_type', `one of ${MODEL_TYPES.join(', ')}`, modelType);
  for (const [name, harmless] of Object.entries(NOT_BUILT)) {
    const value = fields.get(name);
    if (!harmless.includes(value)) fields.wrong(Error, name, 'absent, as it is not built in', value);
  }
  const defaults = DEFAULTS[modelType];
  const isGemma = modelType === 'gemma3_text';
  const vocabularySize = fields.integer('vocab_size', 1, MAX_VOCABULARY, defaults.vocab_size);
  const sizes = readSizes(fields, defaults);
  const { hiddenSize, headDim } = sizes;
  const hasBias = fields.boolean('attention_bias', false);
  const token = (name: string, fallback?: number): number | undefined =>
    fields.get(name) === undefined && fallback === undefined
      ? undefined
      : fields.integer(name, 0, vocabularySize - 1, fallback);
  return {
    modelType,
    vocabularySize,
    ...sizes,
    contextLength: fields.integer('max_position_embeddings', 1, MAX_CONTEXT, defaults.max_position_embeddings),
    rmsNormEpsilon: fields.number('rms_norm_eps', 0, 1, 1e-6),
    activation: readActivation(fields, isGemma),
    bias: { qkv: modelType === 'qwen2' || hasBias, o: modelType !== 'qwen2' && hasBias },
    qkNorm: modelType === 'qwen3' || isGemma,
    postNorms: isGemma,
    normAddsOne: isGemma,
    embeddingScale: isGemma ? Math.sqrt(hiddenSize) : 1,
    attentionScale: (isGemma ? fields.number('query_pre_attn_scalar', 1e-6, 1e9, 256) : headDim) ** -0.5,
    tieWordEmbeddings: fields.boolean('tie_word_embeddings', isGemma),
    layers: readLayers(fields, modelType),
    eosTokenIds: fields.integers(
      'eos_token_id',
      0,
      vocabularySize - 1,
      defaults.eos === undefined ? [] : [defaults.eos],
    ),
    bosTokenId: token('bos_token_id', defaults.bos),
  };
}

type Sizes = Pick<LlamaConfig, 'hiddenSize' | 'intermediateSize' | 'numHeads' | 'numKvHeads' | 'headDim'>;

function readSizes(fields: Fields, defaults: Defaults): Sizes {
  const hiddenSize = fields.integer('hidden_size', 1, MAX_SIZE, defaults.hidden_size);
  const numHeads = fields.integer('num_attention_heads', 1, MAX_SIZE, defaults.num_attention_heads);
  const numKvHeads = fields.integer('num_key_value_heads', 1, MAX_SIZE, defaults.num_key_value_heads ?? numHeads);
  if (numHeads % numKvHeads !== 0) {
    fields.wrong(RangeError, 'num_key_value_heads', `a divisor of the ${numHeads} heads`, numKvHeads);
  }
  const headDim = fields.integer('head_dim', 2, MAX_SIZE, defaults.head_dim ?? Math.floor(hiddenSize / numHeads));
  if (headDim % 2 !== 0) fields.wrong(RangeError, 'head_dim', 'even, since columns are rotated in pairs', headDim);
  const intermediateSize = fields.integer('intermediate_size', 1, MAX_SIZE, defaults.intermediate_size);
  return { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim };
}

function readActivation(fields: Fields, isGemma: boolean): LlamaConfig['activation'] {
  const name = isGemma ? 'hidden_activation' : 'hidden_act';
  const value = fields.string(name, isGemma ? 'gelu_pytorch_tanh' : 'silu');
  if (!Object.hasOwn(ACTIVATIONS, value)) {
    fields.wrong(RangeError, name, `one of ${Object.keys(ACTIVATIONS).join(', ')}`, value);
  }
  return ACTIVATIONS[value]!;
}

const SLIDING = 'sliding_attention';
const FULL = 'full_attention';

function readLayers(fields: Fields, modelType: ModelType): LayerAttention[] {
  const defaults = DEFAULTS[modelType];
  const count = fields.integer('num_hidden_layers', 1, MAX_LAYERS, defaults.num_hidden_layers);
  const types = layerTypes(fields, modelType, count);
  const windowOf = (): number => fields.integer('sliding_window', 1, MAX_CONTEXT, defaults.sliding_window);
  const ropes = new Map<string, Rope>();
  return types.map((type) => {
    const isSliding = type === SLIDING;
    if (!ropes.has(type)) {
      // Gemma's local layers have a base of their own and are never scaled
      const local = modelType === 'gemma3_text' && isSliding;
      ropes.set(type, readRope(fields, { type, local, theta: local ? 10_000 : defaults.rope_theta }));
    }
    return { window: isSliding ? windowOf() : 0, rope: ropes.get(type)! };
  });
}

/** Which layers see a window only: the list of transformers 5, or what made it in transformers 4. */
function layerTypes(fields: Fields, modelType: ModelType, count: number): string[] {
  const given = fields.get('layer_types');
  // older files of Llama and Mistral have none, and what stands there in newer ones is the rule all the same
  if (given !== undefined && modelType !== 'llama' && modelType !== 'mistral') {
    const isList = Array.isArray(given) && given.every((type) => type === SLIDING || type === FULL);
    if (!isList || given.length !== count) {
      fields.wrong(TypeError, 'layer_types', `a list of ${count} times "${SLIDING}" or "${FULL}"`, given);
    }
    return given as string[];
  }
  const all = (type: string): string[] => Array.from({ length: count }, () => type);
  if (modelType === 'llama') return all(FULL);
  if (modelType === 'mistral') {
    // a null that is written says that there is no window; a file that is silent has the default's
    const isOff = fields.isNull('sliding_window');
    return all(isOff ? FULL : SLIDING);
  }
  if (modelType === 'gemma3_text') {
    const written = fields.get('sliding_window_pattern') === undefined ? '_sliding_window_pattern' : undefined;
    const pattern = fields.integer(written ?? 'sliding_window_pattern', 1, MAX_LAYERS, 6);
    return all(FULL).map((type, i) => ((i + 1) % pattern === 0 ? type : SLIDING));
  }
  if (!fields.boolean('use_sliding_window', false) || fields.isNull('sliding_window')) return all(FULL);
  const firstSliding = fields.integer('max_window_layers', 0, MAX_LAYERS, 28);
  return all(FULL).map((type, i) => (i >= firstSliding ? SLIDING : type));
}
