/** Scales of columns: what int8 rows lose in the end, against columns as they are and columns made wholly equal. */
import { describe, expect, it } from 'vitest';
import { columnScales } from '../../../../src/model/families/llama/conversion.ts';

const [ROWS, COLUMNS, INPUTS] = [64, 128, 20];
/** A column that is larger than others. */
const LARGE = 5;
const SEED = 17;

/** From -1 to 1, xorshift32. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}

interface Case {
  matrix: Float32Array;
  inputs: number[][];
}

/**
 * Weights with few large ones among many small, one column `weight` times as large as others, its inputs `input` times.
 */
function example({ weight, input }: { weight: number; input: number }): Case {
  const next = numbers(SEED);
  const times = (column: number, factor: number) => (column === LARGE ? factor : 1);
  const matrix = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => next() ** 5 * times(i % COLUMNS, weight));
  const inputs = Array.from({ length: INPUTS }, () =>
    Array.from({ length: COLUMNS }, (_, column) => next() * times(column, input)),
  );
  return { matrix, inputs };
}

/** Squares of what int8 rows of a matrix, its columns over `scales`, make of the inputs, less what they should make. */
function error({ matrix, inputs }: Case, scales: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < matrix.length; at += COLUMNS) {
    const row = Array.from({ length: COLUMNS }, (_, c) => matrix[at + c]! / scales[c]!);
    const step = Math.max(...row.map(Math.abs)) / 127;
    const errors = row.map((w, c) => (Math.round(w / step) * step - w) * scales[c]!);
    for (const input of inputs) sum += errors.reduce((e, off, c) => e + off * input[c]!, 0) ** 2;
  }
  return Math.sqrt(sum / ROWS / inputs.length);
}

const found = ({ matrix }: Case): Float32Array => columnScales([matrix], COLUMNS, (column) => column);
const asTheyAre = new Float32Array(COLUMNS).fill(1);

/** Scales that give all columns one root mean square, rows relative to their largest. */
function whollyEqual({ matrix }: Case): number[] {
  const squares = new Array<number>(COLUMNS).fill(0);
  for (let at = 0; at < matrix.length; at += COLUMNS) {
    const row = matrix.subarray(at, at + COLUMNS);
    const largest = Math.max(...row.map(Math.abs));
    for (const [c, w] of row.entries()) squares[c]! += (w / largest) ** 2;
  }
  return squares.map((square) => Math.sqrt(square / ROWS));
}

describe(`scales of columns (seed ${SEED})`, () => {
  it('give other columns room beside one that is large in all rows', () => {
    const large = example({ weight: 200, input: 1 });
    expect(error(large, found(large))).toBeLessThan(0.6 * error(large, asTheyAre));
  });

  it('leave room to a column of large inputs, which columns made wholly equal take from it', () => {
    const large = example({ weight: 4, input: 100 });
    expect(error(large, found(large))).toBeLessThan(0.75 * error(large, whollyEqual(large)));
  });

  it('are the same whatever the size of a row, 1 for a column of zeros, and one for columns that share theirs', () => {
    const rows = [
      [4, 0, 1, 1],
      [400, 0, 100, 100],
      [0, 0, 0, 0],
    ];
    const small = Float32Array.from(rows.flat());
    expect(Array.from(columnScales([small], 4, (c) => c))).toEqual([1, 1, 0.5, 0.5]);
    // columns 0 and 2, 1 and 3: mean squares (1 + 1/16) / 2 and 1/32
    const shared = columnScales([small], 4, (c) => c % 2);
    expect(shared[0]).toBeCloseTo((17 / 32) ** 0.25, 6);
    expect(shared[1]).toBeCloseTo((1 / 32) ** 0.25, 6);
  });
});
