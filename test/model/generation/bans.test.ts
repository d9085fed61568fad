/** Which ids must not follow: against the plain form of transformers' NoRepeatNGramLogitsProcessor. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { repeatingIds } from '../../../src/model/generation/bans.ts';

it.each([
  [[0, 5, 6, 5], 2, [6]],
  [[0, 5, 6, 5, 7, 5], 2, [6, 7]],
  [[1, 2, 3, 1, 2], 3, [3]],
  [[4, 4], 2, [4]],
  [[4, 4], 3, []],
  [[9, 8, 9], 1, [8, 9]],
  [[1, 2], 4, []],
])('%j, %i at a time: %j', (ids, n, banned) => {
  expect(repeatingIds(ids, n)).toEqual(banned);
});

it('is every last id of a window that begins as the ids end', () => {
  const ids = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 5 }), (ids, n) => {
      const prefix = ids.slice(ids.length + 1 - n).join();
      const banned = new Set<number>();
      for (let at = 0; ids.length >= n && at + n <= ids.length; at++) {
        const window = ids.slice(at, at + n);
        if (window.slice(0, -1).join() === (n === 1 ? '' : prefix)) banned.add(window.at(-1)!);
      }
      expect([...repeatingIds(ids, n)].sort()).toEqual([...banned].sort());
    }),
  );
});
