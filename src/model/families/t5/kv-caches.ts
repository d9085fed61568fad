/**
 * A T5's keys and values (tensor/assembly/ops/append-kv.ts): float32 beside float32 weights, int16 beside integer ones. A decoder row has two caches.
 *
 *               a sequence's own, self-attention:                                         its prompt's, cross-attention:
 *   float32     position 0: | layer 0: k, v [H K] | layer 1 … |  position 1 …             layer 0: | k [S, H K] | v [S, H K] |  layer 1 …
 *   int16       positions 0 … 15: | layer 0: a chunk of 16 | layer 1 … |  16 … 31 …       layer 0: | a chunk of S, rounded up to 16s |  layer 1 …
 *
 * In a sequence's own all layers of a position lie together, so that a step touches few pages, and what two sequences have in common is one piece.
 * The encoder has a cache of one layer, which all its layers use in turn.
 */
import { ROW_WORDS } from '../../../tensor/assembly/row-table.ts';
import { type KvKind, kvChunk, kvPositionBytes, pad } from '../../../tensor/layout.ts';
import type { KvCache } from '../../../tensor/recorder.ts';
import { MAX_SOURCE_LENGTH } from '../../limits.ts';
import type { Sequence } from '../../sequence.ts';
import { paddedSizes, type T5Shape } from './tensors.ts';

/** Caches of a row. */
export const [SELF, CROSS] = [0, 1];

const kindOf = ({ weights }: T5Shape): KvKind => (weights === 'float32' ? 'float32' : 'int16');

/** Bytes of a layer's key and value of one position. */
const layerBytes = (shape: T5Shape): number =>
  kvPositionBytes(kindOf(shape), shape.config.numHeads, paddedSizes(shape.config).kv);

/** Positions of the one chunk that a prompt's keys and values are. */
const promptChunk = (shape: T5Shape, sourceLength: number): number => pad(sourceLength, kvChunk(kindOf(shape)));

/** Bytes of a prompt's or a sequence's own keys and values for so many positions. */
export const cacheBytes = (shape: T5Shape, positions: number): number =>
  pad(positions, kvChunk(kindOf(shape))) * shape.config.numDecoderLayers * layerBytes(shape);

/** The encoder's cache, for any prompt. */
export const encoderCacheBytes = (shape: T5Shape): number => promptChunk(shape, MAX_SOURCE_LENGTH) * layerBytes(shape);

/** The piece of a sequence's own that has the positions from `from` to `to`; others in it are ones before `from`, or not written yet. */
export function pieceOf(shape: T5Shape, from: number, to: number): { at: number; bytes: number } {
  const step = kvChunk(kindOf(shape));
  const at = cacheBytes(shape, Math.floor(from / step) * step);
  return { at, bytes: cacheBytes(shape, to) - at };
}

/** What ops need to know of a decoder layer's cache. */
export const decoderCache = (shape: T5Shape, cache: number, layer: number): KvCache => ({
  kind: kindOf(shape),
  cache,
  heads: shape.config.numHeads,
  dKv: paddedSizes(shape.config).kv,
  layer,
  layers: shape.config.numDecoderLayers,
});

export const encoderCache = (shape: T5Shape): KvCache => ({ ...decoderCache(shape, SELF, 0), layers: 1 });

/** A sequence's row in the table, but what changes from position to position (tensor/assembly/row-table.ts). */
export function rowOf(shape: T5Shape, sourceLength: number, self: number, cross: number): Uint32Array {
  const kind = kindOf(shape);
  return Uint32Array.of(0, 0, self, 0, kvChunk(kind), cross, sourceLength, promptChunk(shape, sourceLength));
}

/** The row table of a prompt: each token sees the whole prompt, and its cross keys and values go to the prompt's cache. */
export function promptWords(shape: T5Shape, encoderCache: number, { sourceIds, caches }: Sequence): Uint32Array {
  const [S, chunk] = [sourceIds.length, promptChunk(shape, sourceIds.length)];
  const words = new Uint32Array(S * ROW_WORDS);
  for (let i = 0; i < S; i++)
    words.set([sourceIds[i]!, i, encoderCache, S, chunk, caches[CROSS]!, S, chunk], i * ROW_WORDS);
  return words;
}
