// Keys and values of a sequence, written where attention reads them. A cache is made of chunks of n positions; a chunk
// has a part for every layer.
//
//   chunk 0 …   | layer 0 | layer 1 | … |     chunk 1 …   | layer 0 | layer 1 | … |
//
//   a part, float32:  | keys [n, H K] | values [n, H K] |
//   a part, int16, n a multiple of 16, for each head:
//   | keys [n / 4] groups of four, as the rows of a matrix | values [K / 4] groups, transposed: rows are columns of a
//   value | scales of keys, of values f32 [n] each |
//
// int16 keys and values have the shape of weights (layout.ts), so that the integer dot products serve both of
// attention's sums; each position has a scale of its own for its key and one for its value. What stands behind the
// positions that a row sees may be anything: attention takes no account of it.

import { KEY_RANGE } from '../protocol';
import { largestMagnitude, rounded } from '../lanes';
import { CACHE_CHUNK, ROW_BYTES, ROW_POSITION } from '../row-table';

/** Where the pointer of a row's cache stands. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function cacheOf(table: usize, row: u32, cache: u32): usize {
  return table + <usize>row * ROW_BYTES + (<usize>cache << 2);
}

/** Bytes of a position in a layer's part of a chunk, float32. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function positionBytesF32(heads: u32, dKv: u32): usize {
  return <usize>(heads * dKv) << 3;
}

/** The same, int16. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function positionBytesQ16(heads: u32, dKv: u32): usize {
  return <usize>(heads * (4 * dKv + 8));
}

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
function storePairs(at: usize, q: v128): void {
  v128.store_lane<i32>(at, q, 0);
  v128.store_lane<i32>(at, q, 1, 16);
}

/** k f32 [K] -> a key of the group at `keys`: pairs of columns, the same pair of four keys together. */
function appendKey(key: usize, k: usize, inverse: v128, dKv: u32): void {
  for (const end = k + (<usize>dKv << 2); k < end; k += 64, key += 128) {
    storePairs(key, four(k, inverse, 0));
    storePairs(key + 32, four(k, inverse, 16));
    storePairs(key + 64, four(k, inverse, 32));
    storePairs(key + 96, four(k, inverse, 48));
  }
}

// @ts-ignore: AssemblyScript's decorator
@inline
function storeColumns(at: usize, q: v128): void {
  v128.store_lane<i16>(at, q, 0);
  v128.store_lane<i16>(at, q, 1, 4);
  v128.store_lane<i16>(at, q, 2, 8);
  v128.store_lane<i16>(at, q, 3, 12);
}

/**
 * v f32 [K] -> a position of the values: pairs of positions, the same pair of four columns together, and groups of
 * columns `groupBytes` apart.
 */
function appendValue(value: usize, groupBytes: usize, v: usize, inverse: v128, dKv: u32): void {
  for (const end = v + (<usize>dKv << 2); v < end; v += 32) {
    storeColumns(value, four(v, inverse, 0));
    value += groupBytes;
    storeColumns(value, four(v, inverse, 16));
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
 * k, v f32 [rows] of `rowBytes`, head h in the columns from h * K on -> the position of each row in its cache, in the
 * part of `layer` of `layers`. K a multiple of 16.
 */
export function appendQ16(
  table: usize, cache: u32, k: usize, v: usize, rows: u32, heads: u32, dKv: u32, rowBytes: usize, layer: u32, layers: u32,
): void {
  const most = keyMax(dKv);
  const positionBytes = positionBytesQ16(heads, dKv);
  for (let i: u32 = 0; i < rows; i++) {
    const at = cacheOf(table, i, cache);
    const chunk = load<u32>(at, CACHE_CHUNK * 4);
    const position = load<u32>(table + <usize>i * ROW_BYTES, ROW_POSITION * 4);
    const n = position % chunk;
    const scalesBytes = <usize>chunk << 2;
    let head = load<u32>(at) + <usize>((position / chunk * layers + layer) * chunk) * positionBytes;
    for (let h: u32 = 0; h < heads; h++) {
      const values = head + keysBytes(chunk, dKv);
      const scale = values + keysBytes(chunk, dKv) + (<usize>n << 2);
      const column = <usize>(h * dKv) << 2;
      appendKey(head + <usize>((n >> 2) * dKv * 8) + ((n & 3) << 2), k + column, scaleTo(most, k + column, dKv, scale), dKv);
      appendValue(values + (<usize>(n >> 1) << 4) + ((n & 1) << 1), <usize>chunk << 3, v + column, scaleTo(32767, v + column, dKv, scale + scalesBytes), dKv);
      head += headBytes(chunk, dKv);
    }
    k += rowBytes;
    v += rowBytes;
  }
}

/** The same in float32. */
export function appendF32(
  table: usize, cache: u32, k: usize, v: usize, rows: u32, heads: u32, dKv: u32, rowBytes: usize, layer: u32, layers: u32,
): void {
  const bytes = <usize>(heads * dKv) << 2;
  const positionBytes = positionBytesF32(heads, dKv);
  for (let i: u32 = 0; i < rows; i++) {
    const at = cacheOf(table, i, cache);
    const chunk = load<u32>(at, CACHE_CHUNK * 4);
    const position = load<u32>(table + <usize>i * ROW_BYTES, ROW_POSITION * 4);
    const part = load<u32>(at) + <usize>((position / chunk * layers + layer) * chunk) * positionBytes;
    const key = part + <usize>(position % chunk) * bytes;
    memory.copy(key, k, bytes);
    memory.copy(key + <usize>chunk * bytes, v, bytes);
    k += rowBytes;
    v += rowBytes;
  }
}
