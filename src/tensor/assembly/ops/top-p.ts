// Nucleus sampling's cut (Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", section 3.1), as transformers' TopPLogitsWarper has it.

import { addWide, keepFrom, largestOf, padRow, sumWide } from './row';

/** Sum of what is at most `most`. */
function massUpTo(row: usize, end: usize, most: f32): f64 {
  const t = f32x4.splat(most);
  let total = f64x2.splat(0);
  for (; row < end; row += 64) {
    const v0 = v128.load(row);
    const v1 = v128.load(row, 16);
    const v2 = v128.load(row, 32);
    const v3 = v128.load(row, 48);
    const a = f32x4.add(v128.and(v0, f32x4.le(v0, t)), v128.and(v1, f32x4.le(v1, t)));
    const b = f32x4.add(v128.and(v2, f32x4.le(v2, t)), v128.and(v3, f32x4.le(v3, t)));
    total = addWide(total, f32x4.add(a, b));
  }
  return sumWide(total);
}

/**
 * p f32 [count] -> the least probable become 0, as many as together have no more than `cut` = 1 - top_p; the largest always stays. Equal ones
 * stay or go together. The threshold is found by halving the range of floats from 0 to the largest, 30 times at most.
 */
export function topP(row: usize, count: u32, cut: f32): void {
  const end = padRow(row, count, 0);
  let low: u32 = 0;
  let high = reinterpret<u32>(largestOf(row, end));
  while (high - low > 1) {
    const middle = low + ((high - low) >>> 1);
    if (massUpTo(row, end, reinterpret<f32>(middle)) > <f64>cut) high = middle;
    else low = middle;
  }
  keepFrom(row, end, reinterpret<f32>(high), 0);
}
