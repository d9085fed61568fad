/**
 * Attention over keys and values kept as int16: what is kept, to the bit; what comes out, against the reference and
 * against attention in float32.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kvPositionBytes } from '../../src/tensor/layout.ts';
import type { DistanceBias, KvCache } from '../../src/tensor/recorder.ts';
import { type Bench, kvCache, noise, onBoth, type TestRow } from './machines.ts';

interface Shape {
  rows: number;
  keys: number;
  heads: number;
  dKv: number;
  /** Positions of a chunk: all keys, or a few. */
  chunk: number;
}

/** The middle one of three layers. */
const kvOf = ({ heads, dKv }: Shape): KvCache => kvCache({ kind: 'int16', heads, dKv, layer: 1, layers: 3 });

const cacheBytes = ({ keys, heads, dKv, chunk }: Shape): number =>
  Math.ceil(keys / chunk) * chunk * 3 * kvPositionBytes('int16', heads, dKv);

/** Room for keys and values, full of what an earlier session may have left: NaN, where it is read as a scale. */
const cacheRoom = (b: Bench, shape: Shape): number => b.put(new Uint8Array(cacheBytes(shape)).fill(0xff));

const inner = ({ heads, dKv }: Shape): number => heads * dKv;

/** All positions of a cache; each row sees all keys, or those up to its own. */
const rowsOf = ({ keys, chunk }: Shape, cache: number, causal = false): TestRow[] =>
  Array.from({ length: keys }, (_, position) => ({ position, cache, keys: causal ? position + 1 : keys, chunk }));

const shapes: Shape[] = [
  { rows: 1, keys: 1, heads: 2, dKv: 16, chunk: 16 },
  { rows: 1, keys: 17, heads: 6, dKv: 64, chunk: 16 },
  { rows: 1, keys: 33, heads: 6, dKv: 64, chunk: 48 },
  { rows: 1, keys: 512, heads: 2, dKv: 64, chunk: 16 },
  { rows: 1, keys: 512, heads: 1, dKv: 128, chunk: 512 },
  { rows: 3, keys: 40, heads: 3, dKv: 48, chunk: 16 },
  { rows: 8, keys: 8, heads: 1, dKv: 16, chunk: 16 },
  { rows: 33, keys: 33, heads: 4, dKv: 32, chunk: 48 },
  { rows: 63, keys: 63, heads: 2, dKv: 112, chunk: 64 },
  { rows: 20, keys: 200, heads: 2, dKv: 80, chunk: 208 },
];

const random = (shape: Shape, rows: number, seed: number) => noise(rows * inner(shape), seed);

describe('appendKv', () => {
  it.each(shapes)('$keys positions, $heads heads of $dKv, chunks of $chunk: the same to the bit', (shape) => {
    const { kernels, reference } = onBoth((b) => {
      const cache = cacheRoom(b, shape);
      const [k, v] = [1, 2].map((seed) => b.rows(shape.keys, inner(shape), random(shape, shape.keys, seed)));
      b.recorder.appendKv('all', b.table(rowsOf(shape, cache)), kvOf(shape), k!, v!);
      b.run();
      return b.machine.read(cache, cacheBytes(shape));
    });
    expect(kernels).toEqual(reference);
  });
});

interface Attended {
  out: Float32Array;
  exact: Float32Array;
}

/** Runs both attentions over the same numbers, for the last rows. */
function attend(
  b: Bench,
  shape: Shape,
  values: { q: Float32Array; k: Float32Array; v: Float32Array },
  { withBias = false, causal = false } = {},
): Attended {
  const { rows, keys, heads, dKv } = shape;
  const cols = inner(shape);
  const [q, k, v] = [b.rows(rows, cols, values.q), b.rows(keys, cols, values.k), b.rows(keys, cols, values.v)];
  const [exact, out] = [b.rows(rows, cols), b.rows(rows, cols)];
  const bias: DistanceBias | undefined = withBias
    ? { label: 'bias', at: b.put(noise(heads * (2 * keys + 1), 4)), reach: keys }
    : undefined;
  const record = (kv: KvCache, into: typeof out, cache: number, chunk: number): void => {
    const all = rowsOf({ ...shape, chunk }, cache, causal);
    b.recorder.appendKv('kv', b.table(all), kv, k, v);
    b.recorder.attention('attention', into, q, b.table(all.slice(-rows)), kv, { bias });
  };
  record(kvOf(shape), out, cacheRoom(b, shape), shape.chunk);
  const float32 = kvCache({ kind: 'float32', heads, dKv });
  record(float32, exact, b.arena.allocate(keys * kvPositionBytes('float32', heads, dKv)), keys);
  b.run();
  return { out: b.floats(out.at as number, rows * cols), exact: b.floats(exact.at as number, rows * cols) };
}

