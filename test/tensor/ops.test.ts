/** Every op: a case worked by hand, then random shapes, kernels against reference. */
import { describe, expect, it } from 'vitest';
import { SPAN } from '../../src/tensor/assembly/protocol.ts';
import { inHeads, inOrder, kvPositionBytes, placeFloat32, placeInt8 } from '../../src/tensor/layout.ts';
import type { Activation, Weights } from '../../src/tensor/recorder.ts';
import { plus, register, times } from '../../src/tensor/value.ts';
import { type Bench, kvCache, linearTwice, noise, onBoth, rowAmongOthers } from './machines.ts';

function expectClose(kernels: Float32Array, reference: Float32Array, tolerance: number, what: string): void {
  expect(kernels.length, what).toBe(reference.length);
  for (let i = 0; i < kernels.length; i++) {
    const [a, b] = [kernels[i]!, reference[i]!];
    if (!(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)))) {
      expect.fail(`${what}: expected ${b} at ${i}, got ${a}`);
    }
  }
}

function int8(bench: Bench, values: Float32Array, outputs: number, inputs: number): Weights {
  const rows = inOrder(outputs);
  const cols = inOrder(inputs);
  const at = bench.put(placeInt8(values, inputs, rows, cols));
  const scales = at + rows.length * cols.length;
  return { kind: 'int8', label: 'w', at, scales, outputs: rows.length, inputs: cols.length };
}

function float32(bench: Bench, values: Float32Array, outputs: number, inputs: number): Weights {
  const rows = inOrder(outputs);
  const cols = inOrder(inputs);
  const at = bench.put(placeFloat32(values, inputs, rows, cols));
  return { kind: 'float32', label: 'w', at, outputs: rows.length, inputs: cols.length };
}

