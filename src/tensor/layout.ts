/**
 * How matrices lie in the arena, and how float32 weights are brought there. Sizes are padded with zeros, so that
 * kernels have no tails: columns to a multiple of 16, rows of a matrix too where they are the columns of the next.
 *
 *   int8 [F, K]   a span of columns after another; in each:
 *                 group 0 (rows 0 … 3)                                                group 1 …
 *                 k0k1 of row 0 | of row 1 | of row 2 | of row 3 | k2k3 of row 0 | …   after all spans F scales in float32
 *   int4 [F, K]   a span of columns after another; in each:
 *                 octet 0 (rows 0 … 7), a byte two rows                                octet 1 …
 *                 k0k1 of rows 0, 4 | of 1, 5 | of 2, 6 | of 3, 7 | k2k3 of rows 0, 4 | …   after all spans multipliers int8 [F / 8, groups, 8], then F scales
 *                 a byte is 16 q + 8 + q' of the later and the earlier row; a weight is q * its group's multiplier *
 *                 its row's scale (int4.ts)
 *   float32       row after row
 *
 * A span is what one row of activations takes in at a time (kernels/dot-blocks.ts). Its weights lie together, since
 * they are read so: halves of rows of 1,024 columns, a page of 4 KiB apart for each group, took three times as long
 * from memory.
 *
 * Keys and values for attention beside integer weights lie as int16 in the same way: keys as the rows of a matrix,
 * values transposed (picture in assembly/ops/append-kv.ts).
 */

import { INT4_GROUP, SPAN } from './assembly/protocol.ts';

export const pad = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** Which source row or column stands at each padded place: `from(i)`, or -1 where there is none and zeros stand. */
export interface Placement {
  length: number;
  from(place: number): number;
}

/** The first `size` in order, padded to a multiple of 16. */
export function inOrder(size: number): Placement {
  return { length: pad(size, 16), from: (i) => (i < size ? i : -1) };
}

/** `count` heads of `size`, each padded to a multiple of 16. */
export function inHeads(count: number, size: number): Placement {
  const padded = pad(size, 16);
  const from = (i: number): number => {
    const head = Math.floor(i / padded);
    const within = i % padded;
    return head < count && within < size ? head * size + within : -1;
  };
  return { length: count * padded, from };
}

/** Columns that sums of integers may run over, largest first; every multiple of 16 is a sum of them. */
export const SPANS = [SPAN, 384, 256, 128, 64, 32, 16] as const;

export interface Span {
  /** Its first column. */
  from: number;
  columns: number;
}

/** Where sums of integers end and are added up in float32, for rows of so many columns. */
export function spans(columns: number): Span[] {
  const out: Span[] = [];
  for (let from = 0; from < columns; from += out.at(-1)!.columns)
    out.push({ from, columns: SPANS.find((c) => c <= columns - from)! });
  return out;
}

/**
 * Where the first pair of a row's columns in a span is, in bytes from the beginning of int8 or int4 weights of
 * `outputs` rows; the next pair is 8 further.
 */
export function spanRow(kind: 'int4' | 'int8', outputs: number, { from, columns }: Span, row: number): number {
  const [before, group] = kind === 'int8' ? [outputs * from, row >> 2] : [(outputs * from) / 2, row >> 3];
  return before + group * columns * 4 + (row & 3) * 2;
}

/** How the weights of a matrix are held. */
export type MatrixKind = 'int4' | 'int8' | 'float32';

/** Groups of columns that have a multiplier each, in a row of int4 weights. */
export const int4Groups = (inputs: number): number => Math.ceil(inputs / INT4_GROUP);

/**
 * Where the parts of a matrix of `outputs` by `inputs`, padded sizes, begin, in bytes from its start, and where it
 * ends.
 */
export function matrixParts(kind: MatrixKind, outputs: number, inputs: number) {
  const multipliers = outputs * (kind === 'int4' ? inputs / 2 : kind === 'int8' ? inputs : inputs * 4);
  const scales = multipliers + (kind === 'int4' ? outputs * int4Groups(inputs) : 0);
  return { multipliers, scales, bytes: scales + (kind === 'float32' ? 0 : outputs * 4) };
}

/** Bytes of a matrix of `outputs` by `inputs`, padded sizes, scales included. */
export const weightBytes = (kind: MatrixKind, outputs: number, inputs: number): number =>
  matrixParts(kind, outputs, inputs).bytes;

/** How keys and values are held. */
export type KvKind = 'int16' | 'float32';

/** Positions of a chunk of a cache are a multiple of this (assembly/ops/append-kv.ts). */
export const kvChunk = (kind: KvKind): number => (kind === 'int16' ? 16 : 1);

/**
 * Bytes that a position takes in a layer's part of a chunk: a key and a value for every head, and a scale for either
 * beside int16.
 */
export const kvPositionBytes = (kind: KvKind, heads: number, dKv: number): number =>
  heads * (kind === 'int16' ? 4 * dKv + 8 : 8 * dKv);

/** source float32 [any, sourceCols] -> float32 [rows, cols] as placed. */
export function placeFloat32(source: Float32Array, sourceCols: number, rows: Placement, cols: Placement): Float32Array {
  const out = new Float32Array(rows.length * cols.length);
  const columns = Int32Array.from({ length: cols.length }, (_, c) => cols.from(c));
  for (let r = 0; r < rows.length; r++) {
    const row = rows.from(r);
    if (row < 0) continue;
    for (let c = 0; c < cols.length; c++) {
      if (columns[c]! >= 0) out[r * cols.length + c] = source[row * sourceCols + columns[c]!]!;
    }
  }
  return out;
}

/**
 * source float32 [any, sourceCols] -> int8 in groups of four rows, then the rows' scales: w = q * scale with scale =
 * max|w| / 127 of the row, q = nearest.
 */
export function placeInt8(source: Float32Array, sourceCols: number, rows: Placement, cols: Placement): Uint8Array {
  const inputs = cols.length;
  const bytes = new Uint8Array(weightBytes('int8', rows.length, inputs));
  const values = new Int8Array(bytes.buffer, 0, rows.length * inputs);
  const scales = new Float32Array(bytes.buffer, rows.length * inputs, rows.length);
  const placed = placeFloat32(source, sourceCols, rows, cols);
  for (let r = 0; r < rows.length; r++) {
    const row = placed.subarray(r * inputs, (r + 1) * inputs);
    let largest = 0;
    for (let c = 0; c < inputs; c++) largest = Math.max(largest, Math.abs(row[c]!));
    if (largest === 0) continue;
    scales[r] = largest / 127;
    const inverse = 127 / largest;
    for (const span of spans(inputs)) {
      const at = spanRow('int8', rows.length, span, r);
      for (let c = 0; c < span.columns; c++)
        values[at + (c >> 1) * 8 + (c & 1)] = Math.round(row[span.from + c]! * inverse);
    }
  }
  return bytes;
}
