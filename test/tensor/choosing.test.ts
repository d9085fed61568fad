/** The ops that choose a token from logits: cases by hand, then random rows, kernels against reference. */
import { describe, expect, it } from 'vitest';
import type { Rows } from '../../src/tensor/recorder.ts';
import { register } from '../../src/tensor/value.ts';
import { type Bench, noise, onBoth } from './machines.ts';

const LENGTHS = [1, 3, 16, 1000, 8191];

/** A row whose padding would win or spoil everything, if it were looked at. */
function row(bench: Bench, values: Float32Array): Rows {
  const padded = new Float32Array(Math.ceil(values.length / 16) * 16).fill(99);
  padded.set(values);
  return bench.rows(1, padded.length, padded, values.length);
}

/** What an op makes of a row in place. */
function inPlace(values: Float32Array, record: (bench: Bench, x: Rows) => void) {
  return onBoth((b) => {
    const x = row(b, values);
    record(b, x);
    b.run();
    return b.floats(x.at as number, values.length);
  });
}

function expectNear(a: Float32Array, b: Float32Array, tolerance: number): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !(Math.abs(a[i]! - b[i]!) <= tolerance * Math.max(Math.abs(b[i]!), 1e-30))) {
      expect.fail(`expected ${b[i]} at ${i}, got ${a[i]}`);
    }
  }
}

const left = (x: Float32Array): number[] => Array.from(x.keys()).filter((i) => x[i]! > 0);
const { NEGATIVE_INFINITY } = Number;

describe('penalize and mask', () => {
  it('halves what is positive, doubles what is negative, forbids what is listed', () => {
    const { kernels, reference } = onBoth((b) => {
      const x = row(b, Float32Array.of(3, -3, 0, 5, 7));
      const ids = b.put(Uint32Array.of(1, 3, 2, 4));
      b.recorder.penalize(x, ids, register(0), 2);
      b.recorder.mask(x, ids + 12, register(1));
      b.run([3, 1]);
      return Array.from(b.floats(x.at as number, 5));
    });
    expect(kernels).toEqual([3, -6, 0, 2.5, NEGATIVE_INFINITY]);
    expect(reference).toEqual(kernels);
  });

  it('do nothing for empty lists', () => {
    const values = noise(100, 1);
    const { kernels } = inPlace(values, (b, x) => {
      b.recorder.penalize(x, 0, 0, 2);
      b.recorder.mask(x, 0, 0);
    });
    expect(kernels).toEqual(values);
  });
});

describe('softmax', () => {
  it('by hand: ln 1, ln 3, and -infinity, which has no probability at all', () => {
    const values = Float32Array.of(0, Math.log(3), NEGATIVE_INFINITY);
    const { kernels } = inPlace(values, (b, x) => b.recorder.softmax(x));
    expectNear(kernels, Float32Array.of(0.25, 0.75, 0), 1e-6);
    const logarithms = inPlace(values, (b, x) => b.recorder.logSoftmax(x)).kernels;
    expectNear(logarithms, Float32Array.of(Math.log(0.25), Math.log(0.75), NEGATIVE_INFINITY), 1e-6);
  });

  it.each(LENGTHS)('%i numbers: within 1e-6 of each', (count) => {
    for (const scale of [0.01, 3, 30]) {
      const values = noise(count, count, scale);
      const p = inPlace(values, (b, x) => b.recorder.softmax(x));
      // under e^-87 the kernels' exponential goes no further down
      const visible = p.reference.map((x) => Math.max(x, 1e-37));
      expectNear(
        p.kernels.map((x) => Math.max(x, 1e-37)),
        visible,
        1e-6,
      );
      const logarithms = inPlace(values, (b, x) => b.recorder.logSoftmax(x));
      expectNear(logarithms.kernels, logarithms.reference, 1e-6);
    }
  });
});

