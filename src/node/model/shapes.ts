/**
 * The shapes that are measured, as the models' `config.json` on Hugging Face have them, and little-flan of models/.
 * What a family's shapes share stands once.
 */
import type { T5Config } from '../../model/checkpoint/config.ts';
import { familyOf } from '../../model/families/checkpoint.ts';
import { type FamilyName, type ModelConfig, parseConfig } from '../../model/families/registry.ts';

type Json = Record<string, unknown>;

const flan: Json = {
  vocab_size: 32128,
  d_kv: 64,
  relative_attention_num_buckets: 32,
  relative_attention_max_distance: 128,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
};

const llama: Json = { model_type: 'llama', rms_norm_eps: 1e-5, tie_word_embeddings: false };

const configs: Record<string, Json> = {
  'little-flan': { ...flan, vocab_size: 1200, d_model: 256, d_kv: 32, d_ff: 512, num_layers: 3, num_heads: 4 },
  'flan-t5-small': { ...flan, d_model: 512, d_ff: 1024, num_layers: 8, num_heads: 6 },
  'flan-t5-base': { ...flan, d_model: 768, d_ff: 2048, num_layers: 12, num_heads: 12 },
  'flan-t5-large': { ...flan, d_model: 1024, d_ff: 2816, num_layers: 24, num_heads: 16 },
  'flan-t5-xl': { ...flan, d_model: 2048, d_ff: 5120, num_layers: 24, num_heads: 32 },
  'smollm2-135m': {
    ...llama,
    vocab_size: 49_152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    max_position_embeddings: 8192,
    rope_theta: 100_000,
    tie_word_embeddings: true,
  },
  'gemma3-270m': {
    model_type: 'gemma3_text',
    vocab_size: 262_144,
    hidden_size: 640,
    intermediate_size: 2048,
    num_hidden_layers: 18,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 256,
    query_pre_attn_scalar: 256,
    sliding_window: 512,
    max_position_embeddings: 32_768,
  },
  'tinyllama-1.1b': {
    ...llama,
    vocab_size: 32_000,
    hidden_size: 2048,
    intermediate_size: 5632,
    num_hidden_layers: 22,
    num_attention_heads: 32,
    num_key_value_heads: 4,
    max_position_embeddings: 2048,
  },
  'llama-7b': {
    ...llama,
    vocab_size: 32_000,
    hidden_size: 4096,
    intermediate_size: 11_008,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    max_position_embeddings: 4096,
  },
  'llama-8b': {
    ...llama,
    vocab_size: 128_256,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    max_position_embeddings: 8192,
    rope_theta: 500_000,
    bos_token_id: 128_000,
    eos_token_id: 128_001,
  },
};

export const shapeNames = Object.keys(configs);

export interface Shape {
  name: string;
  family: FamilyName | undefined;
  /** `config.json` */
  json: Json;
  config: ModelConfig;
}

export interface T5Named extends Shape {
  config: T5Config;
}

function shapeOf(name: string, json: Json): Shape {
  const family = familyOf(json);
  return { name, family, json, config: parseConfig(family, json, name) };
}

const unknown = (names: readonly string[], got: string): RangeError =>
  new RangeError(`--shape: expected one of ${names.join(', ')}, got ${got}`);

/** @throws RangeError for a name that is not in the table */
export function shapeNamed(name: string): Shape {
  const json = Object.hasOwn(configs, name) ? configs[name] : undefined;
  if (!json) throw unknown(shapeNames, name);
  return shapeOf(name, json);
}

const isT5 = (shape: Shape): shape is T5Named => shape.family === undefined;

/** Names of what has an encoder. */
export const t5ShapeNames = shapeNames.filter((name) => isT5(shapeNamed(name)));

/** A shape for what is measured of T5 alone. @throws RangeError for any other name */
export function t5ShapeNamed(name: string): T5Named {
  const shape = shapeNamed(name);
  if (!isT5(shape)) throw unknown(t5ShapeNames, name);
  return shape;
}

/** Layers of a stack: of an encoder there are as many as of the decoder. */
export const layersOf = ({ config }: Shape): number =>
  'layers' in config ? config.layers.length : config.numDecoderLayers;

/** The same shape with so many layers. */
export function withLayers({ name, json }: Shape, layers: number): Shape {
  const { num_layers: _, num_decoder_layers: __, num_hidden_layers: ___, ...rest } = json;
  const counts = familyOf(json) === undefined ? { num_layers: layers } : { num_hidden_layers: layers };
  return shapeOf(`${name}, ${layers} layers`, { ...rest, ...counts });
}

/**
 * Multiply-adds with weights: of a decode step, and of each prompt token in the encoder and the cross keys and values.
 * Attention's own are not counted.
 */
export function macsOf({ config }: T5Named): { step: number; promptToken: number } {
  const { dModel: D, dFf: F, vocabularySize: V, numLayers, numDecoderLayers } = config;
  const projection = D * config.numHeads * config.dKv;
  const feedForward = (config.feedForward.gated ? 3 : 2) * D * F;
  return {
    step: numDecoderLayers * (6 * projection + feedForward) + V * D,
    promptToken: numLayers * (4 * projection + feedForward) + numDecoderLayers * 2 * projection,
  };
}