describe('linear, int8', () => {
  it('multiplies by hand: scales of 1/127 and 1/8191 come out again', () => {
    const { kernels, reference } = onBoth((b) => {
      const w = int8(b, Float32Array.of(1, 0, 0, 1, 0.5, -1), 3, 2);
      const x = b.rows(1, 16, Float32Array.of(1, 0.5, ...new Array(14).fill(0)), 2);
      const out = b.rows(1, 16);
      b.recorder.linear(out, x, w);
      b.run();
      return b.floats(out.at as number, 4);
    });
    expectClose(kernels, Float32Array.of(1, 0.5, 0, 0), 1e-2, 'by hand');
    expect(kernels).toEqual(reference);
  });

  const shapes: [rows: number, outputs: number, inputs: number][] = [
    [1, 16, 16],
    [1, 384, 512],
    [1, 512, 384],
    [1, 100, 80],
    [3, 48, 1024],
    [8, 64, 64],
    [5, 2064, 528],
    [6, 96, 208],
    [7, 1040, 400],
    [9, 2064, 528],
    [16, 1040, 192],
    [17, 40, 112],
    [31, 16, 784],
    [33, 32, 448],
    // by Strassen's algorithm, all rows or some; in chunks; over several spans
    [64, 256, 256],
    [63, 256, 256],
    [65, 272, 320],
    [128, 528, 512],
    [201, 256, 896],
  ];
  it.each(shapes)('%i rows, %i outputs, %i inputs: the same to the bit', (...shape) => {
    const { kernels, reference } = linearTwice(shape, int8);
    expect(kernels).toEqual(reference);
    expect(kernels.some((v) => v !== 0)).toBe(true);
  });

  it.each([64, 320, 512, 1040])('a row of %i columns comes to the same in every tile', (inputs) => {
    const { kernels, reference } = rowAmongOthers(inputs, [1, 3, 4, 5, 6, 7, 8, 16, 31], int8);
    for (const y of kernels) expect(y).toEqual(reference[0]);
    expect(kernels.length).toBe(81);
  });

  it.each([256, 1024])("a row of %i columns comes to the same by Strassen's algorithm", (inputs) => {
    const { kernels, reference } = rowAmongOthers(inputs, [1, 64, 130], int8, 256);
    for (const y of kernels) expect(y).toEqual(reference[0]);
    expect(kernels.length).toBe(195);
  });

  /**
   * Tiles of sizes that are powers of two, and one row that is left over. Each row has one magnitude and so is
   * quantised to the ends of what it may be.
   */
  const EXTREME_ROWS = 16 + 8 + 4 + 1;
  /** Rows and outputs from which on Strassen's algorithm is used, and rows that it leaves over. */
  const SPLIT = { rows: 64 + EXTREME_ROWS, outputs: 256 };
  const ROW_SIGNS: ((column: number) => number)[] = [
    () => 1,
    () => -1,
    () => 0,
    (c) => (c % 2 ? -1 : 1),
    (c) => (c % 3) - 1,
  ];
  // -128 never comes out of the quantiser; a pack from elsewhere may hold it
  const EXTREME_WEIGHTS: Record<string, (at: number) => number> = {
    'all 127': () => 127,
    'all -128': () => -128,
    '127 and -128': (at) => (Math.imul(at, 2654435761) < 0 ? -128 : 127),
  };

  it.each(
    [
      ...[16, SPAN - 16, SPAN, 1040, 5120].map((inputs) => ({ rows: EXTREME_ROWS, outputs: 16, inputs })),
      ...[3, 5, 6, 7].map((rows) => ({ rows, outputs: 16, inputs: 5120 })),
      ...[SPAN, 5120].map((inputs) => ({ ...SPLIT, inputs })),
    ].flatMap((shape) => Object.keys(EXTREME_WEIGHTS).map((name) => ({ ...shape, name }))),
  )('the largest activations and weights, $name, $rows rows over $inputs columns: exact in every form', (shape) => {
    const { rows, outputs, inputs, name } = shape;
    const rowOf = (i: number) =>
      Float32Array.from({ length: inputs }, (_, c) => 2 * ROW_SIGNS[i % ROW_SIGNS.length]!(c));
    const x = new Float32Array(rows * inputs);
    for (let i = 0; i < rows; i++) x.set(rowOf(i), i * inputs);
    const values = Int8Array.from({ length: outputs * inputs }, (_, at) => EXTREME_WEIGHTS[name]!(at));
    const { kernels, reference } = onBoth((b) => {
      const w = int8(b, new Float32Array(outputs * inputs).fill(127), outputs, inputs);
      b.machine.write(w.at, new Uint8Array(values.buffer));
      const outs = [b.rows(rows, outputs), ...ROW_SIGNS.map(() => b.rows(1, outputs))];
      b.recorder.linear(outs[0]!, b.rows(rows, inputs, x), w);
      for (let i = 0; i < ROW_SIGNS.length; i++) b.recorder.linear(outs[i + 1]!, b.rows(1, inputs, rowOf(i)), w);
      b.run();
      return outs.map(({ at, rows }) => b.floats(at as number, (rows as number) * outputs));
    });
    expect(kernels).toEqual(reference);
    const [tiled, ...alone] = kernels;
    for (let i = 0; i < rows; i++) {
      expect(tiled!.subarray(i * outputs, (i + 1) * outputs), `row ${i}`).toEqual(alone[i % ROW_SIGNS.length]);
    }
    expect(alone[2]).toEqual(new Float32Array(outputs));
    if (name === 'all -128') expectClose(alone[1]!, new Float32Array(outputs).fill(128 * 2 * inputs), 1e-4, 'by hand');
  });

  it('quantises an input once for several matrices, and again once it has changed', () => {
    const { kernels } = onBoth((b) => {
      const w = int8(b, noise(16 * 16, 1), 16, 16);
      const x = b.rows(1, 16, noise(16, 2));
      const [q, k] = [b.rows(1, 16), b.rows(1, 16)];
      b.recorder.linear(q, x, w);
      b.recorder.linear(k, x, w);
      b.recorder.scale('double', x, x, 2);
      b.recorder.linear(q, x, w);
      const names = b.recorder.finish().ops.map((op) => op.name);
      expect(names).toEqual(['quantize', 'linearQ8', 'linearQ8', 'scale', 'quantize', 'linearQ8']);
      b.run();
      return [b.floats(q.at as number, 16), b.floats(k.at as number, 16)];
    });
    expectClose(
      kernels[0]!,
      kernels[1]!.map((v) => 2 * v),
      1e-6,
      'after scaling',
    );
  });
});

describe('linear, float32', () => {
  it.each([
    [1, 16, 16],
    [3, 40, 112],
    [9, 384, 512],
  ])('%i rows, %i outputs, %i inputs: within 1e-5', (rows, outputs, inputs) => {
    const { kernels, reference } = onBoth((b) => {
      const w = float32(b, noise(outputs * inputs, 3, inputs ** -0.5), outputs, inputs);
      const out = b.rows(rows, w.outputs);
      b.recorder.linear(out, b.rows(rows, w.inputs, noise(rows * w.inputs, 4)), w);
      b.run();
      return b.floats(out.at as number, rows * w.outputs);
    });
    expectClose(kernels, reference, 1e-5, 'float32');
  });

  it('refuses weights that do not fit', () => {
    onBoth((b) => {
      const w = float32(b, noise(16 * 32, 3), 16, 32);
      expect(() => b.recorder.linear(b.rows(1, 16), b.rows(1, 16), w)).toThrow(
        'expected [16, 32] weights to fit 16 -> 16',
      );
    });
  });
});

