// Sums, maxima and exponentials over the four lanes of an f32x4; float32 to int16.

/** l0 + l1 + l2 + l3, in the order (l0 + l2) + (l1 + l3). */
// @ts-ignore: AssemblyScript's decorator
@inline
export function sum(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The largest lane; lanes are no NaN. pmax and not f32.max: 1 instruction where that costs 18. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function max(v: v128): f32 {
  const pairs = f32x4.pmax(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** The largest magnitude of x f32 [count], a multiple of 16. */
export function largestMagnitude(x: usize, count: u32): f32 {
  let largest = f32x4.splat(0);
  for (const end = x + (<usize>count << 2); x < end; x += 64) {
    const a = f32x4.pmax(f32x4.abs(v128.load(x)), f32x4.abs(v128.load(x, 16)));
    const b = f32x4.pmax(f32x4.abs(v128.load(x, 32)), f32x4.abs(v128.load(x, 48)));
    largest = f32x4.pmax(largest, f32x4.pmax(a, b));
  }
  return max(largest);
}

/** x f32 [count] -> out int16 [count] = nearest(x * inverse), count a multiple of 16. */
export function roundRow(out: usize, x: usize, count: u32, inverse: v128): void {
  for (const end = out + (<usize>count << 1); out < end; out += 32, x += 64) {
    v128.store(out, i16x8.narrow_i32x4_s(rounded(v128.load(x), inverse), rounded(v128.load(x, 16), inverse)));
    v128.store(out, i16x8.narrow_i32x4_s(rounded(v128.load(x, 32), inverse), rounded(v128.load(x, 48), inverse)), 16);
  }
}

/** nearest(v * inverse) as i32x4. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function rounded(v: v128, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v, inverse)));
}

// Adding 1.5 * 2^23 rounds a number to a whole one, which then stands in the low bits as well.
const ROUND: f32 = 12582912;
export const LOG2_E: f32 = 1.44269504;

/**
 * 2^(n + f) with n as ROUND + n and |f| <= 1/2: a polynomial fitted for the least relative error, 9e-8 and 1 at 0, then
 * n added to the exponent.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
function powerOfTwo(n: v128, f: v128): v128 {
  let p = f32x4.add(f32x4.mul(f, f32x4.splat(0.001326472731307149)), f32x4.splat(0.009671512991189957));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.05550733581185341));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.24022242426872253));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.6931470036506653));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1));
  return i32x4.add(p, i32x4.shl(n, 23));
}

/**
 * e^x for each lane, relative error under 3e-7 on [-87, 88], clamped outside; e^0 is 1. x = n ln 2 + r, where ln 2 is
 * subtracted in two parts, the first exact in 12 bits, so that n times it has no rounding.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
export function exp(x: v128): v128 {
  const clamped = f32x4.pmax(f32x4.splat(-87.3), f32x4.pmin(f32x4.splat(88), x));
  const rounded = f32x4.add(f32x4.mul(clamped, f32x4.splat(LOG2_E)), f32x4.splat(ROUND));
  const n = f32x4.sub(rounded, f32x4.splat(ROUND));
  const r = f32x4.sub(f32x4.sub(clamped, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  return powerOfTwo(rounded, f32x4.mul(r, f32x4.splat(LOG2_E)));
}

/**
 * 2^t for each lane on [-126, 127], clamped outside, for half of what exp takes. As e^x with t = x log2 e its relative
 * error is under 3e-7 + 6e-8 |x|.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
export function quickExp2(t: v128): v128 {
  const clamped = f32x4.pmax(f32x4.splat(-126), f32x4.pmin(f32x4.splat(127), t));
  const n = f32x4.add(clamped, f32x4.splat(ROUND));
  return powerOfTwo(n, f32x4.sub(clamped, f32x4.sub(n, f32x4.splat(ROUND))));
}
