// Attention over keys and values kept as int16 (keep.ts): both sums in integers, the softmax between them in float32. A tile of queries and a head at a time.
//
//   q f32 -> int16, a scale      q k sums i32 -> scores f32      weights e^score, times the values' scales -> int16 p, whose sum is 32,767      p v sums i32 -> out f32
//
// As the weights' sum, and not the largest, is brought to 32,767, no sum of products with an int16 can overflow, however many keys there are.

import { tileQ16, tileRows } from '../generated/dot-blocks';
import { LOG2_E, largestMagnitude, quickExp2, roundRow, sum } from '../lanes';
import { TILE_STRIDE as TILE_STRIDE_, WEIGHT_SUM as WEIGHT_SUM_ } from '../protocol';
import { headBytes, keyMax, keysBytes } from './keep';
import { largestOf } from './row';

const TILE_STRIDE: usize = TILE_STRIDE_;
const WEIGHT_SUM: f32 = <f32>WEIGHT_SUM_;

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

/** sums i32 -> scores f32, in place, up to `end` by 16: times the keys' scales and the query's; plus bias by key, where it is not 0. */
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

/**
 * q f32 [queries] of `rowBytes`, head h in the columns from h * K on; keys and values as `keep` left them -> out f32 as q.
 * bias f32 [heads, 2 * reach + 1] by distance key - query, which reaches all distances that occur, or 0; query i stands at position first + i, every query sees
 * every key. quantized: int16 [16, K], scales: f32 [16], sums: ACCUMULATOR_BYTES, p: int16 [16, keys padded to 16] of scratch. At most 1,024 keys.
 */
export function attentionQ16(
  out: usize, q: usize, kept: usize, bias: usize, quantized: usize, scales: usize, sums: usize, p: usize,
  queries: u32, keys: u32, heads: u32, dKv: u32, rowBytes: usize, first: u32, reach: u32, chunk: u32, chunkBytes: usize,
): void {
  const queryBytes = <usize>(dKv << 1);
  const padded = (keys + 15) & ~15;
  const pBytes = <usize>(padded << 1);
  const tableBytes = <usize>(2 * reach + 1) << 2;
  for (let tile: u32 = 0, i: u32 = 0; i < queries; i += tile) {
    tile = tileRows(queries - i);
    let head = kept;
    let table = bias;
    for (let h: u32 = 0; h < heads; h++) {
      const at = <usize>i * rowBytes + <usize>h * (<usize>dKv << 2);
      const values = head + keysBytes(chunk, dKv);
      const keyScales = values + keysBytes(chunk, dKv);
      for (let t: u32 = 0; t < tile; t++) {
        const scale = quantizeQuery(quantized + <usize>t * queryBytes, q + at + <usize>t * rowBytes, dKv);
        store<f32>(scales + (<usize>t << 2), scale);
      }
      let offset: usize = 0;
      for (let j: u32 = 0; j < keys; j += chunk, offset += chunkBytes) {
        const groups = ((keys - j < chunk ? keys - j : chunk) + 3) >> 2;
        const row = sums + (<usize>j << 2);
        tileQ16(tile, quantized, queryBytes, head + offset, <usize>(dKv << 3), row, row + (<usize>groups << 4), dKv, false);
      }
      for (let t: u32 = 0; t < tile; t++) {
        const distances = bias ? table + (<usize>(reach - first - i - t) << 2) : 0;
        const weights = p + <usize>t * pBytes;
        const scale = scales + (<usize>t << 2);
        store<f32>(scale, weigh(weights, sums + <usize>t * TILE_STRIDE, keyScales, load<f32>(scale), distances, keys, chunk, chunkBytes));
      }
      offset = 0;
      for (let j: u32 = 0; j < keys; j += chunk, offset += chunkBytes) {
        const some = padded - j < chunk ? padded - j : chunk;
        tileQ16(tile, p + (<usize>j << 1), pBytes, values + offset, <usize>chunk << 3, sums, sums + (<usize>dKv << 2), some, j > 0);
      }
      for (let t: u32 = 0; t < tile; t++) {
        const scale = f32x4.splat(load<f32>(scales + (<usize>t << 2)));
        let from = sums + <usize>t * TILE_STRIDE;
        let to = out + at + <usize>t * rowBytes;
        for (const end = to + (<usize>dKv << 2); to < end; to += 16, from += 16) {
          v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(v128.load(from)), scale));
        }
      }
      head += headBytes(chunk, dKv);
      table += tableBytes;
    }
  }
}

/** One query's sums over its keys, i32, -> p int16 [keys padded]; gives the scale of the sums p v. */
function weigh(p: usize, row: usize, keyScales: usize, scale: f32, bias: usize, keys: u32, chunk: u32, chunkBytes: usize): f32 {
  const padded = (keys + 15) & ~15;
  const end = row + (<usize>padded << 2);
  let offset: usize = 0;
  for (let j: u32 = 0; j < padded; j += chunk, offset += chunkBytes) {
    const some = padded - j < chunk ? padded - j : chunk;
    const at = row + (<usize>j << 2);
    scores(at, at + (<usize>some << 2), keyScales + offset, scale, bias ? bias + (<usize>j << 2) : 0);
  }
  for (let at = row + (<usize>keys << 2); at < end; at += 4) store<f32>(at, -Infinity);
  const largest = f32x4.splat(largestOf(row, end));
  let total = f32x4.splat(0);
  let scaled = f32x4.splat(0);
  offset = <usize>chunk << 2; // the values' scales follow the keys'
  for (let j: u32 = 0; j < padded; j += chunk, offset += chunkBytes) {
    const some = padded - j < chunk ? padded - j : chunk;
    const last = row + (<usize>(j + some) << 2);
    let valueScales = keyScales + offset;
    for (let at = row + (<usize>j << 2); at < last; at += 16, valueScales += 16) {
      const e = quickExp2(f32x4.mul(f32x4.sub(v128.load(at), largest), f32x4.splat(LOG2_E)));
      const w = f32x4.mul(e, v128.load(valueScales));
      total = f32x4.add(total, e);
      scaled = f32x4.add(scaled, w);
      v128.store(at, w);
    }
  }
  const weight = sum(scaled);
  roundRow(p, row, padded, f32x4.splat(weight > 0 ? WEIGHT_SUM / weight : 0));
  return weight / WEIGHT_SUM / sum(total);
}
