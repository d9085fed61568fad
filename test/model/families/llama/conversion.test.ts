/** Scales of columns: what int8 rows lose in the end, against columns as they are and columns made wholly equal. */
import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../../../../src/model/families/llama/config.ts';
import { columnScales, INT4_POWER, INT8_POWER, llamaSource } from '../../../../src/model/families/llama/conversion.ts';
import { EMBEDDING_SCALES } from '../../../../src/model/families/llama/tensors.ts';
import type { WeightsKind } from '../../../../src/model/tensor-table.ts';
import { readFixture } from '../../generation/models.ts';

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

const found = ({ matrix }: Case): Float32Array => columnScales([matrix], COLUMNS, (column) => column, INT8_POWER);
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
    expect(Array.from(columnScales([small], 4, (c) => c, INT8_POWER))).toEqual([1, 1, 0.5, 0.5]);
    expect(Array.from(columnScales([small], 4, (c) => c, INT4_POWER))).toEqual([1, 1, 0.25, 0.25]);
    // columns 0 and 2, 1 and 3: mean squares (1 + 1/16) / 2 and 1/32
    const shared = columnScales([small], 4, (c) => c % 2, INT8_POWER);
    expect(shared[0]).toBeCloseTo((17 / 32) ** 0.25, 6);
    expect(shared[1]).toBeCloseTo((1 / 32) ** 0.25, 6);
  });
});

it('an int4 pack has equal columns in its int4 matrices, and those of int8 in its embedding', async () => {
  const config = parseLlamaConfig(readFixture('llama-b', 'config.json'), 'config.json');
  const next = numbers(SEED);
  const { hiddenSize } = config;
  const matrix = Float32Array.from({ length: 16 * hiddenSize }, (_, i) => next() * (1 + (i % hiddenSize)));
  const tensor = async (name: string) => (name.endsWith('norm.weight') ? new Float32Array(hiddenSize).fill(1) : matrix);
  const of = async (weights: WeightsKind, name: string) =>
    await llamaSource({ family: 'llama', config, weights, tiedHead: true }, { tensor })(name);
  const [layer, final] = ['model.layers.0.input_layernorm.weight', 'model.norm.weight'];
  const roots = await of('int8', layer);
  for (const [i, scale] of (await of('int4', layer)).entries()) expect(scale).toBeCloseTo(roots[i]! ** 2, 6);
  // the head is the embedding
  for (const name of [EMBEDDING_SCALES, final]) expect(await of('int4', name)).toEqual(await of('int8', name));
});
