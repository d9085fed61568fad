// A model's configuration from the metadata of a GGUF file. Not its tokenizer and not its template.
// Source: ggml, `docs/gguf.md` (keys); llama.cpp, `convert_hf_to_gguf.py` and `llama-model.cpp` (defaults, Gemma's
// layers, norms that have their 1 already).
import type { MetadataValue } from '../../checkpoint/gguf.ts';
import { Fields } from '../../json/json.ts';
import { type LlamaConfig, type ModelType, parseLlamaConfig } from './config.ts';

/** The architectures that are read, and the `model_type` of each. */
const MODEL_TYPE: Record<string, ModelType> = {
  llama: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  gemma3: 'gemma3_text',
};

export const LLAMA_ARCHITECTURES: readonly string[] = Object.keys(MODEL_TYPE);

export const isLlamaArchitecture = (architecture: unknown): boolean =>
  typeof architecture === 'string' && Object.hasOwn(MODEL_TYPE, architecture);

interface GgufLlama {
  config: LlamaConfig;
  /** The configuration as `config.json` would have it, for a pack's head. */
  json: object;
  /** Whether the rows of q and k are in GGUF's order (tensors.ts: `unpermuteRows`). */
  permuted: boolean;
}

/**
 * @param hasTensor whether the file has a tensor of that name
 * @throws Error, TypeError, RangeError naming the key, what was expected and what is there
 */
export function parseGgufLlama(
  metadata: ReadonlyMap<string, MetadataValue>,
  hasTensor: (name: string) => boolean,
  where = 'model.gguf',
): GgufLlama {
  const all = new Fields(where, Object.fromEntries(metadata));
  const architecture = all.string('general.architecture');
  if (!isLlamaArchitecture(architecture)) {
    all.wrong(Error, 'general.architecture', `one of ${LLAMA_ARCHITECTURES.join(', ')}`, architecture);
  }
  const key = (name: string): string => `${architecture}.${name}`;
  const get = (name: string): unknown => all.get(key(name));
  if (get('expert_count'))
    all.wrong(Error, key('expert_count'), 'absent: mixtures of experts are not built in', get('expert_count'));
  const isGemma = architecture === 'gemma3';
  const tokens = all.get('tokenizer.ggml.tokens');
  const stops = ['eos', 'eot', 'eom'].map((name) => all.get(`tokenizer.ggml.${name}_token_id`));
  const json = {
    model_type: MODEL_TYPE[architecture],
    vocab_size: Array.isArray(tokens) ? tokens.length : (get('vocab_size') ?? undefined),
    hidden_size: all.integer(key('embedding_length'), 1, 1 << 17),
    intermediate_size: all.integer(key('feed_forward_length'), 1, 1 << 17),
    num_hidden_layers: all.integer(key('block_count'), 1, 1 << 10),
    num_attention_heads: all.integer(key('attention.head_count'), 1, 1 << 17),
    num_key_value_heads: get('attention.head_count_kv') ?? get('attention.head_count'),
    head_dim: get('attention.key_length') ?? get('rope.dimension_count'),
    max_position_embeddings: all.integer(key('context_length'), 1, 1 << 24),
    rms_norm_eps: all.number(key('attention.layer_norm_rms_epsilon'), 0, 1),
    tie_word_embeddings: !hasTensor('output.weight'),
    attention_bias: architecture === 'llama' && hasTensor('blk.0.attn_q.bias'),
    sliding_window: isGemma ? all.integer(key('attention.sliding_window'), 1, 1 << 24) : undefined,
    query_pre_attn_scalar: isGemma ? gemmaScalar(all, key) : undefined,
    bos_token_id: all.get('tokenizer.ggml.bos_token_id'),
    eos_token_id: [...new Set(stops.filter((id) => id !== undefined))],
    rope_theta: get('rope.freq_base') ?? 10_000,
    rope_local_base_freq: get('rope.freq_base_swa') ?? 10_000,
    rope_scaling: scalingOf(all, key),
  };
  const config = parseLlamaConfig(json, where);
  // what converted Gemma's norms has added the 1
  return { config: { ...config, normAddsOne: false }, json, permuted: architecture === 'llama' };
}

/** Files do not say it: it is the head's size, but for the largest model, where it is D / H. */
function gemmaScalar(all: Fields, key: (name: string) => string): number {
  const layers = all.integer(key('block_count'), 1, 1 << 10);
  const LARGEST = 62;
  if (layers !== LARGEST) return all.integer(key('attention.key_length'), 1, 1 << 17);
  return all.integer(key('embedding_length'), 1, 1 << 17) / all.integer(key('attention.head_count'), 1, 1 << 17);
}

/** Llama 3's scaling lies in a tensor, `rope_freqs.weight`: the metadata says nothing of it. */
function scalingOf(all: Fields, key: (name: string) => string): object | undefined {
  const kind = all.get(key('rope.scaling.type'));
  if (kind === undefined || kind === 'none') return undefined;
  return { rope_type: kind, factor: all.get(key('rope.scaling.factor')) };
}
