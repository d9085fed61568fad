/** Ops that may take more than a message has room for are recorded in parts, which give the same to the bit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeInt4 } from '../../src/tensor/int4.ts';
import { inOrder, kvChunk, kvPositionBytes, placeFloat32, placeInt8 } from '../../src/tensor/layout.ts';
import type { Program } from '../../src/tensor/machine.ts';
import { attentionInstructions, linearInstructions, OP_INSTRUCTIONS, partsOf } from '../../src/tensor/op-costs.ts';
import { opEntry } from '../../src/tensor/ops.ts';
import { matrixAt, Recorder, type Weights } from '../../src/tensor/recorder.ts';
import { Reference } from '../../src/tensor/reference/reference.ts';
import { register } from '../../src/tensor/value.ts';
import { Bench, kvCache, newUnit, noise } from './machines.ts';

/** What an op of a program was recorded with, where it is a number. */
function argsOf({ words, ops }: Program, i: number): Record<string, number> {
  const { name, from } = ops[i]!;
  return Object.fromEntries(opEntry(name).names.map((arg, a) => [arg, words[from + 1 + a]!]));
}

const PLACES = { int4: placeInt4, int8: placeInt8, float32: placeFloat32 };

function weightsOf(b: Bench, kind: Weights['kind'], outputs: number, inputs: number): Weights {
  const [rows, cols] = [inOrder(outputs), inOrder(inputs)];
  const placed = PLACES[kind](noise(outputs * inputs, 3), inputs, rows, cols);
  const at = b.put(placed instanceof Float32Array ? placed : new Uint8Array(placed.buffer, 0, placed.byteLength));
  return matrixAt(kind, 'w', at, rows.length, cols.length);
}

const SHAPES = fc.record({
  kind: fc.constantFrom('int4' as const, 'int8' as const, 'float32' as const),
  rows: fc.constantFrom(1, 3, 8, 9, 16, 17, 33, 64, 70),
  outputs: fc.integer({ min: 1, max: 70 }).map((n) => n * 16),
  inputs: fc.constantFrom(16, 80, 256, 528, 1040),
  accumulate: fc.boolean(),
  /** How many outputs an op may make. */
  fit: fc.integer({ min: 16, max: 1500 }),
});

describe('linear in parts', () => {
  it('gives the same as in one, and no op takes more than it may', () => {
    let parted = 0;
    fc.assert(
      fc.property(SHAPES, ({ kind, rows, outputs, inputs, accumulate, fit }) => {
        const b = new Bench(newUnit(), { rows, cols: inputs, keys: 16 });
        const w = weightsOf(b, kind, outputs, inputs);
        const x = b.rows(rows, w.inputs, noise(rows * w.inputs, 4));
        const [whole, inParts] = [0, 1].map(() => b.rows(rows, outputs, noise(rows * outputs, 5)));
        b.recorder.linear(whole!, x, w, { accumulate });
        const each = linearInstructions(kind, rows, w.inputs);
        const r = new Recorder(b.scratch, { rows: 1000, keys: 0, sequences: 1 }, fit * each);
        r.linear(inParts!, x, w, { accumulate });
        const program = r.finish();
        let made = 0;
        program.ops.forEach(({ name }, i) => {
          if (name === 'quantize') return;
          const { from, to } = argsOf(program, i) as { from: number; to: number };
          expect(from).toBe(made);
          expect((to - from) * each).toBeLessThanOrEqual(fit * each);
          made = to;
        });
        expect(made).toBe(outputs);
        if (program.ops.length > 2) parted += 1;
        b.run();
        const at = b.put(program.words);
        b.machine.run(at, program.ops[0]!.from, program.words.length, []);
        const [a, c] = [whole!, inParts!].map((out) => b.floats(out.at as number, rows * outputs));
        expect(c).toEqual(a);
      }),
      { numRuns: 30 },
    );
    expect(parted).toBeGreaterThan(8);
  });

  it.each(['int4', 'int8', 'float32'] as const)('%s: kernels and reference agree on a part', (kind) => {
    const made = [newUnit(), new Reference()].map((machine) => {
      const b = new Bench(machine, { rows: 3, cols: 80, keys: 16 });
      const w = weightsOf(b, kind, 48, 80);
      const x = b.rows(3, 80, noise(240, 4));
      const out = b.rows(3, 48);
      const r = new Recorder(b.scratch, { rows: 3, keys: 0, sequences: 1 }, 16 * linearInstructions(kind, 3, 80));
      r.linear(out, x, w);
      const program = r.finish();
      const at = b.put(program.words);
      // all but the last part
      b.machine.run(at, program.ops[0]!.from, program.ops.at(-1)!.from, []);
      return b.floats(out.at as number, 3 * 48);
    });
    for (const [i, x] of made[0]!.entries()) expect(x).toBeCloseTo(made[1]![i]!, 4);
    expect(made[0]!.slice(32, 48)).toEqual(new Float32Array(16));
  });
});

