/**
 * A T5's keys and values. A decoder row has two caches: a sequence's own, for self-attention, which lies as
 * kv-layout.ts says, and its prompt's, for cross-attention:
 *
 *   float32     layer 0: | k [S, H K] | v [S, H K] |  layer 1 …
 *   int16       layer 0: | a chunk of S, rounded up to 16s |  layer 1 …
 *
 * The encoder has a cache of one layer, which all its layers use in turn.
 */
import { ROW_WORDS } from '../../../tensor/assembly/row-table.ts';
import { kvChunk, pad } from '../../../tensor/layout.ts';
import type { KvCache } from '../../../tensor/recorder.ts';
import { type KvLayout, kvBytes, kvKind } from '../../kv-layout.ts';
import { MAX_SOURCE_LENGTH } from '../../limits.ts';
import { sizeOf } from '../../stages/stage-plan.ts';
import { blocksHere, paddedSizes, type T5Shape } from './tensors.ts';

/** Caches of a row. */
export const [SELF, CROSS] = [0, 1];

/** A decoder's keys and values in the layers that are here: of a sequence's own, and of its prompt's. */
export const decoderKv = (shape: T5Shape): KvLayout => ({
  kind: kvKind(shape.weights),
  heads: shape.config.numHeads,
  dKv: paddedSizes(shape.config).kv,
  layers: sizeOf(blocksHere(shape, 'decoder')),
});

const encoderKv = (shape: T5Shape): KvLayout => ({ ...decoderKv(shape), layers: 1 });

/** Positions of the one chunk that a prompt's keys and values are. */
const promptChunk = ({ weights }: T5Shape, sourceLength: number): number => pad(sourceLength, kvChunk(kvKind(weights)));

/** The encoder's cache, for any prompt. */
export const encoderCacheBytes = (shape: T5Shape): number => kvBytes(encoderKv(shape), MAX_SOURCE_LENGTH);

/** What ops need to know of a decoder layer's cache; the layer by its number in the whole model. */
export const decoderCache = (shape: T5Shape, cache: number, layer: number): KvCache => ({
  ...decoderKv(shape),
  cache,
  layer: layer - blocksHere(shape, 'decoder').from,
});

export const encoderCache = (shape: T5Shape): KvCache => ({ ...encoderKv(shape), cache: SELF, layer: 0 });

/** A sequence's row in the table, but what changes from position to position (tensor/assembly/row-table.ts). */
export function rowOf(shape: T5Shape, sourceLength: number, self: number, cross: number): Uint32Array {
  return Uint32Array.of(
    0,
    0,
    self,
    0,
    kvChunk(kvKind(shape.weights)),
    cross,
    sourceLength,
    promptChunk(shape, sourceLength),
  );
}

/**
 * The row table of a prompt: each token sees the whole prompt, and its cross keys and values go to the prompt's cache.
 */
export function promptWords(
  shape: T5Shape,
  encoderCache: number,
  sourceIds: ArrayLike<number>,
  cross: number,
): Uint32Array {
  const [S, chunk] = [sourceIds.length, promptChunk(shape, sourceIds.length)];
  const words = new Uint32Array(S * ROW_WORDS);
  for (let i = 0; i < S; i++) words.set([sourceIds[i]!, i, encoderCache, S, chunk, cross, S, chunk], i * ROW_WORDS);
  return words;
}
