/**
 * A T5's tensors, each once: its name in a Hugging Face checkpoint and in a GGUF file, its shape there, and how the
 * arena holds it. Checks of checkpoints, packs and programs follow from this table. Order: as an answer reads them,
 * since the first touch of a page costs (docs/design.md). Source: transformers, models/t5/modeling_t5.py; ggml, gguf-py
 * `tensor_mapping.py`.
 */
import { inHeads, inOrder, type Placement, pad } from '../../../tensor/layout.ts';
import type { T5Config } from '../../checkpoint/config.ts';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../../limits.ts';
import { isFirst, isWithin, type LayerRange, rangeOf, type StageOf } from '../../stages/stage-plan.ts';
import { keptOnce, layOut, type TensorSpec, type WeightsKind } from '../../tensor-table.ts';
import { biasByDistance } from './relative-position.ts';

export const EMBEDDING = 'shared.weight';
export const HEAD = 'lm_head.weight';

/** Sizes as padded in the arena (tensor/layout.ts). */
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

/** The bias is held for all distances that occur. */
export const BIAS_REACH = Math.max(MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH);

/** What of a model decides its tensors and programs. */
export interface T5Shape {
  /** T5 goes without, as its packs always did. */
  family?: undefined;
  config: T5Config;
  weights: WeightsKind;
  /** The head is the embedding; the checkpoint has no `lm_head.weight`. */
  tiedHead: boolean;
  /** Where only some of the layers are here. */
  stage?: StageOf | undefined;
}

/** The layers of a stack that are here. */
export const blocksHere = ({ config, stage }: T5Shape, stack: 'encoder' | 'decoder'): LayerRange =>
  stack === 'encoder'
    ? rangeOf(stage, 'encoderLayers', config.numLayers)
    : rangeOf(stage, 'layers', config.numDecoderLayers);

/**
 * Layers that are loaded together: a block of either stack, and apart from the decoder's what makes keys and values of
 * a prompt.
 */
export const blockName = (stack: 'encoder' | 'decoder', layer: number): string => `${stack}.block.${layer}`;
export const crossKeysName = (layer: number): string => `${blockName('decoder', layer)}.cross`;

/** The layer that a tensor is of. The bias by distance is all layers'. */
export function layerOf(tensor: string): string | undefined {
  if (tensor.includes('relative_attention_bias')) return undefined;
  const block = /^(?:en|de)coder\.block\.\d+/.exec(tensor)?.[0];
  return block && /EncDecAttention\.[kv]\./.test(tensor) ? `${block}.cross` : block;
}

/** A pack's tensors, with their places. */
export const packTensors = keptOnce((shape: T5Shape) => {
  const { config, weights, tiedHead, stage } = shape;
  const all = tiedHead ? t5Tensors(config) : [...t5Tensors(config), headTensor(config)];
  return layOut(stage ? all.filter(({ name }) => isHere(shape, name)) : all, weights);
});

/** Whether a tensor of a checkpoint is one of the stage's; the bias by distance is every stage's. */
function isHere(shape: T5Shape, tensor: string): boolean {
  const layer = layerOf(tensor);
  if (layer === undefined) return isFirst(shape.stage) || tensor.includes('relative_attention_bias');
  const [stack, , l] = layer.split('.');
  return isWithin(blocksHere(shape, stack as 'encoder' | 'decoder'), Number(l));
}

/** Names of the feed-forward matrices that read the model's width. */
export const feedForwardInputs = (config: T5Config): string[] => (config.feedForward.gated ? ['wi_0', 'wi_1'] : ['wi']);

/** Every tensor but the head. */
export function t5Tensors(config: T5Config): TensorSpec[] {
  const table = new Table(config);
  // a token reads one row of the embedding, so that int8 costs nothing but room, and all else is made of it
  // (docs/quantisation.md)
  table.matrix(EMBEDDING, 'token_embd.weight', 'vocabulary', 'model', 'int8');
  table.bias('encoder', 'enc');
  for (let l = 0; l < config.numLayers; l++) {
    table.selfAttention(`encoder.block.${l}.layer.0`, `enc.blk.${l}`);
    table.feedForward(`encoder.block.${l}.layer.1`, `enc.blk.${l}`);
  }
  table.norm('encoder.final_layer_norm', 'enc.output_norm');
  for (let l = 0; l < config.numDecoderLayers; l++) table.crossKeys(l);
  table.bias('decoder', 'dec');
  for (let l = 0; l < config.numDecoderLayers; l++) {
    table.selfAttention(`decoder.block.${l}.layer.0`, `dec.blk.${l}`);
    table.crossAttention(l);
    table.feedForward(`decoder.block.${l}.layer.2`, `dec.blk.${l}`);
  }
  table.norm('decoder.final_layer_norm', 'dec.output_norm');
  return table.tensors;
}

