// Attention over keys and values kept as int16 (append-kv.ts): both sums in integers, the softmax between them in
// float32. A tile of rows and a head at a time.
//
//   q f32 -> int16, a scale      q k sums i32 -> scores f32      weights e^score, times the values' scales -> int16 p, whose sum is 32,767      p v sums i32 -> out f32
//
// As the weights' sum, and not the largest, is brought to 32,767, no sum of products with an int16 can overflow,
// however many keys there are.
//
// Rows next to each other with the same cache are done as a tile, though each may see another number of keys: sums are
// made for the most that one sees, and a weight behind a row's own keys is 0. Integer sums do not change by zeros, and
// float32 ones are a row's own, so a row comes to the same in every tile.
//
// Sums of up to KEYS_AT_ONCE keys stay where the products leave them. With more, they are made so many at a time and
// laid out in `long`.

import { tileQ16, tileRowsQ16 } from '../generated/dot-blocks';
import { LOG2_E, largestMagnitude, quickExp2, roundRow, sum } from '../lanes';
import { TILE_STRIDE as TILE_STRIDE_, WEIGHT_SUM as WEIGHT_SUM_ } from '../protocol';
import { KEYS_AT_ONCE as KEYS_AT_ONCE_ } from '../protocol';
import { CACHE_CHUNK, CACHE_KEYS, ROW_BYTES, ROW_POSITION } from '../row-table';
import { cacheOf, headBytes, keyMax, keysBytes, positionBytesQ16 } from './append-kv';
import { largestOf } from './row';

const TILE_STRIDE: usize = TILE_STRIDE_;
const KEYS_AT_ONCE: u32 = KEYS_AT_ONCE_;
const WEIGHT_SUM: f32 = <f32>WEIGHT_SUM_;
const MINUS_INFINITY: f32 = -Infinity;

/** q f32 [K] -> out int16 [K]; gives the scale. */
function quantizeQuery(out: usize, q: usize, dKv: u32): f32 {
  const most = keyMax(dKv);
  const largest = largestMagnitude(q, dKv);
  roundRow(out, q, dKv, f32x4.splat(largest > 0 ? most / largest : 0));
  return largest / most;
}

/** One group of four scores from its sums. */
// @ts-ignore: AssemblyScript's decorator
@inline
function score(sums: usize, keyScales: usize, q: v128, at: usize): v128 {
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums + at)), v128.load(keyScales + at)), q);
}

/**
 * sums i32 -> scores f32, in place, up to `end` by 16: times the keys' scales and the query's; plus bias by key, where
 * it is not 0.
 */
function scores(row: usize, end: usize, keyScales: usize, scale: f32, bias: usize): void {
  const q = f32x4.splat(scale);
  if (bias) {
    for (; row < end; row += 64, keyScales += 64, bias += 64) {
      v128.store(row, f32x4.add(score(row, keyScales, q, 0), v128.load(bias)));
      v128.store(row, f32x4.add(score(row, keyScales, q, 16), v128.load(bias, 16)), 16);
      v128.store(row, f32x4.add(score(row, keyScales, q, 32), v128.load(bias, 32)), 32);
      v128.store(row, f32x4.add(score(row, keyScales, q, 48), v128.load(bias, 48)), 48);
    }
  } else {
    for (; row < end; row += 64, keyScales += 64) {
      v128.store(row, score(row, keyScales, q, 0));
      v128.store(row, score(row, keyScales, q, 16), 16);
      v128.store(row, score(row, keyScales, q, 32), 32);
      v128.store(row, score(row, keyScales, q, 48), 48);
    }
  }
}

/** Rows from `row` on that have the same cache, in a row. */
function sameCache(table: usize, row: u32, rows: u32, cache: u32): u32 {
  const pointer = load<u32>(cacheOf(table, row, cache));
  let next = row + 1;
  while (next < rows && load<u32>(cacheOf(table, next, cache)) == pointer) next += 1;
  return next - row;
}

/** The most keys that one of so many rows sees. */
function mostKeys(place: usize, rows: u32): u32 {
  let most: u32 = 0;
  for (const end = place + <usize>rows * ROW_BYTES; place < end; place += ROW_BYTES) most = max(most, load<u32>(place, CACHE_KEYS * 4));
  return most;
}

/** The first key in a row's window. */
// @ts-ignore: AssemblyScript's decorator
@inline
function firstKey(seen: u32, window: u32): u32 {
  return window && seen > window ? seen - window : 0;
}