const ATTENTION = fc.record({
  kind: fc.constantFrom('int16' as const, 'float32' as const),
  rows: fc.constantFrom(1, 3, 17, 40),
  keys: fc.constantFrom(40, 65),
  heads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  window: fc.constantFrom(0, 0, 20),
  hasBias: fc.boolean(),
  /** How many heads of all rows an op may do. */
  fit: fc.constantFrom(0.1, 0.5, 1, 1.7, 2, 5),
});

describe('attention in parts', () => {
  it('gives the same as in one, and no op takes more than it may', () => {
    let parted = 0;
    fc.assert(
      fc.property(ATTENTION, ({ kind, rows, keys, heads, group, window, hasBias, fit }) => {
        const dKv = 16;
        const b = new Bench(newUnit(), { rows: 64, cols: 256, keys: 128 });
        const chunk = kvChunk(kind);
        const cache = b.arena.allocate(Math.ceil(keys / chunk) * chunk * kvPositionBytes(kind, heads, dKv));
        const kv = kvCache({ kind, heads, dKv });
        const all = Array.from({ length: keys }, (_, position) => ({ position, cache, keys: position + 1, chunk }));
        const [k, v] = [1, 2].map((seed) => b.rows(keys, heads * dKv, noise(keys * heads * dKv, seed)));
        b.recorder.appendKv('kv', b.table(all), kv, k!, v!);
        const cols = heads * group * dKv;
        const q = b.rows(rows, cols, noise(rows * cols, 3));
        const [whole, inParts] = [b.rows(rows, cols), b.rows(rows, cols)];
        const reach = keys;
        const bias = { label: 'bias', at: b.put(noise(heads * group * (2 * reach + 1), 4)), reach };
        const options = { group, window, ...(hasBias && { bias }) };
        const table = b.table(all.slice(-rows));
        b.recorder.attention('attention', whole, q, table, kv, options);
        b.run();
        const seen = window > 0 ? Math.min(keys, window + 16 + chunk) : keys;
        const sequences = 2;
        const of = (some: number): number => attentionInstructions(kind, { rows: some, keys: seen, sequences }, dKv);
        const budget = Math.max(of(1), fit * of(rows));
        const r = new Recorder(b.scratch, { rows, keys, sequences }, budget);
        // the rows in a register, as models have them
        const [count, table2] = [register(0), { ...table, rows: register(0) }];
        r.attention('attention', { ...inParts, rows: count }, { ...q, rows: count }, table2, kv, options);
        const program = r.finish();
        program.ops.forEach((_, i) => {
          const { firstRow, lastRow, firstHead, lastHead } = argsOf(program, i) as Record<string, number>;
          const took = (lastHead! - firstHead!) * of(Math.min(rows, lastRow!) - firstRow!);
          expect(took).toBeLessThanOrEqual(budget);
        });
        if (program.ops.length > 1) parted += 1;
        const at = b.put(program.words);
        b.machine.run(at, program.ops[0]!.from, program.words.length, [rows]);
        const [a, c] = [whole, inParts].map((out) => b.floats(out.at as number, rows * cols));
        expect(c).toEqual(a);
      }),
      { numRuns: 60 },
    );
    expect(parted).toBeGreaterThan(15);
  });
});

describe('partsOf', () => {
  it('prefers large steps, and one part where that fits', () => {
    expect(partsOf(3000, 1, 3000, [1024, 256, 16])).toEqual([[0, 3000]]);
    expect(partsOf(3000, 1, 2100, [1024, 256, 16])).toEqual([
      [0, 2048],
      [2048, 3000],
    ]);
    expect(partsOf(600, 1, 300, [1024, 256, 16]).map(([, to]) => to)).toEqual([256, 512, 600]);
    expect(partsOf(48, 1, 17, [1024, 256, 16]).map(([, to]) => to)).toEqual([16, 32, 48]);
  });

  it('gives the least step where even that is too much', () => {
    expect(partsOf(32, 10, 5, [16])).toEqual([
      [0, 16],
      [16, 32],
    ]);
  });

  it('leaves most of a slice to what comes before an op', () => {
    expect(OP_INSTRUCTIONS).toBeLessThanOrEqual(400_000_000);
  });
});
