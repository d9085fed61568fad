/**
 * What decoder-only models need of the ops: rotation, sums, queries that share keys, windows, more keys than are summed
 * at once.
 */
import { describe, expect, it } from 'vitest';
import { kvPositionBytes } from '../../src/tensor/layout.ts';
import { type Bench, kvCache, noise, onBoth, type TestRow } from './machines.ts';

/** The largest difference by the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  const largest = b.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  return a.reduce((m, x, i) => Math.max(m, Math.abs(x - b[i]!)), 0) / (largest || 1);
}

const tableOf = (b: Bench, positions: readonly number[]) =>
  b.table(positions.map((position) => ({ position, cache: 0, keys: 0, chunk: 1 })));

describe('rotate', () => {
  it('turns by hand: a quarter turn a position brings a pair (1, 0) to (0, 1), then to (-1, 0)', () => {
    const { kernels, reference } = onBoth((b) => {
      const x = b.rows(
        3,
        16,
        Float32Array.from({ length: 48 }, (_, i) => (i % 16 === 0 ? 1 : 0)),
      );
      const frequencies = { label: 'f', at: b.put(Float32Array.of(Math.PI / 2, 0)) };
      const angles = b.arena.allocate(3 * 4 * 4);
      b.recorder.angles(angles, tableOf(b, [0, 1, 2]), frequencies, 2);
      b.recorder.rotate('x', x, angles, 1, 2);
      b.run();
      const all = b.floats(x.at as number, 48);
      return [0, 16, 32].map((at) => [all[at]!, all[at + 2]!]);
    });
    for (const made of [kernels, reference]) {
      [
        [1, 0],
        [0, 1],
        [-1, 0],
      ].forEach((pair, i) => {
        expect(made[i]![0]).toBeCloseTo(pair[0]!, 6);
        expect(made[i]![1]).toBeCloseTo(pair[1]!, 6);
      });
    }
  });

  it.each([
    [1, 1, 2],
    [5, 3, 7],
    [17, 4, 32],
    [64, 9, 32],
    [2, 2, 13],
  ])('%i rows, %i heads, %i pairs: as the reference, pads untouched', (rows, heads, pairs) => {
    const dKv = Math.ceil((2 * pairs) / 16) * 16;
    const { kernels, reference } = onBoth((b) => {
      const x = b.rows(rows, heads * dKv, noise(rows * heads * dKv, 3));
      const positions = Array.from({ length: rows }, (_, i) => (i * 977) % 8192);
      const frequencies = Float32Array.from({ length: pairs }, (_, i) => 10000 ** (-i / pairs));
      const angles = b.arena.allocate(rows * pairs * 8);
      b.recorder.angles(angles, tableOf(b, positions), { label: 'f', at: b.put(frequencies) }, pairs);
      b.recorder.rotate('x', x, angles, heads, pairs);
      b.run();
      return b.floats(x.at as number, rows * heads * dKv);
    });
    expect(difference(kernels, reference)).toBeLessThan(1e-6);
    const before = noise(rows * heads * dKv, 3);
    for (let i = 0; i < kernels.length; i++) if (i % dKv >= 2 * pairs) expect(kernels[i]).toBe(before[i]);
  });
});

describe('add, addRow and scaleRow', () => {
  it.each([
    [1, 16],
    [7, 48],
  ])('%i rows of %i columns: the same to the bit', (rows, cols) => {
    const { kernels, reference } = onBoth((b) => {
      const [x, y] = [1, 2].map((seed) => b.rows(rows, cols, noise(rows * cols, seed)));
      b.recorder.add('sum', x!, y!);
      b.recorder.addRow(x!, { label: 'bias', at: b.put(noise(cols, 3)) });
      b.recorder.scaleRow(x!, { label: 'factors', at: b.put(noise(cols, 4)) });
      b.run();
      return b.floats(x!.at as number, rows * cols);
    });
    expect(kernels).toEqual(reference);
    const [x, y, bias, factors] = [noise(rows * cols, 1), noise(rows * cols, 2), noise(cols, 3), noise(cols, 4)];
    const last = cols - 1;
    const sum = Math.fround(Math.fround(x[last]! + y[last]!) + bias[last]!);
    expect(kernels[last]).toBe(Math.fround(sum * factors[last]!));
  });
});

interface Shape {
  keys: number;
  heads: number;
  group: number;
  dKv: number;
  window: number;
}

const kinds = ['int16', 'float32'] as const;
type Kind = (typeof kinds)[number];

/** Attention of rows at these positions, in batches, over all keys before them. */
function attend(kind: Kind, { keys, heads, group, dKv, window }: Shape, batches: readonly (readonly number[])[]) {
  const chunk = kind === 'int16' ? 16 : 1;
  return onBoth((b) => {
    const kv = kvCache({ kind, heads, dKv, layer: 1, layers: 2 });
    const padded = Math.ceil(keys / 16) * 16;
    b.scratch.scores = b.arena.allocate(padded * 32);
    b.scratch.long = b.arena.allocate(padded * 64);
    const cache = b.put(new Uint8Array(padded * 2 * kvPositionBytes(kind, heads, dKv)).fill(0xff));
    const [k, v] = [1, 2].map((seed) => b.rows(keys, heads * dKv, noise(keys * heads * dKv, seed)));
    const rowOf = (position: number): TestRow => ({ position, cache, keys: position + 1, chunk });
    const all = Array.from({ length: keys }, (_, position) => rowOf(position));
    b.recorder.appendKv('kv', b.table(all), kv, k!, v!);
    const cols = heads * group * dKv;
    const outs = batches.map((positions) => {
      const values = positions.flatMap((position) => [...noise(cols, 100 + position)]);
      const out = b.rows(positions.length, cols);
      const q = b.rows(positions.length, cols, Float32Array.from(values));
      b.recorder.attention('a', out, q, b.table(positions.map(rowOf)), kv, { group, window });
      return out;
    });
    b.run();
    return outs.flatMap(({ at, rows }) =>
      Array.from({ length: rows as number }, (_, i) => b.floats((at as number) + i * cols * 4, cols)),
    );
  });
}