/** The head, where it is not the embedding. */
export function headTensor(config: T5Config): TensorSpec {
  const table = new Table(config);
  table.matrix(HEAD, 'output.weight', 'vocabulary', 'model');
  return table.tensors[0]!;
}

type Axis = 'model' | 'inner' | 'ff' | 'vocabulary';

/** The table in the making. */
class Table {
  readonly tensors: TensorSpec[] = [];
  private readonly config: T5Config;
  private readonly axes: Record<Axis, { size: number; placement: Placement }>;

  constructor(config: T5Config) {
    const { dModel, numHeads, dKv, dFf, vocabularySize } = config;
    const plain = (size: number) => ({ size, placement: inOrder(size) });
    this.config = config;
    this.axes = {
      model: plain(dModel),
      inner: { size: numHeads * dKv, placement: inHeads(numHeads, dKv) },
      ff: plain(dFf),
      vocabulary: plain(vocabularySize),
    };
  }

  matrix(name: string, gguf: string, outputs: Axis, inputs: Axis, besideInt4?: 'int8'): void {
    const { [outputs]: rows, [inputs]: cols } = this.axes;
    const layout = { kind: 'matrix' as const, rows: rows.placement, cols: cols.placement, besideInt4 };
    this.tensors.push({ name, gguf, shape: [rows.size, cols.size], layout });
  }

  norm(name: string, gguf: string): void {
    const { size, placement } = this.axes.model;
    const layout = { kind: 'vector' as const, cols: placement };
    this.tensors.push({ name: `${name}.weight`, gguf: `${gguf}.weight`, shape: [size], layout });
  }

  /** By distance, so that attention need not ask which bucket a distance falls in. */
  bias(stack: 'encoder' | 'decoder', gguf: string): void {
    const { relativeAttentionNumBuckets: buckets, relativeAttentionMaxDistance: maxDistance, numHeads } = this.config;
    const shape = { buckets, maxDistance, bidirectional: stack === 'encoder' };
    this.tensors.push({
      name: `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
      gguf: `${gguf}.blk.0.attn_rel_b.weight`,
      shape: [buckets, numHeads],
      layout: {
        kind: 'made',
        bytes: numHeads * (2 * BIAS_REACH + 1) * 4,
        make: (source) => biasByDistance(source, numHeads, BIAS_REACH, shape),
      },
    });
  }

  selfAttention(layer: string, gguf: string): void {
    this.norm(`${layer}.layer_norm`, `${gguf}.attn_norm`);
    for (const part of ['q', 'k', 'v'])
      this.matrix(`${layer}.SelfAttention.${part}.weight`, `${gguf}.attn_${part}.weight`, 'inner', 'model');
    this.matrix(`${layer}.SelfAttention.o.weight`, `${gguf}.attn_o.weight`, 'model', 'inner');
  }

  /** Keys and values of the prompt: all layers' are made at once, before the first token. */
  crossKeys(l: number): void {
    for (const part of ['k', 'v']) {
      const name = `decoder.block.${l}.layer.1.EncDecAttention.${part}.weight`;
      this.matrix(name, `dec.blk.${l}.cross_attn_${part}.weight`, 'inner', 'model');
    }
  }

  crossAttention(l: number): void {
    const [layer, gguf] = [`decoder.block.${l}.layer.1`, `dec.blk.${l}.cross_attn`];
    this.norm(`${layer}.layer_norm`, `${gguf}_norm`);
    this.matrix(`${layer}.EncDecAttention.q.weight`, `${gguf}_q.weight`, 'inner', 'model');
    this.matrix(`${layer}.EncDecAttention.o.weight`, `${gguf}_o.weight`, 'model', 'inner');
  }

  feedForward(layer: string, gguf: string): void {
    const inputs = feedForwardInputs(this.config);
    this.norm(`${layer}.layer_norm`, `${gguf}.ffn_norm`);
    for (const [i, wi] of inputs.entries()) {
      // the first of two is the gate
      const part = inputs.length === 2 && i === 0 ? 'ffn_gate' : 'ffn_up';
      this.matrix(`${layer}.DenseReluDense.${wi}.weight`, `${gguf}.${part}.weight`, 'ff', 'model');
    }
    this.matrix(`${layer}.DenseReluDense.wo.weight`, `${gguf}.ffn_down.weight`, 'model', 'ff');
  }
}
