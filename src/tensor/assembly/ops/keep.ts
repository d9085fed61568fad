// Keys and values kept for attention as int16, in the shape of weights (layout.ts), so that the integer dot products serve both of attention's sums.
//
//   a chunk of n positions, n a multiple of 16, for each head:
//   | keys [n / 4] groups of four, as the rows of a matrix | values [K / 4] groups, transposed: rows are columns of a value | scales of keys, of values f32 [n] each |
//
// A position has a scale of its own for its key and for its value. Positions are kept in order; scales of ones to come are zero or older, no other bytes are read.

import { KEY_RANGE } from '../protocol';
import { largestMagnitude, rounded } from '../lanes';

/** The largest magnitude of q and k, so that K products of two stay under 2^31. */
export function keyMax(dKv: u32): f32 {
  return <f32>floor(sqrt(<f64>KEY_RANGE / <f64>dKv));
}

/** Bytes of a head's keys in a chunk, and of its values. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function keysBytes(chunk: u32, dKv: u32): usize {
  return <usize>(chunk * dKv * 2);
}

/** Bytes of all that a head has in a chunk. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function headBytes(chunk: u32, dKv: u32): usize {
  return 2 * keysBytes(chunk, dKv) + <usize>(chunk * 8);
}

/** Four numbers as int16, in the low half. */
// @ts-ignore: AssemblyScript's decorator
@inline
function four(x: usize, inverse: v128, at: usize): v128 {
  const q = rounded(v128.load(x + at), inverse);
  return i16x8.narrow_i32x4_s(q, q);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function keepPairs(at: usize, q: v128): void {
  v128.store_lane<i32>(at, q, 0);
  v128.store_lane<i32>(at, q, 1, 16);
}

/** k f32 [K] -> a key of the group at `keys`: pairs of columns, the same pair of four keys together. */
function keepKey(key: usize, k: usize, inverse: v128, dKv: u32): void {
  for (const end = k + (<usize>dKv << 2); k < end; k += 64, key += 128) {
    keepPairs(key, four(k, inverse, 0));
    keepPairs(key + 32, four(k, inverse, 16));
    keepPairs(key + 64, four(k, inverse, 32));
    keepPairs(key + 96, four(k, inverse, 48));
  }
}

// @ts-ignore: AssemblyScript's decorator
@inline
function keepColumns(at: usize, q: v128): void {
  v128.store_lane<i16>(at, q, 0);
  v128.store_lane<i16>(at, q, 1, 4);
  v128.store_lane<i16>(at, q, 2, 8);
  v128.store_lane<i16>(at, q, 3, 12);
}

/** v f32 [K] -> a position of the values: pairs of positions, the same pair of four columns together, and groups of columns `groupBytes` apart. */
function keepValue(value: usize, groupBytes: usize, v: usize, inverse: v128, dKv: u32): void {
  for (const end = v + (<usize>dKv << 2); v < end; v += 32) {
    keepColumns(value, four(v, inverse, 0));
    value += groupBytes;
    keepColumns(value, four(v, inverse, 16));
    value += groupBytes;
  }
}

/** Writes the scale; returns what to multiply with, in all lanes. */
function scaleTo(most: f32, x: usize, dKv: u32, scale: usize): v128 {
  const largest = largestMagnitude(x, dKv);
  store<f32>(scale, largest / most);
  return f32x4.splat(largest > 0 ? most / largest : 0);
}

/**
 * k, v f32 [rows] of `rowBytes`, head h in the columns from h * K on -> positions first … first + rows - 1 of the chunks at `kept`, which hold `chunk` positions
 * and lie `chunkBytes` apart. K a multiple of 16.
 */
export function keep(
  kept: usize, k: usize, v: usize, rows: u32, first: u32, heads: u32, dKv: u32, rowBytes: usize, chunk: u32, chunkBytes: usize,
): void {
  const most = keyMax(dKv);
  const scalesBytes = <usize>chunk << 2;
  for (let i: u32 = 0; i < rows; i++) {
    const position = first + i;
    const n = position % chunk;
    let head = kept + <usize>(position / chunk) * chunkBytes;
    for (let h: u32 = 0; h < heads; h++) {
      const values = head + keysBytes(chunk, dKv);
      const scales = values + keysBytes(chunk, dKv);
      if (n == 0) memory.fill(scales, 0, scalesBytes << 1);
      const scale = scales + (<usize>n << 2);
      const at = <usize>(h * dKv) << 2;
      keepKey(head + <usize>((n >> 2) * dKv * 8) + ((n & 3) << 2), k + at, scaleTo(most, k + at, dKv, scale), dKv);
      keepValue(values + (<usize>(n >> 1) << 4) + ((n & 1) << 1), <usize>chunk << 3, v + at, scaleTo(32767, v + at, dKv, scale + scalesBytes), dKv);
      head += headBytes(chunk, dKv);
    }
    k += rowBytes;
    v += rowBytes;
  }
}
