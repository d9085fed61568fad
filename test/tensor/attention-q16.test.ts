/** Attention over keys and values kept as int16: what is kept, to the bit; what comes out, against the reference and against attention in float32. */
import { describe, expect, it } from 'vitest';
import { KEPT_POSITIONS, keptPositionBytes } from '../../src/tensor/layout.ts';
import type { DistanceBias, Kept } from '../../src/tensor/recorder.ts';
import { type Bench, noise, onBoth } from './machines.ts';

interface Shape {
  queries: number;
  keys: number;
  heads: number;
  dKv: number;
  /** Positions of a chunk: all keys, or a few. */
  chunk: number;
}

const keptBytes = ({ keys, heads, dKv, chunk }: Omit<Shape, 'queries'>): number =>
  Math.ceil(keys / chunk) * chunk * keptPositionBytes(heads, dKv);

/** Room for kept keys and values, full of what an earlier session may have left. */
function keptRoom(b: Bench, { keys, heads, dKv, chunk }: Shape): Kept {
  const room = new Uint8Array(keptBytes({ keys, heads, dKv, chunk })).fill(0x7f);
  return { at: b.put(room), heads, dKv, chunk, chunkBytes: chunk * keptPositionBytes(heads, dKv) };
}

const inner = ({ heads, dKv }: Shape): number => heads * dKv;

const shapes: Shape[] = [
  { queries: 1, keys: 1, heads: 2, dKv: 16, chunk: 16 },
  { queries: 1, keys: 17, heads: 6, dKv: 64, chunk: 16 },
  { queries: 1, keys: 33, heads: 6, dKv: 64, chunk: 48 },
  { queries: 1, keys: 512, heads: 2, dKv: 64, chunk: 16 },
  { queries: 1, keys: 512, heads: 1, dKv: 128, chunk: 512 },
  { queries: 3, keys: 40, heads: 3, dKv: 48, chunk: 16 },
  { queries: 8, keys: 8, heads: 1, dKv: 16, chunk: 16 },
  { queries: 33, keys: 33, heads: 4, dKv: 32, chunk: 48 },
  { queries: 63, keys: 63, heads: 2, dKv: 112, chunk: 64 },
  { queries: 20, keys: 200, heads: 2, dKv: 80, chunk: 208 },
];

describe('keep', () => {
  it.each(shapes)('$keys positions, $heads heads of $dKv, chunks of $chunk: the same to the bit', (shape) => {
    const { kernels, reference } = onBoth((b) => {
      const cols = inner(shape);
      const kept = keptRoom(b, shape);
      const [k, v] = [1, 2].map((seed) => b.rows(shape.keys, cols, noise(shape.keys * cols, seed)));
      b.recorder.keep('all', kept, k!, v!);
      b.run();
      return b.machine.read(kept.at as number, keptBytes(shape));
    });
    expect(kernels).toEqual(reference);
  });

  it('one by one comes to the same as all at once, but for what is not read', () => {
    const shape = { queries: 1, keys: 21, heads: 2, dKv: 32, chunk: KEPT_POSITIONS };
    const { kernels } = onBoth((b) => {
      const cols = inner(shape);
      const [k, v, q] = [1, 2, 3].map((seed) => b.rows(shape.keys, cols, noise(shape.keys * cols, seed)));
      return [1, shape.keys].map((rows) => {
        const kept = keptRoom(b, shape);
        for (let first = 0; first < shape.keys; first += rows) {
          const some = (all: typeof k) => ({ ...all!, at: (all!.at as number) + first * cols * 4, rows });
          b.recorder.keep('some', kept, some(k), some(v), first);
        }
        const out = b.rows(1, cols);
        b.recorder.attentionQ16('a', out, { ...q!, rows: 1 }, kept, { keys: shape.keys });
        b.run();
        return b.floats(out.at as number, cols);
      });
    });
    expect(kernels[0]).toEqual(kernels[1]);
  });
});

