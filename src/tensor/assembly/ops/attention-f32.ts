// Attention over keys and values in float32, unscaled as T5 has it, with a bias by distance or none, over all keys or a
// window of them; several heads of queries may share a head of keys and values. One row and head at a time: scores,
// softmax and the weighted sum of values, in one row of scratch.

import { exp, max, sum } from '../lanes';
import { CACHE_CHUNK, CACHE_KEYS, ROW_BYTES, ROW_POSITION } from '../row-table';
import { cacheOf, positionBytesF32 } from './append-kv';

/** scores[j] = q . k[j] for j < keys; q f32 [dKv], k f32 [keys] rows `rowBytes` apart; four keys a turn. */
function dots(scores: usize, q: usize, k: usize, keys: u32, dKv: u32, rowBytes: usize): void {
  const headBytes = <usize>dKv << 2;
  const end = scores + (<usize>keys << 2);
  const fours = scores + (<usize>(keys & ~3) << 2);
  while (scores < fours) {
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    let k0 = k;
    for (let d: usize = 0; d < headBytes; d += 16) {
      const qd = v128.load(q + d);
      const k1 = k0 + rowBytes;
      const k2 = k1 + rowBytes;
      s0 = f32x4.add(s0, f32x4.mul(qd, v128.load(k0)));
      s1 = f32x4.add(s1, f32x4.mul(qd, v128.load(k1)));
      s2 = f32x4.add(s2, f32x4.mul(qd, v128.load(k2)));
      s3 = f32x4.add(s3, f32x4.mul(qd, v128.load(k2 + rowBytes)));
      k0 += 16;
    }
    // transpose and add: lane i of the result is the sum of s_i's lanes, in the order of sum()
    const a = f32x4.add(v128.shuffle<f32>(s0, s1, 0, 4, 1, 5), v128.shuffle<f32>(s0, s1, 2, 6, 3, 7)); // s0: l0+l2, s1: l0+l2, s0: l1+l3, s1: l1+l3
    const b = f32x4.add(v128.shuffle<f32>(s2, s3, 0, 4, 1, 5), v128.shuffle<f32>(s2, s3, 2, 6, 3, 7));
    v128.store(scores, f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7)));
    scores += 16;
    k += rowBytes << 2;
  }
  while (scores < end) {
    let s = f32x4.splat(0);
    for (let d: usize = 0; d < headBytes; d += 16) s = f32x4.add(s, f32x4.mul(v128.load(q + d), v128.load(k + d)));
    store<f32>(scores, sum(s));
    scores += 4;
    k += rowBytes;
  }
}

/** scores[j] += bias[j]; reads on to a multiple of four. */
function addBias(scores: usize, bias: usize, keys: u32): void {
  for (const end = scores + (<usize>keys << 2); scores < end; scores += 16, bias += 16) {
    v128.store(scores, f32x4.add(v128.load(scores), v128.load(bias)));
  }
}

/** In place; keys are padded to a multiple of four with probability 0. */
function softmax(scores: usize, keys: u32): void {
  const end = scores + (<usize>keys << 2);
  const padded = scores + (<usize>((keys + 3) & ~3) << 2);
  for (let p = end; p < padded; p += 4) store<f32>(p, -Infinity);
  let largest = f32x4.splat(-Infinity);
  for (let p = scores; p < padded; p += 16) largest = f32x4.pmax(largest, v128.load(p));
  const top = f32x4.splat(max(largest));
  let total = f32x4.splat(0);
  for (let p = scores; p < padded; p += 16) {
    const e = exp(f32x4.sub(v128.load(p), top));
    total = f32x4.add(total, e);
    v128.store(p, e);
  }
  // the pads' e^-87 is under half an ulp of a sum that holds a 1
  const inverse = f32x4.splat(<f32>1 / sum(total));
  for (let p = scores; p < padded; p += 16) v128.store(p, f32x4.mul(v128.load(p), inverse));
}

/** out[d] = sum over j of p[j] v[j, d]; out f32 [dKv]. */
function mix(out: usize, p: usize, v: usize, keys: u32, dKv: u32, rowBytes: usize): void {
  const end = p + (<usize>keys << 2);
  const headBytes = <usize>dKv << 2;
  for (let d: usize = 0; d < headBytes; d += 16) {
    let s = f32x4.splat(0);
    let row = v + d;
    for (let at = p; at < end; at += 4) {
      s = f32x4.add(s, f32x4.mul(v128.load32_splat(at), v128.load(row)));
      row += rowBytes;
    }
    v128.store(out + d, s);
  }
}

/**
 * q f32 [rows] of `rowBytes`, head h in the columns from h * K on -> out f32 as q, each row over the keys that it sees
 * in its cache, in the part of `layer` of `layers` (append-kv.ts). A cache has chunks of one position, or is one chunk.
 * `heads` are those of keys and values; `group` heads of queries share each. Where `window` is not 0, a row sees that
 * many keys, the last ones. bias f32 [heads * group, 2 * reach + 1] by distance key - row, which reaches all distances
 * that occur, or 0. Columns past the heads are left alone. Only the rows from `firstRow` up to `lastRow` are done, as
 * far as there are that many, and the heads of queries from `firstHead` up to `lastHead`. scores: scratch of keys
 * floats, padded to a multiple of four. K a multiple of 4.
 */
export function attentionF32(
  out: usize, q: usize, table: usize, cache: u32, bias: usize, scores: usize,
  rows: u32, heads: u32, group: u32, window: u32, dKv: u32, rowBytes: usize, reach: u32, layer: u32, layers: u32,
  firstRow: u32, lastRow: u32, firstHead: u32, lastHead: u32,
): void {
  const headBytes = <usize>dKv << 2;
  const innerBytes = <usize>heads * headBytes;
  const positionBytes = positionBytesF32(heads, dKv);
  const biasBytes = <usize>(2 * reach + 1) << 2;
  out += <usize>firstRow * rowBytes;
  q += <usize>firstRow * rowBytes;
  for (let i = firstRow, end = min(rows, lastRow); i < end; i++) {
    const place = cacheOf(table, i, cache);
    const seen = load<u32>(place, CACHE_KEYS * 4);
    const first: u32 = window && seen > window ? seen - window : 0;
    const keys = seen - first;
    const chunk = load<u32>(place, CACHE_CHUNK * 4);
    const keyBytes = chunk == 1 ? <usize>layers * positionBytes : innerBytes;
    const k = load<u32>(place) + <usize>(layer * chunk) * positionBytes + <usize>first * keyBytes;
    const v = k + <usize>chunk * innerBytes;
    const position = load<u32>(table + <usize>i * ROW_BYTES, ROW_POSITION * 4);
    let distances = bias + (<usize>(reach - position + first) << 2) + <usize>firstHead * biasBytes;
    for (let h = firstHead; h < lastHead; h++) {
      const query = <usize>h * headBytes;
      const at = <usize>(h / group) * headBytes;
      dots(scores, q + query, k + at, keys, dKv, keyBytes);
      if (bias) addBias(scores, distances, keys);
      distances += biasBytes;
      softmax(scores, keys);
      mix(out + query, scores, v + at, keys, dKv, keyBytes);
    }
    out += rowBytes;
    q += rowBytes;
  }
}
