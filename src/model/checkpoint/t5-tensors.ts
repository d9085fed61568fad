// The tensors that a T5 of a configuration must have, and the check that a checkpoint has them and no others.
// Source: Hugging Face transformers, models/t5/modeling_t5.py (parameter names, ignored keys, tied weights).
import type { T5Config } from './config.ts';
import type { TensorInfo } from './safetensors.ts';

export interface T5Tensor {
  name: string;
  shape: number[];
}

export const EMBEDDING = 'shared.weight';
export const HEAD = 'lm_head.weight';
/** Other names under which the embedding is saved; all are one tensor. */
const EMBEDDING_COPIES = ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];
/** Saved by old versions and never used: cross-attention has no positions. */
const NEVER_USED = 'decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight';
/** What a checkpoint may have or not: the names of the one embedding, and what is never used. */
export const SPARE_TENSORS: ReadonlySet<string> = new Set([EMBEDDING, ...EMBEDDING_COPIES, NEVER_USED]);

/** Every tensor of the model but the head's, in the order of the layers. */
export function t5Tensors(config: T5Config): T5Tensor[] {
  const { vocabularySize: V, dModel: D, dFf: F, numHeads: H, relativeAttentionNumBuckets: B } = config;
  const inner = H * config.dKv;
  const tensors: T5Tensor[] = [{ name: EMBEDDING, shape: [V, D] }];
  const add = (name: string, ...shape: number[]) => tensors.push({ name: `${name}.weight`, shape });
  const attention = (name: string, hasBias: boolean) => {
    add(`${name}.q`, inner, D);
    add(`${name}.k`, inner, D);
    add(`${name}.v`, inner, D);
    add(`${name}.o`, D, inner);
    if (hasBias) add(`${name}.relative_attention_bias`, B, H);
  };
  const stack = (name: string, layers: number, isDecoder: boolean) => {
    for (let i = 0; i < layers; i++) {
      const layer = (j: number) => `${name}.block.${i}.layer.${j}`;
      const last = isDecoder ? 2 : 1;
      attention(`${layer(0)}.SelfAttention`, i === 0);
      add(`${layer(0)}.layer_norm`, D);
      if (isDecoder) {
        attention(`${layer(1)}.EncDecAttention`, false);
        add(`${layer(1)}.layer_norm`, D);
      }
      for (const wi of config.feedForward.gated ? ['wi_0', 'wi_1'] : ['wi']) {
        add(`${layer(last)}.DenseReluDense.${wi}`, F, D);
      }
      add(`${layer(last)}.DenseReluDense.wo`, D, F);
      add(`${layer(last)}.layer_norm`, D);
    }
    add(`${name}.final_layer_norm`, D);
  };
  stack('encoder', config.numLayers, false);
  stack('decoder', config.numDecoderLayers, true);
  return tensors;
}

/** Which tensor of a checkpoint is which of the model. */
export interface T5Match {
  /** Name in the checkpoint for each name of {@link t5Tensors}, and for the head if it has one of its own. */
  names: Map<string, string>;
  /** Whether the head is the embedding: the checkpoint has no `lm_head.weight`. */
  tiedHead: boolean;
  /** Names in the checkpoint of tensors that must equal the embedding, as they are saved copies of it. */
  copies: string[];
}

/** At most so many lines of what is wrong: a checkpoint of another model has hundreds. */
const MAX_PROBLEMS = 12;

/**
 * Matches a checkpoint's tensors with what the configuration asks for.
 * @throws Error that names what is missing, what is too many, and what has another shape or no floats.
 */
export function matchT5Tensors(config: T5Config, tensors: ReadonlyMap<string, TensorInfo>, where: string): T5Match {
  const problems: string[] = [];
  const names = new Map<string, string>();
  const used = new Set([NEVER_USED]);
  const check = (info: TensorInfo, shape: number[]) => {
    if (`${info.shape}` !== `${shape}`) problems.push(`${info.name}: expected shape [${shape}], got [${info.shape}]`);
    if (!['F32', 'F16', 'BF16'].includes(info.dtype)) {
      problems.push(`${info.name}: expected dtype F32, F16 or BF16, got ${info.dtype}`);
    }
    used.add(info.name);
  };

  const embeddings = [EMBEDDING, ...EMBEDDING_COPIES].filter((name) => tensors.has(name));
  const expected = t5Tensors(config);
  // A head of its own counts whatever the configuration says of tying, as in transformers: files of version 5 always say true.
  const tiedHead = !tensors.has(HEAD) && config.tieWordEmbeddings;
  if (!tiedHead) expected.push({ name: HEAD, shape: [config.vocabularySize, config.dModel] });
  for (const { name, shape } of expected) {
    const info = tensors.get(name === EMBEDDING ? (embeddings[0] ?? EMBEDDING) : name);
    if (info !== undefined) {
      names.set(name, info.name);
      check(info, shape);
    } else {
      const hint =
        name === EMBEDDING ? ` or ${EMBEDDING_COPIES[0]}` : name === HEAD ? ' (tie_word_embeddings is false)' : '';
      problems.push(`${name}${hint}: expected shape [${shape}], got no such tensor`);
    }
  }
  const copies = embeddings.slice(1);
  for (const name of copies) check(tensors.get(name)!, [config.vocabularySize, config.dModel]);
  for (const { name, shape } of tensors.values()) {
    if (!used.has(name)) problems.push(`${name}: expected no such tensor in this T5, got one of shape [${shape}]`);
  }
  if (problems.length > 0) {
    const more = problems.length > MAX_PROBLEMS ? [`… and ${problems.length - MAX_PROBLEMS} more`] : [];
    const lines = [...problems.slice(0, MAX_PROBLEMS), ...more].map((line) => `\n  ${line}`).join('');
    throw new Error(`${where}: expected the tensors that config.json asks for, got others:${lines}`);
  }
  return { names, tiedHead, copies };
}
