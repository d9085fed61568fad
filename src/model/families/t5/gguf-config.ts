// A T5's configuration from the metadata of a GGUF file. Not its tokenizer.
// Source: ggml, `docs/gguf.md` and gguf-py `constants.py` (keys); llama.cpp, `llama-model.cpp` (what files leave out:
// the activation, the largest distance).
import { parseT5Config, type T5Config } from '../../checkpoint/config.ts';
import type { MetadataValue } from '../../checkpoint/gguf.ts';
import { Fields } from '../../json/json.ts';

export const T5_ARCHITECTURE = 't5';
/** The first block's gate: a T5 has one in each block, or in none. */
const GATE = 'enc.blk.0.ffn_gate.weight';

interface GgufT5 {
  config: T5Config;
  /** The configuration as `config.json` would have it, for a pack's head. */
  json: object;
}

/**
 * @param hasTensor whether the file has a tensor of that name @param tiedHead whether its head is the embedding
 * @throws Error, TypeError, RangeError naming the key, what was expected and what is there
 */
export function parseGgufT5(
  metadata: ReadonlyMap<string, MetadataValue>,
  hasTensor: (name: string) => boolean,
  tiedHead: boolean,
  where = 'model.gguf',
): GgufT5 {
  const all = new Fields(where, Object.fromEntries(metadata));
  const key = (name: string): string => `${T5_ARCHITECTURE}.${name}`;
  const size = (name: string, min = 1): number => all.integer(key(name), min, 1 << 17);
  const layers = all.integer(key('block_count'), 1, 1 << 10);
  const epsilon = ['layer_norm_rms_epsilon', 'layer_norm_epsilon'].map((name) => key(`attention.${name}`));
  const tokens = all.get('tokenizer.ggml.tokens');
  const vocabulary = Array.isArray(tokens) ? tokens.length : all.integer(key('vocab_size'), 1, 1 << 22);
  const id = (name: string): number | undefined =>
    all.get(name) === undefined ? undefined : all.integer(name, 0, vocabulary - 1);
  const json = {
    model_type: 't5',
    vocab_size: vocabulary,
    d_model: size('embedding_length'),
    d_kv: size('attention.key_length'),
    d_ff: size('feed_forward_length'),
    num_layers: layers,
    num_decoder_layers: all.integer(key('decoder_block_count'), 1, 1 << 10, layers),
    num_heads: size('attention.head_count'),
    relative_attention_num_buckets: size('attention.relative_buckets_count', 4),
    layer_norm_epsilon: all.number(epsilon.find((name) => all.get(name) !== undefined) ?? epsilon[0]!, 0, 1),
    feed_forward_proj: hasTensor(GATE) ? 'gated-gelu' : 'relu',
    tie_word_embeddings: tiedHead,
    decoder_start_token_id: id(key('decoder_start_token_id')),
    bos_token_id: id('tokenizer.ggml.bos_token_id'),
    eos_token_id: id('tokenizer.ggml.eos_token_id'),
    pad_token_id: id('tokenizer.ggml.padding_token_id'),
  };
  const given = Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));
  return { config: parseT5Config(given, where), json: given };
}
