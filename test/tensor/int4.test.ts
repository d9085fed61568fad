/** Weights of four bits: how they are made, and that rows, tiles and the reference make the same of them. */
import { describe, expect, it } from 'vitest';
import { INT4_UNPACK_ROWS, SPAN } from '../../src/tensor/assembly/protocol.ts';
import { placeInt4, quantiseRow } from '../../src/tensor/int4.ts';
import { inOrder, int4Groups, matrixParts, spanRow, spans } from '../../src/tensor/layout.ts';
import { matrixAt, Recorder, type Weights } from '../../src/tensor/recorder.ts';
import { type Bench, linearTwice, noise, onBoth, rowAmongOthers } from './machines.ts';

function int4(bench: Bench, values: Float32Array, outputs: number, inputs: number): Weights {
  const [rows, cols] = [inOrder(outputs), inOrder(inputs)];
  const at = bench.put(placeInt4(values, inputs, rows, cols));
  return matrixAt('int4', 'w', at, rows.length, cols.length);
}

/** Every weight -8 and every multiplier 15, or -15, with scales of 1: the largest that a pack of ours can hold. */
function largest(outputs: number, inputs: number, sign: 1 | -1): Uint8Array {
  const { multipliers, scales, bytes } = matrixParts('int4', outputs, inputs);
  const all = new Uint8Array(bytes).fill(0x80, 0, multipliers); // 16 * -8 + 0
  all.fill(sign * 15, multipliers, scales);
  new Float32Array(all.buffer, scales, outputs).fill(1);
  return all;
}

describe('quantiseRow', () => {
  it('by hand: two groups, of which the second is half as large, and turned round', () => {
    const row = new Float32Array(96);
    for (let c = 0; c < 64; c++) row[c] = ((c % 16) - 8) * 15;
    for (let c = 64; c < 96; c++) row[c] = -((c % 16) - 8) * 7;
    const { scale, multipliers, values } = quantiseRow(row);
    expect(scale).toBe(1);
    expect([...multipliers]).toEqual([15, -7]);
    expect([...values]).toEqual(Array.from({ length: 96 }, (_, c) => (c % 16) - 8));
  });

  it('gives zeros for zeros, in a group or in the row', () => {
    const zeros = quantiseRow(new Float32Array(80));
    expect(zeros.scale).toBe(0);
    expect(zeros.values).toEqual(new Int8Array(80));
    const half = quantiseRow(new Float32Array(80).fill(2, 64));
    expect(half.values.subarray(0, 64)).toEqual(new Int8Array(64));
    expect(half.values[70]! * half.multipliers[1]! * half.scale).toBeCloseTo(2, 5);
  });

  it('loses less than a tenth of a row of even noise, and keeps within int8', () => {
    const row = noise(512, 3);
    const { scale, multipliers, values } = quantiseRow(row);
    const lost = row.reduce((sum, w, c) => sum + (w - values[c]! * multipliers[c >> 6]! * scale) ** 2, 0);
    expect(Math.sqrt(lost / row.reduce((sum, w) => sum + w * w, 0))).toBeLessThan(0.1);
    expect(Math.max(...values.map((q, c) => Math.abs(q * multipliers[c >> 6]!)))).toBeLessThan(128);
  });
});

describe('linear, int4', () => {
  const shapes: [rows: number, outputs: number, inputs: number][] = [
    [1, 16, 16],
    [1, 384, 512],
    [1, 512, 384],
    [1, 100, 80],
    [3, 48, 1024],
    [7, 48, 2816],
    [8, 64, 64],
    [9, 272, 528],
    [17, 40, 112],
    [33, 32, 448],
    [14, 1040, 80],
    [17, 1040, 80],
    [67, 256, 320],
  ];
  it.each(shapes)('%i rows, %i outputs, %i inputs: the same to the bit', (...shape) => {
    const { kernels, reference } = linearTwice(shape, int4);
    expect(kernels).toEqual(reference);
    expect(kernels.some((v) => v !== 0)).toBe(true);
  });

  it.each([64, 320, 512, 1040])('a row of %i columns comes to the same, however many there are', (inputs) => {
    const { kernels, reference } = rowAmongOthers(
      inputs,
      [1, 2, 3, 4, 7, 8, INT4_UNPACK_ROWS - 1, INT4_UNPACK_ROWS, 27],
      int4,
    );
    for (const y of kernels) expect(y).toEqual(reference[0]);
    expect(kernels.length).toBe(83);
  });

  it.each([SPAN, 5120])('sums of the largest weights and activations over %i columns do not overflow', (inputs) => {
    for (const sign of [1, -1] as const) {
      for (const rows of [1, 15, 17]) {
        const { kernels, reference } = onBoth((b) => {
          const w = matrixAt('int4', 'w', b.put(largest(16, inputs, sign)), 16, inputs);
          const x = b.rows(rows, inputs, new Float32Array(rows * inputs).fill(-2));
          const out = b.rows(rows, 16);
          b.recorder.linear(out, x, w);
          b.run();
          return b.floats(out.at as number, rows * 16);
        });
        expect(kernels).toEqual(reference);
        for (const y of kernels) expect(y / (sign * 240 * inputs)).toBeCloseTo(1, 4);
      }
    }
  });

  it('is what int8 weights of the same value make', () => {
    const [outputs, inputs] = [32, 576];
    const bytes = placeInt4(noise(outputs * inputs, 8), inputs, inOrder(outputs), inOrder(inputs));
    const { multipliers, scales } = matrixParts('int4', outputs, inputs);
    const groups = int4Groups(inputs);
    const same = new Uint8Array(matrixParts('int8', outputs, inputs).bytes);
    same.set(bytes.subarray(scales), outputs * inputs);
    for (let r = 0; r < outputs; r++) {
      for (const span of spans(inputs)) {
        for (let c = 0; c < span.columns; c++) {
          const pair = (c >> 1) * 8 + (c & 1);
          const byte = bytes[spanRow('int4', outputs, span, r) + pair]!;
          const q = (r & 4) !== 0 ? (byte << 24) >> 28 : (byte & 15) - 8;
          const group = (r >> 3) * groups + ((span.from + c) >> 6);
          const m = (bytes[multipliers + group * 8 + (r & 7)]! << 24) >> 24;
          same[spanRow('int8', outputs, span, r) + pair] = q * m;
        }
      }
    }
    const { kernels } = onBoth((b) => {
      const x = b.rows(1, inputs, noise(inputs, 9));
      const outs = [
        matrixAt('int4', 'w', b.put(bytes), outputs, inputs),
        matrixAt('int8', 'w', b.put(same), outputs, inputs),
      ].map((w) => {
        const out = b.rows(1, outputs);
        b.recorder.linear(out, x, w);
        return out;
      });
      b.run();
      return outs.map(({ at }) => b.floats(at as number, outputs));
    });
    expect(kernels[0]).toEqual(kernels[1]);
  });

  it('wants room to unpack in where there may be many rows, and gathers from int8 or float32 alone', () => {
    onBoth((b) => {
      const w = int4(b, noise(16 * 16, 1), 16, 16);
      const roomless = new Recorder({ ...b.scratch, unpacked: undefined });
      roomless.linear(b.rows(1, 16), b.rows(1, 16), w);
      expect(() => roomless.linear(b.rows(16, 16), b.rows(16, 16), w)).toThrow(
        'expected room to unpack int4 weights in',
      );
      expect(() => b.recorder.gather(b.rows(1, 16), 0, w)).toThrow('expected int8 or float32 rows, got int4');
    });
  });
});
