/** Who is in the next batch. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextBatchOf } from '../../src/service/batching.ts';

interface One {
  served: number;
  rows: number;
}
const rowsOf = ({ rows }: One): number => rows;

describe('a batch', () => {
  it('has all that fit, those first whose turn is longest ago', () => {
    const [a, b, c]: One[] = [
      { served: 3, rows: 1 },
      { served: 1, rows: 4 },
      { served: 2, rows: 1 },
    ];
    expect(nextBatchOf([a!, b!, c!], rowsOf, 6)).toEqual([b, c, a]);
    expect(nextBatchOf([a!, b!, c!], rowsOf, 5)).toEqual([b, c]);
  });

  it('has one that is wider than a batch, alone', () => {
    const [wide, other]: One[] = [
      { served: 0, rows: 16 },
      { served: 1, rows: 1 },
    ];
    expect(nextBatchOf([other!, wide!], rowsOf, 8)).toEqual([wide]);
    expect(nextBatchOf([wide!], rowsOf, 8)).toEqual([wide]);
  });

  it('comes to everybody, whoever else wants: however long it goes on, nobody has more than one token more than another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 32 }),
        (widths, most) => {
          const all = widths.map((rows) => ({ rows, served: 0, made: 0 }));
          let places = 0;
          for (let turn = 1; turn <= 60; turn++) {
            const batch = nextBatchOf(all, rowsOf, most);
            expect(batch.length).toBeGreaterThan(0);
            const rows = batch.reduce((sum, one) => sum + one.rows, 0);
            if (batch.length > 1) expect(rows).toBeLessThanOrEqual(most);
            for (const one of batch) Object.assign(one, { served: ++places, made: one.made + 1 });
            const made = all.map((one) => one.made);
            expect(Math.max(...made) - Math.min(...made)).toBeLessThanOrEqual(1);
          }
        },
      ),
      { seed: 16 },
    );
  });
});
