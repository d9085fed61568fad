// What the ops over one row of logits or probabilities share. A row has `count` numbers and room for a multiple of 16.

import { max } from '../lanes';

/**
 * Fills the room behind the row with `value`, so that no loop has a tail; returns the end, a multiple of 16 numbers on.
 */
export function padRow(row: usize, count: u32, value: f32): usize {
  const end = row + (<usize>((count + 15) & ~15) << 2);
  for (let p = row + (<usize>count << 2); p < end; p += 4) store<f32>(p, value);
  return end;
}

/** The largest number up to `end`, a multiple of 16 numbers on; -infinity of none. */
export function largestOf(row: usize, end: usize): f32 {
  let largest = f32x4.splat(-Infinity);
  for (; row < end; row += 64) {
    const a = f32x4.pmax(v128.load(row), v128.load(row, 16));
    largest = f32x4.pmax(largest, f32x4.pmax(a, f32x4.pmax(v128.load(row, 32), v128.load(row, 48))));
  }
  return max(largest);
}

/** Adds v's lanes to the two of `total`, an f64x2. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function addWide(total: v128, v: v128): v128 {
  const high = v128.shuffle<f32>(v, v, 2, 3, 0, 1);
  return f64x2.add(total, f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(high)));
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function sumWide(total: v128): f64 {
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}

/** Keeps what is at least `threshold`; the rest becomes `value`. */
export function keepFrom(row: usize, end: usize, threshold: f32, value: f32): void {
  const t = f32x4.splat(threshold);
  const fill = f32x4.splat(value);
  for (; row < end; row += 16) {
    const v = v128.load(row);
    v128.store(row, v128.bitselect(v, fill, f32x4.ge(v, t)));
  }
}
