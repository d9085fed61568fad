/**
 * Sizes of a decoder-only model. It has one cache of keys and values for a sequence, prompt and answer one after
 * another.
 */
import { kvChunk, pad } from '../../../tensor/layout.ts';
import { type KvLayout, kvKind } from '../../kv-layout.ts';
import { MAX_CONTEXT } from '../../limits.ts';
import { sizeOf } from '../../stages/stage-plan.ts';
import type { LlamaConfig } from './config.ts';
import { type LlamaShape, layersHere } from './tensors.ts';

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

/** The keys and values of a sequence, in the layers that are here. */
export const kvLayout = (shape: LlamaShape): KvLayout => ({
  kind: kvKind(shape.weights),
  heads: shape.config.numKvHeads,
  dKv: paddedSizes(shape.config).head,
  layers: sizeOf(layersHere(shape)),
});

/** A sequence's row in the table, but what changes from position to position (tensor/assembly/row-table.ts). */
export const rowOf = ({ kind }: KvLayout, cache: number): Uint32Array =>
  Uint32Array.of(0, 0, cache, 0, kvChunk(kind), 0, 0, 0);
