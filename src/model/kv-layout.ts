/**
 * Where keys and values of a sequence lie (tensor/assembly/ops/append-kv.ts), whatever the family: float32 beside
 * float32 weights, int16 beside integer ones.
 *
 *   int16       positions 0 … 15: | layer 0: a chunk of 16 | layer 1 … |  16 … 31 …
 *   float32     position 0: | layer 0: k, v | layer 1 … |  position 1 …
 *
 * All layers of a position lie together, so that a step touches few pages and what two sequences have in common is one
 * piece.
 */
import { type KvKind, kvChunk, kvPositionBytes, pad } from '../tensor/layout.ts';
import type { KvCache } from '../tensor/recorder.ts';
import type { WeightsKind } from './tensor-table.ts';

/** What keys and values of all layers are. */
export type KvLayout = Omit<KvCache, 'cache' | 'layer'>;

export const kvKind = (weights: WeightsKind): KvKind => (weights === 'float32' ? 'float32' : 'int16');

/** Bytes of the keys and values of so many positions. */
export const kvBytes = ({ kind, heads, dKv, layers }: KvLayout, positions: number): number =>
  pad(positions, kvChunk(kind)) * layers * kvPositionBytes(kind, heads, dKv);

/** The piece that has the positions from `from` to `to`; others in it are ones before `from`, or not written yet. */
export function kvPiece(layout: KvLayout, from: number, to: number): { at: number; bytes: number } {
  const step = kvChunk(layout.kind);
  const at = kvBytes(layout, Math.floor(from / step) * step);
  return { at, bytes: kvBytes(layout, to) - at };
}
