/**
 * A family's tensors as a pack holds them: each with its place, in the order of the family's table. A function of the
 * configuration alone, so a pack cannot lie about it.
 */
import { type MatrixKind, type Placement, pad, weightBytes } from '../tensor/layout.ts';

/** How a pack holds its matrices, for people to choose; in an int4 pack some are int8. */
export const WEIGHTS_KINDS = ['int4', 'int8', 'float32'] as const;
export type WeightsKind = (typeof WEIGHTS_KINDS)[number];

/** How the arena holds a tensor (tensor/layout.ts). */
export type TensorLayout =
  /** [outputs, inputs]; `besideInt4`: what it is in an int4 pack, if not int4. */
  | { kind: 'matrix'; rows: Placement; cols: Placement; besideInt4?: 'int8' }
  | { kind: 'vector'; cols: Placement }
  /** Something that is made of the tensor, float32. */
  | { kind: 'made'; bytes: number; make: (source: Float32Array) => Float32Array };

/** A line of a family's table. */
export interface TensorSpec {
  /** In a Hugging Face checkpoint. */
  name: string;
  /** In a GGUF file. */
  gguf: string;
  /** In either; a matrix [outputs, inputs]. */
  shape: readonly number[];
  layout: TensorLayout;
}

export interface PackTensor extends TensorSpec {
  /** What a matrix's weights are held as. */
  weights: MatrixKind;
  /** From the first tensor on. */
  offset: number;
  bytes: number;
}

/** Gives every tensor of a table its place. */
export function layOut(table: readonly TensorSpec[], weights: WeightsKind): PackTensor[] {
  let offset = 0;
  const tensors: PackTensor[] = [];
  for (const { name, gguf, shape, layout } of table) {
    const held = layout.kind === 'matrix' && weights === 'int4' ? (layout.besideInt4 ?? weights) : weights;
    const bytes = bytesOf(layout, held);
    tensors.push({ name, gguf, shape, layout, weights: held, offset, bytes });
    offset += pad(bytes, 16);
  }
  return tensors;
}

/** What of a model's shape decides its tensors. */
interface Shape {
  config: object;
  weights: WeightsKind;
  tiedHead: boolean;
  stage?: object | undefined;
}

/**
 * A table that is made once where it is asked for twice in a row: a pack's head is checked by it, and the model opened.
 * To make it takes the canister's interpreter some millions of instructions.
 */
export function keptOnce<S extends Shape>(make: (shape: S) => PackTensor[]): (shape: S) => readonly PackTensor[] {
  let last: { of: S; tensors: readonly PackTensor[] } | undefined;
  return (shape) => {
    const { config, weights, tiedHead, stage } = shape;
    const isSame =
      last?.of.config === config &&
      last.of.weights === weights &&
      last.of.tiedHead === tiedHead &&
      last.of.stage === stage;
    if (!last || !isSame) last = { of: shape, tensors: make(shape) };
    return last.tensors;
  };
}

function bytesOf(layout: TensorLayout, weights: MatrixKind): number {
  if (layout.kind === 'matrix') return weightBytes(weights, layout.rows.length, layout.cols.length);
  return layout.kind === 'vector' ? layout.cols.length * 4 : layout.bytes;
}

/** Bytes of the arena that the weights take. */
export function packWeightsBytes(tensors: readonly PackTensor[]): number {
  const last = tensors[tensors.length - 1]!;
  return pad(last.offset + last.bytes, 16);
}
