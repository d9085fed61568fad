/**
 * What one op takes at most, in instructions as the Internet Computer counts them, first touches of its pages included.
 * A message begins no op after its budget (src/canister/runtime/unit.ts), so what an op takes has to fit into what is
 * left of a slice then: the recorder records an op that may take more in parts. The factors are measured, and rounded
 * up; test/bench/op-costs.test.ts holds them against what ops take.
 */
import type { KvKind, MatrixKind } from './layout.ts';

/** What an op may take: a slice of 2 B, less 1.5 B after which none begins, less what ends a message. */
export const OP_INSTRUCTIONS = 400_000_000;

/** What a batch has at most. */
export interface Most {
  rows: number;
  /** Keys that a row may see. */
  keys: number;
  /** Sequences that rows are of: each has keys and values of its own. */
  sequences: number;
}

/** A multiply-add. */
const PER_MAC: Record<MatrixKind, number> = { int4: 0.95, int8: 0.75, float32: 4 };
/** A weight, however many rows there are: unpacked from int4, or split for Strassen's algorithm. */
const PER_WEIGHT: Record<MatrixKind, number> = { int4: 1.5, int8: 1, float32: 0 };
const BYTES: Record<MatrixKind, number> = { int4: 0.55, int8: 1, float32: 4 };
/** A byte that is read, and one that is written: shares of a page's first touch and first write. */
const PER_BYTE_READ = 1.25;
const PER_BYTE_WRITTEN = 2.5;

/** One output of a matrix, for all rows. */
export const linearInstructions = (kind: MatrixKind, rows: number, inputs: number): number =>
  inputs * (rows * PER_MAC[kind] + PER_WEIGHT[kind] + BYTES[kind] * PER_BYTE_READ) + rows * (4 * PER_BYTE_WRITTEN + 8);

/** A key that a row sees, by one head of queries: two products of `dKv` columns, and its weight between them. */
const PER_KEY: Record<KvKind, number> = { int16: 30, float32: 60 };
const PER_KEY_COLUMN: Record<KvKind, number> = { int16: 2.2, float32: 11.5 };
/** Of a key and its value, a column of both. */
const KEY_COLUMN_BYTES: Record<KvKind, number> = { int16: 4.2, float32: 8 };

/** One head of queries. */
export const attentionInstructions = (kind: KvKind, { rows, keys, sequences }: Most, dKv: number): number =>
  rows * (keys * (PER_KEY[kind] + dKv * PER_KEY_COLUMN[kind]) + dKv * 40 + 400) +
  Math.min(rows, sequences) * keys * dKv * KEY_COLUMN_BYTES[kind] * PER_BYTE_READ;

/** From where to where. */
export type Part = readonly [from: number, to: number];

/**
 * Parts of `count` things of which each takes so much.
 * @param steps what sizes of parts are multiples of, the best one first; the last one is the least part
 */
export function partsOf(count: number, each: number, budget: number, steps: readonly number[]): Part[] {
  const fit = Math.floor(budget / each);
  if (fit >= count) return [[0, count]];
  const step = steps.find((size) => size <= fit) ?? steps.at(-1)!;
  const size = Math.max(step, Math.floor(fit / step) * step);
  const parts: Part[] = [];
  for (let from = 0; from < count; from += size) parts.push([from, Math.min(count, from + size)]);
  return parts;
}