/** Runs both attentions over the same numbers. */
function attend(
  b: Bench,
  shape: Shape,
  values: { q: Float32Array; k: Float32Array; v: Float32Array },
  withBias: boolean,
) {
  const { queries, keys, heads, dKv } = shape;
  const cols = inner(shape);
  const [q, k, v] = [b.rows(queries, cols, values.q), b.rows(keys, cols, values.k), b.rows(keys, cols, values.v)];
  const [exact, out] = [b.rows(queries, cols), b.rows(queries, cols)];
  const first = queries > 1 ? 0 : keys - 1;
  const bias: DistanceBias | undefined = withBias
    ? { label: 'bias', at: b.put(noise(heads * (2 * keys + 1), 4)), reach: keys }
    : undefined;
  const kept = keptRoom(b, shape);
  b.recorder.keep('keep', kept, k, v);
  b.recorder.attentionQ16('integers', out, q, kept, { keys, first, bias });
  const float = { heads, dKv, keys, keyBytes: cols * 4, first, bias };
  b.recorder.attention('float32', exact, q, k.at, v.at, float);
  b.run();
  return { out: b.floats(out.at as number, queries * cols), exact: b.floats(exact.at as number, queries * cols) };
}

/** The largest difference by the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  const largest = b.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  return a.reduce((m, x, i) => Math.max(m, Math.abs(x - b[i]!)), 0) / (largest || 1);
}

describe('attention over int16', () => {
  it.each(shapes)('$queries queries, $keys keys, $heads heads of $dKv, chunks of $chunk', (shape) => {
    for (const withBias of [false, true]) {
      const { kernels, reference } = onBoth((b) => {
        const random = (rows: number, seed: number) => noise(rows * inner(shape), seed);
        const values = { q: random(shape.queries, 1), k: random(shape.keys, 2), v: random(shape.keys, 3) };
        return attend(b, shape, values, withBias);
      });
      // the exponential rounds otherwise than Math.exp: a weight may come out one of 32,767 apart
      expect(difference(kernels.out, reference.out), 'kernels and reference').toBeLessThan(2e-4);
      expect(difference(kernels.out, kernels.exact), 'int16 and float32').toBeLessThan(5e-3);
    }
  });

  it.each([16, 64, 128, 256])('sums of the largest queries, keys and values, K = %i, do not overflow', (dKv) => {
    for (const sign of [1, -1]) {
      for (const queries of [1, 17]) {
        const shape = { queries, keys: 512, heads: 1, dKv, chunk: 512 };
        const { kernels } = onBoth((b) => {
          const fill = (rows: number, x: number) => new Float32Array(rows * inner(shape)).fill(x);
          return attend(b, shape, { q: fill(queries, 3), k: fill(512, sign * 3), v: fill(512, sign * 7) }, false);
        });
        expect(difference(kernels.out, kernels.exact)).toBeLessThan(1e-3);
      }
    }
  });

  it('a key that outweighs all others gives its own value back', () => {
    const shape = { queries: 1, keys: 300, heads: 1, dKv: 16, chunk: 16 };
    const { kernels } = onBoth((b) => {
      const k = new Float32Array(300 * 16);
      k.fill(9, 77 * 16, 78 * 16);
      const v = noise(300 * 16, 5);
      return {
        ...attend(b, shape, { q: new Float32Array(16).fill(9), k, v }, false),
        value: v.slice(77 * 16, 78 * 16),
      };
    });
    expect(difference(kernels.out, kernels.value)).toBeLessThan(1e-4);
  });

  it('gives zeros where all values are zero, and the mean where all queries are', () => {
    const shape = { queries: 2, keys: 5, heads: 1, dKv: 16, chunk: 16 };
    const { kernels } = onBoth((b) => {
      const zeros = (rows: number) => new Float32Array(rows * 16);
      const v = Float32Array.from({ length: 80 }, (_, i) => Math.floor(i / 16));
      const none = attend(b, shape, { q: noise(32, 1), k: noise(80, 2), v: zeros(5) }, false);
      return [none.out, attend(b, shape, { q: zeros(2), k: noise(80, 2), v }, false).out];
    });
    expect(kernels[0]).toEqual(new Float32Array(32));
    expect(difference(kernels[1]!, new Float32Array(32).fill(2))).toBeLessThan(1e-3);
  });
});
