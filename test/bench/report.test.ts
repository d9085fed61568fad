import { describe, expect, it } from 'vitest';
import { median, millions, table } from '../../bench/report.ts';

describe('reports', () => {
  it('print Markdown tables of even width', () => {
    const rows = [
      ['a', '1'],
      ['long name', '23.4'],
    ];
    expect(table(['what', 'n'], rows)).toBe(
      ['| what      |    n |', '|-----------|-----:|', '| a         |    1 |', '| long name | 23.4 |'].join('\n'),
    );
  });

  it('take the middle of an odd count and the mean of the two middles of an even one', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('show instructions in millions, small ones more finely', () => {
    expect([1_234, 9_999_999, 12_345_678].map(millions)).toEqual(['0.001', '10.000', '12.3']);
  });
});