describe('gather', () => {
  it.each(['int8', 'float32'] as const)('%s rows by id', (kind) => {
    const table = noise(10 * 20, 7);
    const { kernels, reference } = onBoth((b) => {
      const w = (kind === 'int8' ? int8 : float32)(b, table, 10, 20);
      const out = b.rows(3, 32, undefined, 20);
      // as in the row table: other words between the ids
      b.recorder.gather(out, b.put(Uint32Array.of(9, 77, 0, 77, 5)), w, 8);
      b.run();
      return b.floats(out.at as number, 3 * 32);
    });
    expect(kernels).toEqual(reference);
    expectClose(kernels.subarray(64, 84), table.subarray(100, 120), 0.03, 'row 5');
    expect(kernels.subarray(84)).toEqual(new Float32Array(12));
  });
});

describe('rmsNorm', () => {
  it('by hand: 3, 4 with a mean square of 12.5, whatever the padding', () => {
    const { kernels } = onBoth((b) => {
      const x = b.rows(1, 16, Float32Array.of(3, 4, ...new Array(14).fill(0)), 2);
      const out = b.rows(1, 16);
      b.recorder.rmsNorm(out, x, { label: 'w', at: b.put(new Float32Array(16).fill(2)) }, 0);
      b.run();
      return b.floats(out.at as number, 2);
    });
    expectClose(kernels, Float32Array.of(6 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)), 1e-6, 'by hand');
  });

  it('random rows: within 1e-5', () => {
    const { kernels, reference } = onBoth((b) => {
      const out = b.rows(5, 96);
      b.recorder.rmsNorm(out, b.rows(5, 96, noise(480, 1), 90), { label: 'w', at: b.put(noise(96, 2)) }, 1e-6);
      b.run();
      return b.floats(out.at as number, 480);
    });
    expectClose(kernels, reference, 1e-5, 'rmsNorm');
  });
});

describe('attention over float32', () => {
  it('by hand: equal scores mix the values evenly, a bias of ln 3 weighs 3 to 1', () => {
    const { kernels } = onBoth((b) => {
      const q = b.rows(1, 16, new Float32Array(16));
      const [k, v] = [b.rows(2, 16, new Float32Array(32)), b.rows(2, 16)];
      b.machine.write(
        v.at as number,
        new Uint8Array(Float32Array.from({ length: 32 }, (_, i) => (i < 16 ? 1 : 5)).buffer),
      );
      const [plain, biased] = [b.rows(1, 16), b.rows(1, 16)];
      const kv = kvCache({ kind: 'float32', heads: 1, dKv: 4 });
      const cache = b.arena.allocate(2 * 32);
      b.recorder.appendKv('kv', b.table([0, 1].map((position) => ({ position, keys: 0, chunk: 2, cache }))), kv, k, v);
      const table = b.table([{ position: 0, keys: 2, chunk: 2, cache }]);
      b.recorder.attention('plain', plain, q, table, kv);
      const bias = { label: 'bias', at: b.put(Float32Array.of(0, Math.log(3), 0)), reach: 1 };
      b.recorder.attention('biased', biased, q, table, kv, { bias: { ...bias, at: bias.at - 4 } });
      b.run();
      return [b.floats(plain.at as number, 4), b.floats(biased.at as number, 4)];
    });
    expectClose(kernels[0]!, new Float32Array(4).fill(3), 1e-6, 'even');
    expectClose(kernels[1]!, new Float32Array(4).fill((3 * 5 + 1) / 4), 1e-6, 'three to one');
  });

  const cases = [
    { rows: 1, keys: 1, heads: 2, dKv: 16, chunk: 1, causal: true, reach: 128 },
    { rows: 1, keys: 37, heads: 6, dKv: 64, chunk: 1, causal: true, reach: 128 },
    { rows: 1, keys: 200, heads: 3, dKv: 24, chunk: 1, causal: true, reach: 199 },
    { rows: 50, keys: 50, heads: 2, dKv: 32, chunk: 50, causal: false, reach: 49 },
    { rows: 50, keys: 50, heads: 2, dKv: 32, chunk: 1, causal: true, reach: 64 },
    { rows: 3, keys: 10, heads: 1, dKv: 12, chunk: 1, causal: true, reach: 0 },
  ];
  it.each(cases)('$rows rows, $keys keys, $heads heads of $dKv, chunks of $chunk, reach $reach', (c) => {
    const { rows, keys, heads, dKv, chunk, causal, reach } = c;
    const cols = inHeads(heads, dKv).length;
    const { kernels, reference } = onBoth((b) => {
      const kv = kvCache({ kind: 'float32', heads, dKv, layer: 1, layers: 3 });
      const cache = b.arena.allocate(keys * 3 * kvPositionBytes('float32', heads, dKv));
      const [k, v] = [2, 3].map((seed) => b.rows(keys, cols, noise(keys * cols, seed)));
      const places = Array.from({ length: keys }, (_, position) => ({
        position,
        keys: causal ? position + 1 : keys,
        chunk,
        cache,
      }));
      b.recorder.appendKv('kv', b.table(places), kv, k!, v!);
      const bias = reach ? { label: 'bias', at: b.put(noise(heads * (2 * reach + 1), 4)), reach } : undefined;
      const out = b.rows(rows, cols);
      const q = b.rows(rows, cols, noise(rows * cols, 1));
      b.recorder.attention('a', out, q, b.table(places.slice(-rows)), kv, { bias });
      b.run();
      return b.floats(out.at as number, rows * cols);
    });
    expectClose(kernels, reference, 2e-5, 'attention');
    expect(kernels.some((x) => x !== 0)).toBe(true);
  });
});

