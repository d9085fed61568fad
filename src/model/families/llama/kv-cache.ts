/**
 * Keys and values of a decoder-only model: one cache for a sequence, prompt and answer one after another. float32 beside float32 weights, int16 beside integer ones.
 *
 *   int16       positions 0 … 15: | layer 0: a chunk of 16 | layer 1 … |  16 … 31 …
 *   float32     position 0: | layer 0: k, v [G K] | layer 1 … |  position 1 …
 *
 * All layers of a position lie together, so that a step touches few pages and what two sequences have in common is one piece.
 */
import { type KvKind, kvChunk, kvPositionBytes, pad } from '../../../tensor/layout.ts';
import type { KvCache } from '../../../tensor/recorder.ts';
import { MAX_CONTEXT } from '../../limits.ts';
import type { LlamaConfig } from './config.ts';
import type { LlamaShape } from './tensors.ts';

/** Sizes as padded in the arena (tensor/layout.ts). */
export function paddedSizes({
  hiddenSize,
  numHeads,
  numKvHeads,
  headDim,
  intermediateSize,
  vocabularySize,
}: LlamaConfig) {
  const head = pad(headDim, 16);
  return {
    model: pad(hiddenSize, 16),
    head,
    /** H K */
    queries: numHeads * head,
    /** G K */
    keys: numKvHeads * head,
    ff: pad(intermediateSize, 16),
    vocabulary: pad(vocabularySize, 16),
  };
}

/** The most positions of a sequence. */
export const contextOf = ({ contextLength }: LlamaConfig): number => Math.min(contextLength, MAX_CONTEXT);

const kindOf = ({ weights }: LlamaShape): KvKind => (weights === 'float32' ? 'float32' : 'int16');

/** Bytes of the keys and values of so many positions. */
export function cacheBytes(shape: LlamaShape, positions: number): number {
  const { numKvHeads, layers } = shape.config;
  const kind = kindOf(shape);
  const position = layers.length * kvPositionBytes(kind, numKvHeads, paddedSizes(shape.config).head);
  return pad(positions, kvChunk(kind)) * position;
}

/** The piece that has the positions from `from` to `to`; others in it are ones before `from`, or not written yet. */
export function pieceOf(shape: LlamaShape, from: number, to: number): { at: number; bytes: number } {
  const step = kvChunk(kindOf(shape));
  const at = cacheBytes(shape, Math.floor(from / step) * step);
  return { at, bytes: cacheBytes(shape, to) - at };
}

/** What ops need to know of a layer's cache. */
export const layerCache = (shape: LlamaShape, layer: number): KvCache => ({
  kind: kindOf(shape),
  cache: 0,
  heads: shape.config.numKvHeads,
  dKv: paddedSizes(shape.config).head,
  layer,
  layers: shape.config.layers.length,
});

/** A sequence's row in the table, but what changes from position to position (tensor/assembly/row-table.ts). */
export const rowOf = (shape: LlamaShape, cache: number): Uint32Array =>
  Uint32Array.of(0, 0, cache, 0, kvChunk(kindOf(shape)), 0, 0, 0);