/** The first chunk that one of so many rows looks into: the keys before it are nobody's. */
function firstChunk(place: usize, rows: u32, window: u32, chunk: u32): u32 {
  let first: u32 = 0xffffffff;
  for (const end = place + <usize>rows * ROW_BYTES; place < end; place += ROW_BYTES) first = min(first, firstKey(load<u32>(place, CACHE_KEYS * 4), window));
  return first / chunk;
}

/**
 * q f32 [rows] of `rowBytes`, head h in the columns from h * K on -> out f32 as q, each row over the keys that it sees
 * in its cache, in the part of `layer` of `layers`. `heads` are those of keys and values; `group` heads of queries
 * share each. Where `window` is not 0, a row sees that many keys, the last ones. bias f32 [heads * group, 2 * reach +
 * 1] by distance key - row, which reaches all distances that occur, or 0. Only the rows from `firstRow` up to `lastRow`
 * are done, as far as there are that many, and the heads of queries from `firstHead` up to `lastHead`. Scratch, for the
 * rows of a tile: quantized int16 [16, K], scales f32 [16], weights int16 [16, keys padded to 16]; sums:
 * ACCUMULATOR_BYTES; long: f32 [16, keys padded to 16] where there may be more than KEYS_AT_ONCE, else 0.
 */
export function attentionQ16(
  out: usize, q: usize, table: usize, cache: u32, bias: usize, quantized: usize, scales: usize, sums: usize, weights: usize, long: usize,
  rows: u32, heads: u32, group: u32, window: u32, dKv: u32, rowBytes: usize, reach: u32, layer: u32, layers: u32,
  firstRow: u32, lastRow: u32, firstHead: u32, lastHead: u32,
): void {
  const positionBytes = positionBytesQ16(heads, dKv);
  const end = min(rows, lastRow);
  let same: u32 = 0;
  let tile: u32 = 0;
  for (let i = firstRow; i < end; i += tile, same -= tile) {
    if (same == 0) same = sameCache(table, i, end, cache);
    tile = tileRowsQ16(same);
    const place = cacheOf(table, i, cache);
    const chunk = load<u32>(place, CACHE_CHUNK * 4);
    const chunkBytes = <usize>(layers * chunk) * positionBytes;
    const at = <usize>i * rowBytes;
    const skipped = window ? firstChunk(place, tile, window, chunk) : 0;
    const part = load<u32>(place) + <usize>(layer * chunk) * positionBytes + <usize>skipped * chunkBytes;
    attendTile(
      tile, out + at, q + at, table + <usize>i * ROW_BYTES, place, part, skipped * chunk, mostKeys(place, tile), chunk, chunkBytes,
      bias, quantized, scales, sums, weights, long, group, window, dKv, rowBytes, reach, firstHead, lastHead,
    );
  }
}