describe('activate', () => {
  const kinds: Activation[] = ['relu', 'gelu_new', 'gelu_exact', 'silu'];
  const byHand: Record<Activation, number> = { relu: 1, gelu_new: 0.841192, gelu_exact: 0.841345, silu: 0.731059 };
  it.each(kinds)('%s of 1, of large and of small numbers, gated and not', (kind) => {
    const x = Float32Array.of(1, 0, -1, 100, -100, 1e4, -1e4, 1e-8, ...noise(56, 9, 2));
    const { kernels, reference } = onBoth((b) => {
      const [plain, gated] = [b.rows(1, 64), b.rows(1, 64)];
      const input = b.rows(1, 64, x);
      b.recorder.activate('plain', plain, input, kind);
      b.recorder.activate('gated', gated, input, kind, b.rows(1, 64, noise(64, 10)));
      b.run();
      return [b.floats(plain.at as number, 64), b.floats(gated.at as number, 64)];
    });
    expect(kernels[0]![0]).toBeCloseTo(byHand[kind], 6);
    expectClose(kernels[0]!, reference[0]!, 1e-6, kind);
    expectClose(kernels[1]!, reference[1]!, 1e-5, `gated ${kind}`);
  });
});

describe('argmax', () => {
  it.each([1, 3, 4, 5, 1000, 32127])('of %i logits, the first of equal ones', (count) => {
    const values = noise(Math.ceil(count / 16) * 16, 11);
    const best = Math.floor(count / 2);
    values[best] = 50;
    if (best + 1 < count) values[count - 1] = 50;
    values.fill(99, count); // padding must never win
    const { kernels, reference } = onBoth((b) => {
      const out = b.arena.allocate(4);
      b.recorder.argmax(out, b.rows(1, values.length, values), count);
      b.run();
      return new Uint32Array(b.machine.read(out, 4).buffer)[0];
    });
    expect(kernels).toBe(best);
    expect(reference).toBe(best);
  });

  it('of several rows: an id each, where it belongs', () => {
    const values = noise(5 * 48, 12);
    const { kernels, reference } = onBoth((b) => {
      const out = b.put(new Uint32Array(40).fill(7));
      b.recorder.argmax(out, b.rows(5, 48, values), 40, 32);
      b.run();
      return Array.from(new Uint32Array(b.machine.read(out, 160).buffer));
    });
    const largest = (row: number): number => {
      const logits = values.subarray(row * 48, row * 48 + 40);
      return logits.indexOf(Math.max(...logits));
    };
    expect(kernels).toEqual(Array.from({ length: 40 }, (_, i) => (i % 8 ? 7 : largest(i / 8))));
    expect(reference).toEqual(kernels);
  });
});

describe('programs', () => {
  it('reads registers anew at each run', () => {
    const { kernels, reference } = onBoth((b) => {
      const source = b.rows(4, 16, noise(64, 1));
      const out = b.rows(1, 16);
      const row = { ...source, at: plus(source.at, times(register(2), 64)), rows: 1 };
      b.recorder.scale('row', out, row, 1);
      b.run([0, 0, 3]);
      return [b.floats(out.at as number, 16), b.floats((source.at as number) + 192, 16)];
    });
    expect(kernels[0]).toEqual(kernels[1]);
    expect(reference[0]).toEqual(reference[1]);
  });
});