/** The largest difference by the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  const largest = b.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  return a.reduce((m, x, i) => Math.max(m, Math.abs(x - b[i]!)), 0) / (largest || 1);
}

describe('attention over int16', () => {
  it.each(shapes)('$rows rows, $keys keys, $heads heads of $dKv, chunks of $chunk', (shape) => {
    for (const options of [{}, { withBias: true }, { withBias: true, causal: true }]) {
      const { kernels, reference } = onBoth((b) => {
        const [q, k, v] = [random(shape, shape.rows, 1), random(shape, shape.keys, 2), random(shape, shape.keys, 3)];
        return attend(b, shape, { q, k, v }, options);
      });
      // the exponential rounds otherwise than Math.exp: a weight may come out one of 32,767 apart
      expect(difference(kernels.out, reference.out), 'kernels and reference').toBeLessThan(2e-4);
      expect(difference(kernels.out, kernels.exact), 'int16 and float32').toBeLessThan(5e-3);
    }
  });

  it.each([16, 64, 128, 256])('sums of the largest queries, keys and values, K = %i, do not overflow', (dKv) => {
    for (const sign of [1, -1]) {
      for (const rows of [1, 17]) {
        const shape = { rows, keys: 512, heads: 1, dKv, chunk: 512 };
        const { kernels } = onBoth((b) => {
          const fill = (count: number, x: number) => new Float32Array(count * inner(shape)).fill(x);
          return attend(b, shape, { q: fill(rows, 3), k: fill(512, sign * 3), v: fill(512, sign * 7) });
        });
        expect(difference(kernels.out, kernels.exact)).toBeLessThan(1e-3);
      }
    }
  });

  it('a key that outweighs all others gives its own value back', () => {
    const shape = { rows: 1, keys: 300, heads: 1, dKv: 16, chunk: 16 };
    const { kernels } = onBoth((b) => {
      const k = new Float32Array(300 * 16);
      k.fill(9, 77 * 16, 78 * 16);
      const v = noise(300 * 16, 5);
      const attended = attend(b, shape, { q: new Float32Array(16).fill(9), k, v });
      return { ...attended, value: v.slice(77 * 16, 78 * 16) };
    });
    expect(difference(kernels.out, kernels.value)).toBeLessThan(1e-4);
  });

  it('gives zeros where all values are zero, and the mean where all queries are', () => {
    const shape = { rows: 2, keys: 5, heads: 1, dKv: 16, chunk: 16 };
    const { kernels } = onBoth((b) => {
      const zeros = (rows: number) => new Float32Array(rows * 16);
      const v = Float32Array.from({ length: 80 }, (_, i) => Math.floor(i / 16));
      const none = attend(b, shape, { q: noise(32, 1), k: noise(80, 2), v: zeros(5) });
      return [none.out, attend(b, shape, { q: zeros(2), k: noise(80, 2), v }).out];
    });
    expect(kernels[0]).toEqual(new Float32Array(32));
    expect(difference(kernels[1]!, new Float32Array(32).fill(2))).toBeLessThan(1e-3);
  });
});

describe('rows of a batch', () => {
  const shape: Shape = { rows: 1, keys: 40, heads: 2, dKv: 16, chunk: 16 };
  const kinds = ['int16', 'float32'] as const;

  /** Positions of several sequences appended and attended to, in batches of these rows; what comes out of each row. */
  function inBatches(kind: (typeof kinds)[number], sequences: number, batches: readonly (readonly number[])[]) {
    return onBoth((b) => {
      const kv = { ...kvOf(shape), kind };
      const chunk = kind === 'int16' ? 16 : 1;
      const cols = inner(shape);
      const caches = Array.from({ length: sequences }, () => cacheRoom(b, { ...shape, dKv: 2 * shape.dKv }));
      const bias = { label: 'bias', at: b.put(noise(2 * 81, 4)), reach: 40 };
      const rowOf = (row: number): TestRow => {
        const position = Math.floor(row / sequences);
        return { position, keys: position + 1, cache: caches[row % sequences]!, chunk };
      };
      const outs = new Map<number, number>();
      for (const batch of batches) {
        const values = [1, 2, 3].map((seed) => {
          const rows = new Float32Array(batch.length * cols);
          // values of zero are an edge: nothing has weight but what must not have it
          batch.forEach((row, i) => {
            if (seed < 3 || row >= sequences) rows.set(noise(cols, 1000 * seed + row), i * cols);
          });
          return b.rows(batch.length, cols, rows);
        });
        const [q, k, v] = values;
        const table = b.table(batch.map(rowOf));
        const out = b.rows(batch.length, cols);
        b.recorder.appendKv('kv', table, kv, k!, v!);
        b.recorder.attention('attention', out, q!, table, kv, { bias });
        for (const [i, row] of batch.entries()) outs.set(row, (out.at as number) + i * cols * 4);
      }
      b.run();
      return new Map(Array.from(outs, ([row, at]) => [row, b.floats(at, cols)]));
    });
  }

  it.each(kinds)('come to the same however they are grouped: %s', (kind) => {
    const sequences = 3;
    const all = Array.from({ length: shape.keys * sequences }, (_, row) => row);
    const alone = inBatches(
      kind,
      sequences,
      all.map((row) => [row]),
    );
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 6, maxLength: 12 }),
        fc.boolean(),
        (sizes, together) => {
          // a sequence's rows next to each other, or in turn
          const batches: number[][] = [];
          for (let from = 0; from < all.length; from += batches.at(-1)!.length) {
            const batch = all.slice(from, from + sizes[batches.length % sizes.length]!);
            batches.push(together ? batch.sort((x, y) => (x % sequences) - (y % sequences) || x - y) : batch);
          }
          const { kernels, reference } = inBatches(kind, sequences, batches);
          expect(kernels).toEqual(alone.kernels);
          expect(reference).toEqual(alone.reference);
        },
      ),
      { numRuns: 12 },
    );
  });
});
