/**
 * Philox 4x32-10, a counter-based random generator: four 32-bit words from a counter and a key, with no state to keep,
 * so that a draw can be repeated by whoever knows seed and position. Not for secrets.
 * Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", section 3.3; constants as in
 * its library Random123.
 */

export type Key = readonly [number, number];
export type Counter = readonly [number, number, number, number];

const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
/** The key grows by these from round to round: the golden ratio, and the square root of 3 less 1. */
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;

/** Upper 32 bits of a product of 32-bit words, by halves of `a`: every step stays under 2^53. */
function high(a: number, b: number): number {
  return Math.floor(((a >>> 16) * b + Math.floor(((a & 0xffff) * b) / 65536)) / 65536);
}

export function philox(key: Key, counter: Counter): [number, number, number, number] {
  let [k0, k1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [c0, c2];
    c0 = (high(MULTIPLIERS[1], b) ^ c1 ^ k0) >>> 0;
    c1 = Math.imul(MULTIPLIERS[1], b);
    c2 = (high(MULTIPLIERS[0], a) ^ c3 ^ k1) >>> 0;
    c3 = Math.imul(MULTIPLIERS[0], a);
    k0 = (k0 + WEYL[0]) >>> 0;
    k1 = (k1 + WEYL[1]) >>> 0;
  }
  return [c0, c1 >>> 0, c2, c3 >>> 0];
}
