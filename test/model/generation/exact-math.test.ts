/** Exponentials and logarithms that are the same in every engine, against the engine's own. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expOf, logOf, logSumExp, softmaxOf } from '../../../src/model/generation/exact-math.ts';

/** A few units in the last place. */
const close = (got: number, expected: number): void =>
  expect(Math.abs(got - expected)).toBeLessThanOrEqual(4 * Number.EPSILON * Math.abs(expected) + 1e-300);

it('e^x of what is not above 0', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 0, noNaN: true }), (x) => {
      close(expOf(x), Math.exp(x));
    }),
    { seed: 18 },
  );
  expect(expOf(0)).toBe(1);
  expect(expOf(-1e9)).toBe(0);
  expect(expOf(Number.NEGATIVE_INFINITY)).toBe(0);
  expect(expOf(Number.NaN)).toBeNaN();
});

it('ln x from 1 to 64', () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 64, noNaN: true }), (x) => {
      expect(Math.abs(logOf(x) - Math.log(x))).toBeLessThan(2e-15);
    }),
    { seed: 18 },
  );
  expect(logOf(1)).toBe(0);
});

it('sums of probabilities by their logarithms, one as it is', () => {
  expect(logSumExp([-3.25])).toBe(-3.25);
  expect(logSumExp([Math.log(0.25), Math.log(0.5)])).toBeCloseTo(Math.log(0.75), 14);
});

it('shares of e^score, whatever the scores are', () => {
  expect(softmaxOf([-5, -5])).toEqual([0.5, 0.5]);
  expect(softmaxOf([-2000, -1000])).toEqual([0, 1]);
  // bits that may not change: answers of earlier versions have them
  expect(softmaxOf([-1, -2.5, -4])).toEqual([0.7855970345892759, 0.1752903921400367, 0.039112573270687456]);
});