describe('topK', () => {
  it('by hand: keeps what equals the last one kept', () => {
    const values = Float32Array.of(1, -2, 5, 1, -0, 0, 1);
    const kept = (k: number) =>
      left(inPlace(values, (b, x) => b.recorder.topK(x, k)).kernels.map((x) => (x > NEGATIVE_INFINITY ? 1 : 0)));
    expect(kept(1)).toEqual([2]);
    expect(kept(2)).toEqual([0, 2, 3, 6]);
    expect(kept(5)).toEqual([0, 2, 3, 4, 5, 6]);
    expect(kept(7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it.each(LENGTHS)('of %i logits: as the reference, to the bit', (count) => {
    const plain = noise(count, 2, 4);
    const coarse = plain.map((x) => Math.round(x));
    const masked = plain.map((x, i) => (i % 3 ? NEGATIVE_INFINITY : x));
    const extreme = plain.map((x, i) => (i % 2 ? x * 1e38 : x * 1e-42));
    for (const values of [plain, coarse, masked, extreme]) {
      for (const k of [1, 2, 50, 999, count].filter((k) => k <= count)) {
        const { kernels, reference } = inPlace(values, (b, x) => b.recorder.topK(x, k));
        expect(kernels).toEqual(reference);
      }
    }
  });

  it('refuses a k that cannot be', () => {
    onBoth((b) =>
      expect(() => b.recorder.topK(row(b, noise(10, 1)), 0)).toThrow('topK: expected k from 1 to 10, got 0'),
    );
  });
});

describe('topP', () => {
  const values = Float32Array.of(0.1, 0.4, 0.25, 0.05, 0.2);
  it.each([
    [0.99, [0, 1, 2, 3, 4]],
    [0.94, [0, 1, 2, 4]],
    [0.7, [1, 2, 4]],
    [0.5, [1, 2]],
    [0.3, [1]],
    [0, [1]],
  ])('%d keeps the fewest that together have more', (p, kept) => {
    const { kernels, reference } = inPlace(values, (b, x) => b.recorder.topP(x, p));
    expect(left(kernels)).toEqual(kept);
    expect(reference).toEqual(kernels);
  });

  it.each(LENGTHS)('of %i probabilities: as the reference', (count) => {
    for (const [seed, scale] of [
      [1, 1],
      [2, 4],
      [3, 0.001],
    ] as const) {
      const weights = noise(count, seed, scale).map(Math.exp);
      const total = weights.reduce((sum, x) => sum + x, 0);
      for (const p of [0.1, 0.5, 0.9, 0.999]) {
        const { kernels, reference } = inPlace(
          weights.map((x) => x / total),
          (b, x) => b.recorder.topP(x, p),
        );
        expect(kernels).toEqual(reference);
      }
    }
  });
});

describe('draw', () => {
  const drawn = (values: Float32Array, random: number) =>
    onBoth((b) => {
      const out = b.arena.allocate(4);
      b.recorder.draw(out, row(b, values), register(3));
      b.run([0, 0, 0, random]);
      return new Uint32Array(b.machine.read(out, 4).buffer)[0]!;
    });

  it.each([
    [0, 1],
    [2 ** 30 - 1, 1],
    [2 ** 30, 3],
    [2 ** 31, 4],
    [2 ** 32 - 1, 4],
  ])('by hand: 0, 1, 0, 1, 2 of 4 parts, random number %i: id %i', (random, id) => {
    expect(drawn(Float32Array.of(0, 1, 0, 1, 2, 0), random)).toEqual({ kernels: id, reference: id });
  });

  it('of a row in which nothing can be chosen: id 0', () => {
    expect(drawn(new Float32Array(20), 5)).toEqual({ kernels: 0, reference: 0 });
  });

  it('from random rows: the same id, and as often as its probability says', () => {
    const p = noise(1000, 5, 2).map(Math.exp);
    const total = p.reduce((sum, x) => sum + x, 0);
    const draws = 256;
    let early = 0;
    for (let i = 0; i < draws; i++) {
      const { kernels, reference } = drawn(p, Math.imul(i, 0x9e3779b9) >>> 0);
      expect(kernels).toBe(reference);
      if (kernels < 500) early += 1;
    }
    const expected = p.subarray(0, 500).reduce((sum, x) => sum + x, 0) / total;
    // these random numbers are spread evenly, so the share is much nearer than chance would have it
    expect(early / draws).toBeCloseTo(expected, 1.7);
  });
});

describe('best', () => {
  const list = (values: Float32Array, k: number) =>
    onBoth((b) => {
      const out = b.arena.allocate(k * 8);
      b.recorder.best(out, row(b, values), k);
      b.run();
      const bytes = b.machine.read(out, k * 8);
      return [Array.from(new Uint32Array(bytes.buffer, 0, k)), Array.from(new Float32Array(bytes.buffer, k * 4, k))];
    });

  it('by hand: falling, the first id first of equal ones', () => {
    const { kernels, reference } = list(Float32Array.of(1, 5, 3, 5, 2, 3), 4);
    expect(kernels).toEqual([
      [1, 3, 2, 5],
      [5, 5, 3, 3],
    ]);
    expect(reference).toEqual(kernels);
  });

  it('what is at -infinity is not listed', () => {
    const { kernels, reference } = list(Float32Array.of(NEGATIVE_INFINITY, 2, NEGATIVE_INFINITY), 3);
    expect(kernels).toEqual([
      [1, 0, 0],
      [2, NEGATIVE_INFINITY, NEGATIVE_INFINITY],
    ]);
    expect(reference).toEqual(kernels);
  });

  it.each(LENGTHS)('of %i logits: as the reference', (count) => {
    const rising = Float32Array.from({ length: count }, (_, i) => i);
    for (const values of [noise(count, 3), noise(count, 4).map((x) => Math.round(x * 3)), rising]) {
      for (const k of [1, 8, 33].filter((k) => k <= count)) {
        const { kernels, reference } = list(values, k);
        expect(kernels).toEqual(reference);
      }
    }
  });
});

describe('copy', () => {
  it('moves bytes from register to register', () => {
    const { kernels, reference } = onBoth((b) => {
      const from = b.put(noise(64, 1));
      const to = b.arena.allocate(256);
      b.recorder.copy('block', register(0), register(1), register(2));
      b.run([to, from + 16, 64]);
      return b.floats(to, 20);
    });
    expect(kernels).toEqual(Float32Array.of(...noise(64, 1).subarray(4, 20), 0, 0, 0, 0));
    expect(reference).toEqual(kernels);
  });
});
