import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distinct } from '../../../src/model/generation/distinct.ts';

describe('the different ones of a list of ids', () => {
  it('are those of a set', () => {
    const ids = fc.array(fc.oneof(fc.nat(9), fc.nat(2 ** 31 - 1)));
    fc.assert(
      fc.property(ids, (ids) => {
        expect([...distinct(ids)].sort()).toEqual([...new Set(ids)].sort());
      }),
    );
  });

  it('keep their order where no two are equal', () => {
    expect(distinct([7, 0, 3])).toEqual([7, 0, 3]);
  });
});
