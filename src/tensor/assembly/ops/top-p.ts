// Nucleus sampling's cut (Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", section 3.1), as
// transformers' TopPLogitsWarper has it.

import { max } from '../lanes';
import { addWide, keepFrom, largestOf, padRow, sumWide } from './row';

/**
 * p f32 [count] -> the least probable become 0, as many as together have no more than `cut` = 1 - top_p; the largest
 * always stays. Equal ones stay or go together. The threshold is found by halving the range of floats from 0 to the
 * largest; both ends move on to numbers that are there, so that it takes a dozen turns and not thirty.
 */
export function topP(row: usize, count: u32, cut: f32): void {
  const end = padRow(row, count, 0);
  // up to `low` there is no more than the cut, up to `high` there is (or it is the largest)
  let low: u32 = 0;
  let high = reinterpret<u32>(largestOf(row, end));
  while (high - low > 1) {
    const middle = f32x4.splat(reinterpret<f32>(low + ((high - low) >>> 1)));
    let mass = f64x2.splat(0);
    let below = f32x4.splat(0);
    let above = f32x4.splat(Infinity);
    for (let p = row; p < end; p += 64) {
      const v0 = v128.load(p);
      const v1 = v128.load(p, 16);
      const v2 = v128.load(p, 32);
      const v3 = v128.load(p, 48);
      // after a top-k nearly all are zeros
      if (!v128.any_true(v128.or(v128.or(v0, v1), v128.or(v2, v3)))) continue;
      const a0 = v128.and(v0, f32x4.le(v0, middle));
      const a1 = v128.and(v1, f32x4.le(v1, middle));
      const a2 = v128.and(v2, f32x4.le(v2, middle));
      const a3 = v128.and(v3, f32x4.le(v3, middle));
      mass = addWide(mass, f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)));
      below = f32x4.pmax(below, f32x4.pmax(f32x4.pmax(a0, a1), f32x4.pmax(a2, a3)));
      above = pminAbove(above, v0, middle);
      above = pminAbove(above, v1, middle);
      above = pminAbove(above, v2, middle);
      above = pminAbove(above, v3, middle);
    }
    if (sumWide(mass) > <f64>cut) high = reinterpret<u32>(max(below));
    else low = reinterpret<u32>(-max(f32x4.neg(above))) - 1;
  }
  keepFrom(row, end, reinterpret<f32>(high), 0);
}

/** The lesser of each lane's `least` and v, where v is above `middle`. */
// @ts-ignore: AssemblyScript's decorator
@inline
function pminAbove(least: v128, v: v128, middle: v128): v128 {
  return v128.bitselect(f32x4.pmin(least, v), least, f32x4.gt(v, middle));
}
