// Keys and values kept for attention as int16, in the shape of weights (layout.ts), so that the integer dot products serve both of attention's sums.
//
//   a chunk of n positions, n a multiple of 16, for each head:
//   | keys [n / 4] groups of four, as the rows of a matrix | values [K / 4] groups, transposed: rows are columns of a value | scales of keys, of values f32 [n] each |
//
// A position has a scale of its own for its key and for its value. What stands past the last position is not read but for scales, which are zero.

import { KEY_RANGE } from '../protocol';
import { largestMagnitude, rounded } from '../lanes';

/** The largest magnitude of q and k, so that K products of two stay under 2^31. */
export function keyMax(dKv: u32): f32 {
  return <f32>floor(sqrt(<f64>KEY_RANGE / <f64>dKv));
}

/** Columns of a head's keys and queries: a multiple of 16, those past K times zeros of the query. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function keyColumns(dKv: u32): u32 {
  return (dKv + 15) & ~15;
}

/** Bytes of a head's keys, values, and of all it has in a chunk. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function keysBytes(chunk: u32, dKv: u32): usize {
  return <usize>(chunk * keyColumns(dKv) * 2);
}
// @ts-ignore: AssemblyScript's decorator
@inline
export function valuesBytes(chunk: u32, dKv: u32): usize {
  return <usize>(chunk * dKv * 2);
}
// @ts-ignore: AssemblyScript's decorator
@inline
export function headBytes(chunk: u32, dKv: u32): usize {
  return keysBytes(chunk, dKv) + valuesBytes(chunk, dKv) + <usize>chunk * 8;
}

/** Writes the scale; returns what to multiply with, in all lanes. */
// @ts-ignore: AssemblyScript's decorator
@inline
function scaleTo(most: f32, x: usize, bytes: usize, scale: usize): v128 {
  const largest = largestMagnitude(x, bytes);
  store<f32>(scale, largest / most);
  return f32x4.splat(largest > 0 ? most / largest : 0);
}

/** k f32 [K] -> position n of the keys: pairs of columns, the same pair of four keys together. */
function keepKey(keys: usize, n: u32, k: usize, inverse: v128, dKv: u32): void {
  let at = keys + <usize>(n >> 2) * <usize>(keyColumns(dKv) * 8) + ((n & 3) << 2);
  for (const end = k + (<usize>dKv << 2); k < end; k += 16, at += 32) {
    const pairs = rounded(v128.load(k), inverse);
    const narrow = i16x8.narrow_i32x4_s(pairs, pairs);
    v128.store_lane<i32>(at, narrow, 0);
    v128.store_lane<i32>(at, narrow, 1, 16);
  }
}

/** v f32 [K] -> position n of the values: pairs of positions, the same pair of four columns together. */
function keepValue(values: usize, n: u32, chunk: u32, v: usize, inverse: v128, dKv: u32): void {
  let at = values + (<usize>(n >> 1) << 4) + ((n & 1) << 1);
  for (const end = v + (<usize>dKv << 2); v < end; v += 16, at += <usize>chunk << 3) {
    const q = rounded(v128.load(v), inverse);
    const narrow = i16x8.narrow_i32x4_s(q, q);
    v128.store_lane<i16>(at, narrow, 0);
    v128.store_lane<i16>(at, narrow, 1, 4);
    v128.store_lane<i16>(at, narrow, 2, 8);
    v128.store_lane<i16>(at, narrow, 3, 12);
  }
}

/**
 * k, v f32 [rows] of `rowBytes`, head h in the columns from h * K on -> positions first … first + rows - 1 of the chunks at `kept`, which hold `chunk` positions
 * and lie `chunkBytes` apart. K a multiple of 4.
 */
export function keep(
  kept: usize, k: usize, v: usize, rows: u32, first: u32, heads: u32, dKv: u32, rowBytes: usize, chunk: u32, chunkBytes: usize,
): void {
  const bytes = <usize>dKv << 2;
  const most = keyMax(dKv);
  for (let i: u32 = 0; i < rows; i++) {
    const position = first + i;
    const n = position % chunk;
    let head = kept + <usize>(position / chunk) * chunkBytes;
    for (let h: u32 = 0; h < heads; h++) {
      const values = head + keysBytes(chunk, dKv);
      const keyScales = values + valuesBytes(chunk, dKv);
      const valueScales = keyScales + (<usize>chunk << 2);
      const at = <usize>h * bytes;
      const scale = <usize>n << 2;
      keepKey(head, n, k + at, scaleTo(most, k + at, bytes, keyScales + scale), dKv);
      keepValue(values, n, chunk, v + at, scaleTo(32767, v + at, bytes, valueScales + scale), dKv);
      if (i + 1 == rows) {
        const rest = <usize>(chunk - n - 1) << 2;
        memory.fill(keyScales + scale + 4, 0, rest);
        memory.fill(valueScales + scale + 4, 0, rest);
      }
      head += headBytes(chunk, dKv);
    }
    k += rowBytes;
    v += rowBytes;
  }
}
