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

/** The largest magnitude in `bytes` of float32 at p, a multiple of 16. */
export function largestMagnitude(p: usize, bytes: usize): f32 {
  let largest = f32x4.splat(0);
  const end = p + bytes;
  const fours = p + (bytes & ~63);
  while (p < fours) {
    const a = f32x4.pmax(f32x4.abs(v128.load(p)), f32x4.abs(v128.load(p, 16)));
    const b = f32x4.pmax(f32x4.abs(v128.load(p, 32)), f32x4.abs(v128.load(p, 48)));
    largest = f32x4.pmax(largest, f32x4.pmax(a, b));
    p += 64;
  }
  for (; p < end; p += 16) largest = f32x4.pmax(largest, f32x4.abs(v128.load(p)));
  return max(largest);
}

/** nearest(v * inverse) as i32x4. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function rounded(v: v128, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v, inverse)));
}

// Adding 1.5 * 2^23 rounds a number to a whole one, which then stands in the low bits as well.
const ROUND: f32 = 12582912;
const LOG2_E: f32 = 1.44269504;

/** x log2 e, of [-126, 127]. */
// @ts-ignore: AssemblyScript's decorator
@inline
function binaryExponent(x: v128): v128 {
  return f32x4.pmax(f32x4.splat(-126), f32x4.pmin(f32x4.splat(127), f32x4.mul(x, f32x4.splat(LOG2_E))));
}

/** 2^(n + f) with n as ROUND + n and |f| <= 1/2: a polynomial fitted for the least relative error, 9e-8 and 1 at 0, then n added to the exponent. */
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
 * e^x for each lane, relative error under 3e-7 on [-87, 88], clamped outside; e^0 is 1.
 * x = n ln 2 + r, where ln 2 is subtracted in two parts, the first exact in 12 bits, so that n times it has no rounding.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
export function exp(x: v128): v128 {
  const rounded = f32x4.add(binaryExponent(x), f32x4.splat(ROUND));
  const n = f32x4.sub(rounded, f32x4.splat(ROUND));
  const clamped = f32x4.pmax(f32x4.splat(-87.3), f32x4.pmin(f32x4.splat(88), x));
  const r = f32x4.sub(f32x4.sub(clamped, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  return powerOfTwo(rounded, f32x4.mul(r, f32x4.splat(LOG2_E)));
}

/** As exp with a sixth fewer instructions, relative error under 3e-7 + 6e-8 |x|: for what is quantised afterwards. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function quickExp(x: v128): v128 {
  const t = binaryExponent(x);
  const n = f32x4.add(t, f32x4.splat(ROUND));
  return powerOfTwo(n, f32x4.sub(t, f32x4.sub(n, f32x4.splat(ROUND))));
}
