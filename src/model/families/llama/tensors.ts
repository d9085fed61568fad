/**
 * The tensors of a model of the Llama block, each once: its name in a Hugging Face checkpoint and in a GGUF file, its
 * shape there, and how the arena holds it. Three kinds of tensor are the pack's own, and no checkpoint has them: the
 * rotations' frequencies, and the embedding's column scales (conversion.ts). Source: transformers,
 * models/{llama,qwen2,qwen3,gemma3}/modeling_*.py; ggml, gguf-py `constants.py` (TENSOR_NAMES).
 */
import { inHeads, inOrder, type Placement } from '../../../tensor/layout.ts';
import { isFirst, isWithin, type LayerRange, rangeOf, type StageOf } from '../../stages/stage-plan.ts';
import { keptOnce, layOut, type TensorSpec, type WeightsKind } from '../../tensor-table.ts';
import type { LlamaConfig } from './config.ts';
import type { Rope } from './rope.ts';

export interface LlamaTensor extends TensorSpec {
  /** Heads of q and k, whose rows a GGUF file of architecture `llama` has in another order. */
  rotatedHeads?: number;
}

/** What of a model decides its tensors and programs. */
export interface LlamaShape {
  family: 'llama';
  config: LlamaConfig;
  weights: WeightsKind;
  /** The head is the embedding. */
  tiedHead: boolean;
  /** Where only some of the layers are here. */
  stage?: StageOf | undefined;
}

/** The layers that are here. */
export const layersHere = ({ config, stage }: LlamaShape): LayerRange => rangeOf(stage, 'layers', config.layers.length);

export const EMBEDDING = 'model.embed_tokens.weight';
export const HEAD = 'lm_head.weight';
export const FINAL_NORM = 'model.norm.weight';
/** float32 [D]: a row of the embedding times this is what a token begins with. */
export const EMBEDDING_SCALES = 'model.embed_tokens.column_scales';
export const frequenciesName = (rope: number): string => `rotary.${rope}.frequencies`;

/** Whether columns are scaled at conversion (conversion.ts): float32 weights have no need of it. */
export const equalised = ({ weights }: LlamaShape): boolean => weights !== 'float32';

/** A model's rotations, each once, and which one each layer has. */
export function ropesOf({ layers }: LlamaConfig): { ropes: Rope[]; ofLayer: number[] } {
  const ropes: Rope[] = [];
  const found = new Map<string, number>();
  const ofLayer = layers.map(({ rope }) => {
    const key = JSON.stringify(rope);
    if (!found.has(key)) found.set(key, ropes.push(rope) - 1);
    return found.get(key)!;
  });
  return { ropes, ofLayer };
}

export const layerName = (layer: number): string => `model.layers.${layer}`;

/** The layer that a tensor is of. */
export const layerOf = (tensor: string): string | undefined => /^model\.layers\.\d+/.exec(tensor)?.[0];

/** A pack's tensors, with their places. */
export const packTensors = keptOnce((shape: LlamaShape) => {
  const { config, weights, tiedHead } = shape;
  const own: TensorSpec[] = ropesOf(config).ropes.map((_, i) => vector(frequenciesName(i), '', config.headDim / 2));
  if (isFirst(shape.stage) && (equalised(shape) || config.embeddingScale !== 1))
    own.push(vector(EMBEDDING_SCALES, '', config.hiddenSize));
  const all = llamaTensors({ ...config, tieWordEmbeddings: tiedHead });
  return layOut([...own, ...(shape.stage ? all.filter(({ name }) => isHere(shape, name)) : all)], weights);
});

/** Whether a tensor of a checkpoint is one of the stage's. */
function isHere(shape: LlamaShape, tensor: string): boolean {
  const layer = layerOf(tensor);
  return layer === undefined ? isFirst(shape.stage) : isWithin(layersHere(shape), Number(layer.split('.')[2]));
}

function vector(name: string, gguf: string, size: number, placement: Placement = inOrder(size)): TensorSpec {
  return { name, gguf, shape: [size], layout: { kind: 'vector', cols: placement } };
}

/**
 * Every tensor that a checkpoint has, in the order in which a token reads them. The head is absent where it is the
 * embedding.
 */
export function llamaTensors(config: LlamaConfig): LlamaTensor[] {
  const table = new Table(config);
  // a token reads one row of the embedding, which `gather` takes from int8; as a head it is kept as good
  table.matrix(EMBEDDING, 'token_embd.weight', 'vocabulary', 'model', { besideInt4: 'int8' });
  for (let l = 0; l < config.layers.length; l++) table.layer(l);
  table.norm(FINAL_NORM, 'output_norm.weight');
  if (!config.tieWordEmbeddings) table.matrix(HEAD, 'output.weight', 'vocabulary', 'model');
  return table.tensors;
}

