// The k largest of a row: kept in place for sampling (top-k), or listed for beam search.

import { keepFrom, largestOf, padRow } from './row';

/** Floats as integers of the same order, and back: the bits, of negative ones all but the sign turned over. */
// @ts-ignore: AssemblyScript's decorator
@inline
function ordered(bits: i32): i32 {
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
// @ts-ignore: AssemblyScript's decorator
@inline
function floatOf(key: i32): f32 {
  return reinterpret<f32>(ordered(key));
}

function countFrom(row: usize, end: usize, threshold: f32): u32 {
  const t = f32x4.splat(threshold);
  let counts = i32x4.splat(0);
  for (; row < end; row += 64) {
    // a comparison's true is -1
    const a = i32x4.add(f32x4.ge(v128.load(row), t), f32x4.ge(v128.load(row, 16), t));
    const b = i32x4.add(f32x4.ge(v128.load(row, 32), t), f32x4.ge(v128.load(row, 48), t));
    counts = i32x4.sub(counts, i32x4.add(a, b));
  }
  return i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1) + i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
}

/**
 * logits f32 [count] -> those below the k-th largest become -infinity; all that equal it stay. The k-th is found by
 * halving the range of floats, 32 times at most: exact, whatever the numbers are, and no room is needed.
 */
export function topK(row: usize, count: u32, k: u32): void {
  if (k >= count) return;
  const end = padRow(row, count, -Infinity);
  // at least k are from `low` on, fewer than k from `high` on
  let low = ordered(reinterpret<i32>(<f32>-Infinity));
  let high = ordered(reinterpret<i32>(largestOf(row, end))) + 1;
  while (<u32>(high - low) > 1) {
    const middle = low + <i32>(<u32>(high - low) >>> 1);
    const there = countFrom(row, end, floatOf(middle));
    if (there >= k) low = middle;
    else high = middle;
    if (there == k) break;
  }
  keepFrom(row, end, floatOf(low), -Infinity);
}

/**
 * logits f32 [count] -> ids u32 [k], then their logits f32 [k]: the k largest, falling, the first id first of equal
 * ones. Where fewer than k are above -infinity, the rest of the list is id 0 with -infinity. Written for small k: what
 * enters is sorted in from the end.
 */
export function best(out: usize, row: usize, count: u32, k: u32): void {
  const end = padRow(row, count, -Infinity);
  const values = out + (<usize>k << 2);
  const last = values + (<usize>(k - 1) << 2);
  for (let i: usize = 0; i < k; i++) {
    store<u32>(out + (i << 2), 0);
    store<f32>(values + (i << 2), -Infinity);
  }
  for (let p = row; p < end; p += 16) {
    if (!v128.any_true(f32x4.gt(v128.load(p), v128.load32_splat(last)))) continue;
    for (let q = p; q < p + 16; q += 4) {
      const value = load<f32>(q);
      if (!(value > load<f32>(last))) continue;
      let at = last;
      for (; at > values && load<f32>(at - 4) < value; at -= 4) {
        store<f32>(at, load<f32>(at - 4));
        store<u32>(at - (<usize>k << 2), load<u32>(at - (<usize>k << 2) - 4));
      }
      store<f32>(at, value);
      store<u32>(at - (<usize>k << 2), <u32>((q - row) >> 2));
    }
  }
}