const shapes: Shape[] = [
  { keys: 40, heads: 1, group: 1, dKv: 16, window: 0 },
  { keys: 40, heads: 3, group: 3, dKv: 16, window: 0 },
  { keys: 40, heads: 2, group: 2, dKv: 32, window: 16 },
  { keys: 100, heads: 1, group: 4, dKv: 16, window: 7 },
  { keys: 100, heads: 2, group: 1, dKv: 16, window: 1 },
  { keys: 1024, heads: 1, group: 2, dKv: 16, window: 0 },
  { keys: 1025, heads: 1, group: 2, dKv: 16, window: 0 },
  { keys: 2500, heads: 1, group: 1, dKv: 16, window: 0 },
  { keys: 2500, heads: 1, group: 2, dKv: 16, window: 1500 },
];

describe.each(kinds)('attention, %s', (kind) => {
  it.each(shapes)('$keys keys, $heads heads of $dKv for $group queries each, window $window', (shape) => {
    const last = shape.keys - 1;
    const positions = [0, 5, 17, last - 2, last - 1, last];
    const { kernels, reference } = attend(kind, shape, [positions]);
    kernels.forEach((row, i) => {
      expect(difference(row, reference[i]!), `row ${i}`).toBeLessThan(kind === 'int16' ? 5e-4 : 1e-5);
    });
  });

  it('over many keys is what plain attention says', () => {
    const shape = { keys: 1500, heads: 2, group: 2, dKv: 16, window: 0 };
    const [exact, made] = [attend('float32', shape, [[1499]]).reference[0]!, attend(kind, shape, [[1499]]).kernels[0]!];
    expect(difference(made, exact)).toBeLessThan(2e-2);
  });

  it.each([
    { keys: 90, heads: 2, group: 3, dKv: 16, window: 20 },
    { keys: 1300, heads: 1, group: 2, dKv: 16, window: 1100 },
  ])('comes to the same however rows are grouped: $keys keys, window $window', (shape) => {
    const positions = Array.from({ length: 40 }, (_, i) => shape.keys - 40 + i);
    const alone = attend(
      kind,
      shape,
      positions.map((position) => [position]),
    );
    const ends = [16, 24, 25, 30, 40];
    const grouped = ends.map((end, i) => positions.slice(ends[i - 1] ?? 0, end));
    expect(attend(kind, shape, grouped).kernels).toEqual(alone.kernels);
  });
});
