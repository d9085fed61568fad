/** Known answers of Random123 (examples/kat_vectors, "philox4x32 10"), and the paper's definition in big integers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Counter, type Key, philox } from '../../../src/model/generation/philox.ts';

const hex = (words: readonly number[]): string => words.map((w) => w.toString(16).padStart(8, '0')).join(' ');

/** Section 3.3: R' = high(M L) ^ k ^ R, L' = low(M L), for two pairs that change places. */
function byDefinition(key: Key, counter: Counter): bigint[] {
  const low = (x: bigint) => x & 0xffffffffn;
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, low(p1), (p0 >> 32n) ^ c3 ^ k1, low(p0)];
    [k0, k1] = [low(k0 + 0x9e3779b9n), low(k1 + 0xbb67ae85n)];
  }
  return [c0, c1, c2, c3];
}

describe('philox', () => {
  const F = 0xffffffff;
  it.each<[Key, Counter, string]>([
    [[0, 0], [0, 0, 0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[F, F], [F, F, F, F], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('key %j, counter %j', (key, counter, answer) => {
    expect(hex(philox(key, counter))).toBe(answer);
  });

  it('is what the paper defines', () => {
    const word = fc.integer({ min: 0, max: F });
    fc.assert(
      fc.property(fc.tuple(word, word), fc.tuple(word, word, word, word), (key, counter) => {
        expect(philox(key, counter).map(BigInt)).toEqual(byDefinition(key, counter));
      }),
    );
  });
});
