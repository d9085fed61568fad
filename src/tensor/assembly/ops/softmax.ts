// Probabilities and their logarithms over a row of logits, in place: sums in float64, so that they do not depend on how
// many there are.

import { exp } from '../lanes';
import { addWide, largestOf, padRow, sumWide } from './row';

const MINUS_INFINITY: f32 = -Infinity;

/** e^(x - largest), and 0 for -infinity, where exp() alone would stop at e^-87. */
// @ts-ignore: AssemblyScript's decorator
@inline
function weight(x: v128, largest: v128): v128 {
  return v128.and(exp(f32x4.sub(x, largest)), f32x4.gt(x, f32x4.splat(MINUS_INFINITY)));
}

/**
 * The natural logarithm of a normal x: x = 2^n m with m near 1, and ln m = 2 artanh((m - 1) / (m + 1)) by its series up
 * to the 15th power, error under 1e-14. Own code: the standard library's has tables, which a linked kernel may not
 * have.
 */
function log(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let n = <i32>(bits >>> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    n += 1;
  }
  const s = (m - 1) / (m + 1);
  const squared = s * s;
  let series: f64 = 0;
  for (let power: i32 = 15; power > 0; power -= 2) series = series * squared + 1 / <f64>power;
  return <f64>n * 0.6931471805599453 + 2 * s * series;
}

/** logits f32 [count] -> p[i] = e^x[i] / sum of e^x. */
export function softmax(row: usize, count: u32): void {
  const end = padRow(row, count, MINUS_INFINITY);
  const largest = f32x4.splat(largestOf(row, end));
  let total = f64x2.splat(0);
  for (let p = row; p < end; p += 16) {
    const x = v128.load(p);
    if (!v128.any_true(f32x4.gt(x, f32x4.splat(MINUS_INFINITY)))) {
      // after a top-k nearly all are so
      v128.store(p, f32x4.splat(0));
      continue;
    }
    const e = weight(x, largest);
    total = addWide(total, e);
    v128.store(p, e);
  }
  const inverse = f32x4.splat(<f32>(1 / sumWide(total)));
  for (let p = row; p < end; p += 16) v128.store(p, f32x4.mul(v128.load(p), inverse));
}

/** logits f32 [count] -> x[i] - largest - ln(sum of e^(x - largest)). */
export function logSoftmax(row: usize, count: u32): void {
  const end = padRow(row, count, MINUS_INFINITY);
  const largest = f32x4.splat(largestOf(row, end));
  let total = f64x2.splat(0);
  for (let p = row; p < end; p += 16) total = addWide(total, weight(v128.load(p), largest));
  const logTotal = f32x4.splat(<f32>log(sumWide(total)));
  for (let p = row; p < end; p += 16) v128.store(p, f32x4.sub(f32x4.sub(v128.load(p), largest), logTotal));
}
