/**
 * Sizes of a decoder-only model. It has one cache of keys and values for a sequence, prompt and answer one after
 * another.
 */
import { kvChunk, pad } from '../../../tensor/layout.ts';
import { type KvLayout, kvKind } from '../../kv-layout.ts';
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

/** The keys and values of a sequence. */
export const kvLayout = ({ config, weights }: LlamaShape): KvLayout => ({
  kind: kvKind(weights),
  heads: config.numKvHeads,
  dKv: paddedSizes(config).head,
  layers: config.layers.length,
});

/** A sequence's row in the table, but what changes from position to position (tensor/assembly/row-table.ts). */
export const rowOf = ({ kind }: KvLayout, cache: number): Uint32Array =>
  Uint32Array.of(0, 0, cache, 0, kvChunk(kind), 0, 0, 0);
