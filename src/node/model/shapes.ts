/**
 * The shapes that are measured, as the models' `config.json` on Hugging Face have them:
 * google/flan-t5-small, -base, -large, -xl, and little-flan of models/. What the families share stands once.
 */
import { parseT5Config, type T5Config } from '../../model/checkpoint/config.ts';

const flan = {
  vocab_size: 32128,
  d_kv: 64,
  relative_attention_num_buckets: 32,
  relative_attention_max_distance: 128,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
};

const configs: Record<string, Record<string, unknown>> = {
  'little-flan': { ...flan, vocab_size: 1200, d_model: 256, d_kv: 32, d_ff: 512, num_layers: 3, num_heads: 4 },
  'flan-t5-small': { ...flan, d_model: 512, d_ff: 1024, num_layers: 8, num_heads: 6 },
  'flan-t5-base': { ...flan, d_model: 768, d_ff: 2048, num_layers: 12, num_heads: 12 },
  'flan-t5-large': { ...flan, d_model: 1024, d_ff: 2816, num_layers: 24, num_heads: 16 },
  'flan-t5-xl': { ...flan, d_model: 2048, d_ff: 5120, num_layers: 24, num_heads: 32 },
};

export const shapeNames = Object.keys(configs);

export interface Shape {
  name: string;
  /** `config.json` */
  json: unknown;
  config: T5Config;
}

/** @throws RangeError for a name that is not in the table */
export function shapeNamed(name: string): Shape {
  const json = configs[name];
  if (!json) throw new RangeError(`--shape: expected one of ${shapeNames.join(', ')}, got ${name}`);
  return { name, json, config: parseT5Config(json, name) };
}

/**
 * Multiply-adds with weights: of a decode step, and of each prompt token in the encoder and the cross keys and values.
 * Attention's own are not counted.
 */
export function macsOf({ config }: Shape): { step: number; promptToken: number } {
  const { dModel: D, dFf: F, vocabularySize: V, numLayers, numDecoderLayers } = config;
  const projection = D * config.numHeads * config.dKv;
  const feedForward = (config.feedForward.gated ? 3 : 2) * D * F;
  return {
    step: numDecoderLayers * (6 * projection + feedForward) + V * D,
    promptToken: numLayers * (4 * projection + feedForward) + numDecoderLayers * 2 * projection,
  };
}
