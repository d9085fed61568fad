/**
 * The table of a pack's tensors: what a T5's weights are called, how they are padded, and where they lie in the arena. A function of the
 * configuration alone, so a pack cannot lie about it. Order: as an answer reads them, since the first touch of a page costs (docs/design.md).
 */
import { inHeads, inOrder, type MatrixKind, type Placement, pad, weightBytes } from '../../tensor/layout.ts';
import type { T5Config } from '../checkpoint/config.ts';

/** How a pack holds its matrices, for people to choose; in an int4 pack some are int8 (matrixKind). */
export const WEIGHTS_KINDS = ['int4', 'int8', 'float32'] as const;
export type WeightsKind = (typeof WEIGHTS_KINDS)[number];

/** Longest prompt in tokens, `</s>` included; T5 has no limit of its own, its training had 512. */
export const MAX_SOURCE_LENGTH = 512;
/** Most tokens a generation may have. */
export const MAX_TARGET_LENGTH = 512;

/** What of the configuration decides the table. */
export interface PackShape {
  config: T5Config;
  weights: WeightsKind;
  /** The head is the embedding; the checkpoint has no `lm_head.weight`. */
  tiedHead: boolean;
}

export type PackTensor = { name: string; offset: number; bytes: number } & (
  | { kind: 'matrix'; weights: MatrixKind; rows: Placement; cols: Placement; sourceShape: [number, number] }
  | { kind: 'vector'; cols: Placement; sourceShape: [number] }
  | { kind: 'bias'; bidirectional: boolean; sourceShape: [number, number] }
);

/** Sizes as padded in the arena (layout.ts). */
export interface PaddedSizes {
  /** D */
  model: number;
  /** K, a head's */
  kv: number;
  /** H * K */
  inner: number;
  /** F */
  ff: number;
  /** V */
  vocabulary: number;
}

export function paddedSizes(config: T5Config): PaddedSizes {
  const kv = pad(config.dKv, 16);
  return {
    model: pad(config.dModel, 16),
    kv,
    inner: config.numHeads * kv,
    ff: pad(config.dFf, 16),
    vocabulary: pad(config.vocabularySize, 16),
  };
}

/** Biases are stored for all distances that occur, so that attention need not ask which bucket a distance falls in. */
export const BIAS_REACH = Math.max(MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH);

/** Names of the feed-forward matrices that read the model's width. */
export const feedForwardInputs = (config: T5Config): string[] => (config.feedForward.gated ? ['wi_0', 'wi_1'] : ['wi']);

/**
 * The embedding stays int8 beside int4 weights: a token reads one row of it, so that it costs nothing but room, and all else is made of it (docs/quantisation.md).
 */
export const matrixKind = (weights: WeightsKind, name: string): MatrixKind =>
  weights === 'int4' && name === 'shared.weight' ? 'int8' : weights;

export function packTensors({ config, weights, tiedHead }: PackShape): PackTensor[] {
  const { dModel: D, dFf: F, vocabularySize: V, numHeads: H, dKv: K } = config;
  const model = inOrder(D);
  const ff = inOrder(F);
  const inner = inHeads(H, K);
  const vocabulary = inOrder(V);
  const tensors: PackTensor[] = [];
  let offset = 0;

  const add = (tensor: Omit<PackTensor, 'offset' | 'bytes'>, bytes: number): void => {
    tensors.push({ ...tensor, offset, bytes } as PackTensor);
    offset += pad(bytes, 16);
  };
  const matrix = (name: string, rows: Placement, cols: Placement, sourceShape: [number, number]): void => {
    const held = matrixKind(weights, name);
    add(
      { kind: 'matrix', weights: held, name, rows, cols, sourceShape } as PackTensor,
      weightBytes(held, rows.length, cols.length),
    );
  };
  const norm = (name: string): void =>
    add({ kind: 'vector', name, cols: model, sourceShape: [D] } as PackTensor, model.length * 4);
  const bias = (stack: string, bidirectional: boolean): void =>
    add(
      {
        kind: 'bias',
        name: `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
        bidirectional,
        sourceShape: [config.relativeAttentionNumBuckets, H],
      } as PackTensor,
      H * (2 * BIAS_REACH + 1) * 4,
    );
  const intoHeads = (name: string): void => matrix(`${name}.weight`, inner, model, [H * K, D]);
  const outOfHeads = (name: string): void => matrix(`${name}.weight`, model, inner, [D, H * K]);
  const feedForward = (layer: string): void => {
    norm(`${layer}.layer_norm.weight`);
    for (const wi of feedForwardInputs(config)) matrix(`${layer}.DenseReluDense.${wi}.weight`, ff, model, [F, D]);
    matrix(`${layer}.DenseReluDense.wo.weight`, model, ff, [D, F]);
  };
  const selfAttention = (layer: string): void => {
    norm(`${layer}.layer_norm.weight`);
    for (const part of ['q', 'k', 'v']) intoHeads(`${layer}.SelfAttention.${part}`);
    outOfHeads(`${layer}.SelfAttention.o`);
  };

  matrix('shared.weight', vocabulary, model, [V, D]);
  bias('encoder', true);
  for (let l = 0; l < config.numLayers; l++) {
    selfAttention(`encoder.block.${l}.layer.0`);
    feedForward(`encoder.block.${l}.layer.1`);
  }
  norm('encoder.final_layer_norm.weight');
  for (let l = 0; l < config.numDecoderLayers; l++) {
    for (const part of ['k', 'v']) intoHeads(`decoder.block.${l}.layer.1.EncDecAttention.${part}`);
  }
  bias('decoder', false);
  for (let l = 0; l < config.numDecoderLayers; l++) {
    selfAttention(`decoder.block.${l}.layer.0`);
    norm(`decoder.block.${l}.layer.1.layer_norm.weight`);
    intoHeads(`decoder.block.${l}.layer.1.EncDecAttention.q`);
    outOfHeads(`decoder.block.${l}.layer.1.EncDecAttention.o`);
    feedForward(`decoder.block.${l}.layer.2`);
  }
  norm('decoder.final_layer_norm.weight');
  if (!tiedHead) matrix('lm_head.weight', vocabulary, model, [V, D]);
  return tensors;
}

/** Bytes of the arena that the weights take. */
export function packWeightsBytes(tensors: readonly PackTensor[]): number {
  const last = tensors[tensors.length - 1]!;
  return pad(last.offset + last.bytes, 16);
}
