/**
 * e^x and ln x by sums, products and quotients alone, which IEEE 754 fixes to the bit: `Math.exp` and `Math.log` differ
 * in their last bits from engine to engine, and
 * an answer of the canister must be the same on every machine that works it out again. Errors are a few units in the
 * last place.
 */

/** ln 2 in two parts: multiples of the first, up to 2^11, are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** 2^n is written as the upper word of a double from here on; what is smaller counts as 0. */
const LEAST_EXPONENT = -1022;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/**
 * e^x for x of at most 0; 0 where that is below 2^-1022. @source Cody, Waite 1980: reduction by ln 2 in two parts; then
 * Taylor's series
 */
export function expOf(x: number): number {
  const n = Math.round(x / Math.LN2);
  if (!(n >= LEAST_EXPONENT)) return n < LEAST_EXPONENT ? 0 : Number.NaN;
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let series = 1;
  for (let power = 14; power > 0; power--) series = 1 + (series * r) / power;
  double[0] = 0;
  words[1] = (n + 1023) << 20;
  return series * double[0]!;
}

/**
 * ln x for x of [1, 64], a sum of a few probabilities over the largest: x = 2^n m with m near 1, and ln m = 2 artanh((m
 * - 1) / (m + 1)).
 */
export function logOf(x: number): number {
  let [n, m] = [0, x];
  for (; m > Math.SQRT2; n++) m /= 2;
  const s = (m - 1) / (m + 1);
  let series = 0;
  for (let power = 21; power > 0; power -= 2) series = series * s * s + 1 / power;
  return n * LN2_HIGH + (n * LN2_LOW + 2 * s * series);
}

/** The logarithm of a sum of what has these logarithms, one to 64 of them, added up in their order. */
export function logSumExp(logarithms: readonly number[]): number {
  if (logarithms.length === 1) return logarithms[0]!;
  const largest = Math.max(...logarithms);
  let sum = 0;
  for (const logarithm of logarithms) sum += expOf(logarithm - largest);
  return largest + logOf(sum);
}

/** Probabilities in proportion to e^score; sums run in the scores' order. */
export function softmaxOf(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const weights = scores.map((score) => expOf(score - largest));
  let total = 0;
  for (const weight of weights) total += weight;
  return weights.map((weight) => weight / total);
}