/**
 * Rows of a tile, from `row` of the table on. `part` is the layer's part of the first chunk that is looked into,
 * `start` that chunk's first key.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
function attendTile(
  tile: u32, out: usize, q: usize, row: usize, place: usize, part: usize, start: u32, most: u32, chunk: u32, chunkBytes: usize,
  bias: usize, quantized: usize, scales: usize, sums: usize, weights: usize, long: usize, group: u32, window: u32, dKv: u32, rowBytes: usize, reach: u32,
  firstHead: u32, lastHead: u32,
): void {
  const queryBytes = <usize>(dKv << 1);
  const keys = most - start;
  const padded = (keys + 15) & ~15;
  const weightsBytes = <usize>(padded << 1);
  const isLong = keys > KEYS_AT_ONCE;
  const rowsAt = isLong ? long : sums;
  const rowStride = isLong ? <usize>padded << 2 : TILE_STRIDE;
  const biasBytes = <usize>(2 * reach + 1) << 2;
  let table = bias + (<usize>(reach + start) << 2) + <usize>firstHead * biasBytes;
  let head = part + <usize>(firstHead / group) * headBytes(chunk, dKv);
  for (let h = firstHead; h < lastHead; h++) {
    if (h > firstHead && h % group == 0) head += headBytes(chunk, dKv);
    const at = <usize>h * (<usize>dKv << 2);
    const values = head + keysBytes(chunk, dKv);
    const keyScales = values + keysBytes(chunk, dKv);
    for (let t: u32 = 0; t < tile; t++) {
      const scale = quantizeQuery(quantized + <usize>t * queryBytes, q + at + <usize>t * rowBytes, dKv);
      store<f32>(scales + (<usize>t << 2), scale);
    }
    let offset: usize = 0;
    let done: u32 = 0;
    for (let j: u32 = 0; j < keys; j += chunk, offset += chunkBytes) {
      const groups = (min(keys - j, chunk) + 3) >> 2;
      const sumsAt = sums + (<usize>(j - done) << 2);
      tileQ16(tile, quantized, queryBytes, head + offset, <usize>(dKv << 3), sumsAt, sumsAt + (<usize>groups << 4), dKv, false);
      if (isLong && (j + chunk - done == KEYS_AT_ONCE || j + chunk >= keys)) {
        const bytes = <usize>(min(j + chunk, padded) - done) << 2;
        for (let t: u32 = 0; t < tile; t++) memory.copy(long + <usize>t * rowStride + (<usize>done << 2), sums + <usize>t * TILE_STRIDE, bytes);
        done = j + chunk;
      }
    }
    for (let t: u32 = 0; t < tile; t++) {
      const t32 = <usize>t * ROW_BYTES;
      const all = load<u32>(place + t32, CACHE_KEYS * 4);
      const first = max(firstKey(all, window), start) - start;
      const seen = all - start;
      const distances = bias ? table - (<usize>load<u32>(row + t32, ROW_POSITION * 4) << 2) : 0;
      const p = weights + <usize>t * weightsBytes;
      const scale = scales + (<usize>t << 2);
      store<f32>(scale, weigh(p, rowsAt + <usize>t * rowStride, keyScales, load<f32>(scale), distances, first, seen, chunk, chunkBytes));
      const own = <usize>((seen + 15) & ~15) << 1;
      if (own < weightsBytes) memory.fill(p + own, 0, weightsBytes - own);
    }
    offset = 0;
    for (let j: u32 = 0; j < keys; j += chunk, offset += chunkBytes) {
      const some = min(padded - j, chunk);
      tileQ16(tile, weights + (<usize>j << 1), weightsBytes, values + offset, <usize>chunk << 3, sums, sums + (<usize>dKv << 2), some, j > 0);
    }
    for (let t: u32 = 0; t < tile; t++) {
      const scale = f32x4.splat(load<f32>(scales + (<usize>t << 2)));
      let from = sums + <usize>t * TILE_STRIDE;
      let to = out + at + <usize>t * rowBytes;
      for (const end = to + (<usize>dKv << 2); to < end; to += 16, from += 16) {
        v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(v128.load(from)), scale));
      }
    }
    table += biasBytes;
  }
}

/**
 * One query's sums over its keys, i32, -> p int16 [keys padded]; those before `first` have no weight. Gives the scale
 * of the sums p v.
 */
function weigh(p: usize, row: usize, keyScales: usize, scale: f32, bias: usize, first: u32, keys: u32, chunk: u32, chunkBytes: usize): f32 {
  const padded = (keys + 15) & ~15;
  const end = row + (<usize>padded << 2);
  let offset: usize = 0;
  for (let j: u32 = 0; j < padded; j += chunk, offset += chunkBytes) {
    const some = padded - j < chunk ? padded - j : chunk;
    const at = row + (<usize>j << 2);
    scores(at, at + (<usize>some << 2), keyScales + offset, scale, bias ? bias + (<usize>j << 2) : 0);
  }
  for (let at = row + (<usize>keys << 2); at < end; at += 4) store<f32>(at, MINUS_INFINITY);
  for (let at = row + (<usize>first << 2); at > row; ) store<f32>((at -= 4), MINUS_INFINITY);
  const largest = f32x4.splat(largestOf(row, end));
  let total = f32x4.splat(0);
  let scaled = f32x4.splat(0);
  offset = <usize>chunk << 2; // the values' scales follow the keys'
  for (let j: u32 = 0; j < padded; j += chunk, offset += chunkBytes) {
    const some = padded - j < chunk ? padded - j : chunk;
    const last = row + (<usize>(j + some) << 2);
    let valueScales = keyScales + offset;
    for (let at = row + (<usize>j << 2); at < last; at += 16, valueScales += 16) {
      const x = v128.load(at);
      // what is behind the last key has no weight, whatever scale stands there
      const e = quickExp2(f32x4.mul(f32x4.sub(x, largest), f32x4.splat(LOG2_E)));
      const w = v128.and(f32x4.mul(e, v128.load(valueScales)), f32x4.gt(x, f32x4.splat(MINUS_INFINITY)));
      total = f32x4.add(total, e);
      scaled = f32x4.add(scaled, w);
      v128.store(at, w);
    }
  }
  const weight = sum(scaled);
  roundRow(p, row, padded, f32x4.splat(weight > 0 ? WEIGHT_SUM / weight : 0));
  return weight / WEIGHT_SUM / sum(total);
}