type Axis = 'model' | 'queries' | 'keys' | 'ff' | 'vocabulary';

/** The table in the making. */
class Table {
  readonly tensors: LlamaTensor[] = [];
  private readonly config: LlamaConfig;
  private readonly axes: Record<Axis, { size: number; placement: Placement }>;

  constructor(config: LlamaConfig) {
    const { hiddenSize, numHeads: H, numKvHeads: G, headDim: K, intermediateSize, vocabularySize } = config;
    const plain = (size: number) => ({ size, placement: inOrder(size) });
    this.config = config;
    this.axes = {
      model: plain(hiddenSize),
      queries: { size: H * K, placement: inHeads(H, K) },
      keys: { size: G * K, placement: inHeads(G, K) },
      ff: plain(intermediateSize),
      vocabulary: plain(vocabularySize),
    };
  }

  matrix(
    name: string,
    gguf: string,
    outputs: Axis,
    inputs: Axis,
    more: { besideInt4?: 'int8'; rotatedHeads?: number | undefined } = {},
  ): void {
    const { [outputs]: rows, [inputs]: cols } = this.axes;
    const { besideInt4, rotatedHeads } = more;
    const layout = { kind: 'matrix' as const, rows: rows.placement, cols: cols.placement, besideInt4 };
    this.tensors.push({ name, gguf, shape: [rows.size, cols.size], layout, ...(rotatedHeads && { rotatedHeads }) });
  }

  norm(name: string, gguf: string): void {
    this.tensors.push(vector(name, gguf, this.config.hiddenSize));
  }

  /** Norms and matrices in the order in which a token goes through them. */
  layer(l: number): void {
    const { qkNorm, postNorms, headDim } = this.config;
    const [layer, gguf] = [layerName(l), `blk.${l}`];
    this.norm(`${layer}.input_layernorm.weight`, `${gguf}.attn_norm.weight`);
    this.attention(`${layer}.self_attn`, gguf);
    if (qkNorm) {
      for (const part of ['q', 'k'])
        this.tensors.push(
          vector(`${layer}.self_attn.${part}_norm.weight`, `${gguf}.attn_${part}_norm.weight`, headDim),
        );
    }
    // Gemma's second norm stands after attention, where others have the one before the feed-forward under that name
    this.norm(
      `${layer}.post_attention_layernorm.weight`,
      `${gguf}.${postNorms ? 'post_attention_norm' : 'ffn_norm'}.weight`,
    );
    if (postNorms) this.norm(`${layer}.pre_feedforward_layernorm.weight`, `${gguf}.ffn_norm.weight`);
    for (const part of ['gate', 'up'])
      this.matrix(`${layer}.mlp.${part}_proj.weight`, `${gguf}.ffn_${part}.weight`, 'ff', 'model');
    this.matrix(`${layer}.mlp.down_proj.weight`, `${gguf}.ffn_down.weight`, 'model', 'ff');
    if (postNorms) this.norm(`${layer}.post_feedforward_layernorm.weight`, `${gguf}.post_ffw_norm.weight`);
  }

  private attention(layer: string, gguf: string): void {
    const { numHeads, numKvHeads, bias } = this.config;
    const linear = (part: string, ggufPart: string, outputs: Axis, inputs: Axis, biased: boolean, heads?: number) => {
      this.matrix(`${layer}.${part}_proj.weight`, `${gguf}.${ggufPart}.weight`, outputs, inputs, {
        rotatedHeads: heads,
      });
      if (!biased) return;
      const { size, placement } = this.axes[outputs];
      const spec = vector(`${layer}.${part}_proj.bias`, `${gguf}.${ggufPart}.bias`, size, placement);
      this.tensors.push({ ...spec, ...(heads && { rotatedHeads: heads }) });
    };
    linear('q', 'attn_q', 'queries', 'model', bias.qkv, numHeads);
    linear('k', 'attn_k', 'keys', 'model', bias.qkv, numKvHeads);
    linear('v', 'attn_v', 'keys', 'model', bias.qkv);
    linear('o', 'attn_output', 'model', 'queries', bias.o);
  }
}

/**
 * Rows of a head in Hugging Face's order, from a GGUF file of architecture `llama`, which has pairs of rows beside each
 * other: row 2i of a head goes to i, row 2i + 1 to i + K/2. In place of `values` a fresh array is given.
 * @param values [heads * K, columns]; a bias has one column
 */
export function unpermuteRows(values: Float32Array, heads: number, columns: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length);
  const headDim = values.length / columns / heads;
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < headDim; row++) {
      const to = (row >> 1) + (row & 1) * (headDim / 2);
      const from = (head * headDim + row) * columns;
      out.set(values.subarray(from, from + columns), (head * headDim + to) * columns);
    }
  }
  return out;
}
