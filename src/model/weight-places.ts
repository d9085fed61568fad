/**
 * Where a model's weights are while it works. Most models' are *resident*: in the arena, all the time. Of a model that
 * is too large for that, layers from the first on are *streamed*: before a layer's ops, the program loads it from
 * stable memory into a window that all of them share. What streamed and resident weights give is the same to the bit.
 */
import type { Arena } from '../tensor/arena.ts';
import { matrixAt, type Recorder, type StablePiece, type Vector, type Weights } from '../tensor/recorder.ts';
import { type PackTensor, packWeightsBytes } from './tensor-table.ts';

/** Weights in stable memory, and how much of them may be resident. */
export interface Streaming {
  /** Bytes of the arena that weights may take, the window included. */
  room: number;
  /** Where bytes of the pack's weights stand, in pieces that lie together. */
  piecesOf(offset: number, bytes: number): StablePiece[];
}

/** Weights that stand in one piece, in the pack and in the arena. */
export interface Resident {
  /** From the pack's first tensor on. */
  offset: number;
  bytes: number;
  at: number;
}

/** The same weights in pieces of so many bytes at most. */
export function inPieces({ offset, bytes, at }: Resident, most: number): Resident[] {
  const pieces: Resident[] = [];
  for (let from = 0; from < bytes; from += most)
    pieces.push({ offset: offset + from, bytes: Math.min(most, bytes - from), at: at + from });
  return pieces;
}

/** Tensors that are used together: a layer, or a part of one. They stand next to each other in the pack. */
interface Layer {
  name: string;
  offset: number;
  bytes: number;
}

export class WeightPlaces {
  readonly resident: readonly Resident[];
  /** Bytes of the arena that weights take, the window included. */
  readonly bytes: number;
  /** Bytes that a step reads from stable memory, and a prompt's own programs; 0: all is resident. */
  readonly streamedBytes: number;
  private readonly tensors: ReadonlyMap<string, PackTensor>;
  private readonly streamed: ReadonlyMap<string, Layer>;
  private readonly layerOf: (name: string) => string | undefined;
  private readonly windowAt: number;
  private readonly streaming: Streaming | undefined;

  /**
   * Takes the arena's room for weights.
   * @param layerOf what a tensor is a part of; of none, it is always resident
   * @param streaming undefined: all of the weights are resident
   */
  constructor(
    tensors: readonly PackTensor[],
    layerOf: (name: string) => string | undefined,
    allocate: Arena['allocate'],
    streaming?: Streaming,
  ) {
    const layers = streaming ? layersOf(tensors, layerOf) : [];
    const { streamed, window } = streaming
      ? chooseStreamed(layers, packWeightsBytes(tensors), streaming.room)
      : { streamed: [], window: 0 };
    this.layerOf = layerOf;
    this.streaming = streaming;
    this.tensors = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    this.streamed = new Map(streamed.map((layer) => [layer.name, layer]));
    this.streamedBytes = streamed.reduce((sum, { bytes }) => sum + bytes, 0);
    const ranges = between(streamed, packWeightsBytes(tensors));
    const residentBytes = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
    this.bytes = residentBytes + window;
    let at = allocate(residentBytes);
    this.resident = ranges.map((range) => {
      const resident = { ...range, at };
      at += range.bytes;
      return resident;
    });
    this.windowAt = window > 0 ? allocate(window) : 0;
  }

  /** A tensor by its name. @throws Error for one that the model has not */
  tensor(name: string): PackTensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new Error(`weights: expected a tensor ${name}, got none`);
    return tensor;
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** A matrix by its name, where it is when it is used. @throws Error for a tensor that is none */
  matrix(name: string): Weights {
    const tensor = this.tensor(name);
    const { layout, weights } = tensor;
    if (layout.kind !== 'matrix') throw new Error(`weights: expected ${name} to be a matrix, got a ${layout.kind}`);
    return matrixAt(weights, name, this.at(tensor), layout.rows.length, layout.cols.length);
  }

  /** The numbers of a norm, a bias, or what is made of a tensor. */
  vector(name: string): Vector {
    return { label: name, at: this.at(this.tensor(name)) };
  }

  /** Where a tensor is when it is used. */
  at({ name, offset }: PackTensor): number {
    // asked for each tensor while an interpreter records: most models have nothing to look for
    const layer = this.streamed.size > 0 ? this.streamed.get(this.layerOf(name) ?? '') : undefined;
    if (layer) return this.windowAt + offset - layer.offset;
    const range = this.resident.find((r) => offset >= r.offset && offset < r.offset + r.bytes)!;
    return range.at + offset - range.offset;
  }

  /** Records the loading of a layer, where it is streamed; to be called before its ops are recorded. */
  enter(r: Recorder, name: string): void {
    const layer = this.streamed.get(name);
    if (!layer) return;
    let at = this.windowAt;
    for (const piece of this.streaming!.piecesOf(layer.offset, layer.bytes)) {
      r.loadStable(name, at, piece);
      at += piece.bytes;
    }
  }

  /** Puts bytes of the pack's weights, from `offset` on, where they stay; those that are streamed stay nowhere. */
  put(offset: number, bytes: Uint8Array, write: (at: number, bytes: Uint8Array) => void): void {
    for (const range of this.resident) {
      const from = Math.max(offset, range.offset);
      const end = Math.min(offset + bytes.length, range.offset + range.bytes);
      if (from < end) write(range.at + from - range.offset, bytes.subarray(from - offset, end - offset));
    }
  }
}

/** @throws Error where tensors of a layer do not stand next to each other, which is a fault of the family's table */
function layersOf(tensors: readonly PackTensor[], layerOf: (name: string) => string | undefined): Layer[] {
  const layers: Layer[] = [];
  tensors.forEach(({ name: tensor, offset }, i) => {
    const name = layerOf(tensor);
    if (name === undefined) return;
    const end = tensors[i + 1]?.offset ?? packWeightsBytes(tensors);
    const last = layers.at(-1);
    if (last?.name === name && last.offset + last.bytes === offset) last.bytes = end - last.offset;
    else if (layers.some((layer) => layer.name === name))
      throw new Error(`weights: expected ${tensor} beside the rest of ${name}`);
    else layers.push({ name, offset, bytes: end - offset });
  });
  return layers;
}

/**
 * As few layers as leave room for the rest, or all of them, from the first on: the last ones are the decoder's, which
 * every token uses.
 */
function chooseStreamed(layers: readonly Layer[], weightsBytes: number, room: number) {
  const streamed: Layer[] = [];
  let resident = weightsBytes;
  let window = 0;
  for (const layer of layers) {
    if (resident + window <= room) break;
    streamed.push(layer);
    resident -= layer.bytes;
    window = Math.max(window, layer.bytes);
  }
  return { streamed, window };
}

/** What lies between layers, in order. */
function between(layers: readonly Layer[], end: number): Omit<Resident, 'at'>[] {
  const ranges: Omit<Resident, 'at'>[] = [];
  let offset = 0;
  for (const layer of [...layers, { offset: end, bytes: 0 }]) {
    if (layer.offset > offset) ranges.push({ offset, bytes: layer.offset - offset });
    offset = layer.offset + layer.bytes;
  }
  return ranges;
}
