import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBfloat16, toFloat16, toFloat32 } from '../../../src/model/checkpoint/float-formats.ts';

const bytesOf = (halves: Uint16Array) => new Uint8Array(halves.buffer);

describe('float16', () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0x3555, 0.333251953125],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
  ])('%i is %f', (half, value) => {
    expect(toFloat32(bytesOf(Uint16Array.of(half)), 'F16')[0]).toBe(value);
    expect(toFloat16(Float32Array.of(value))[0]).toBe(half);
  });

  it('gives every half back', () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((h) => (h & 0x7fff) <= 0x7c00);
    expect(toFloat16(toFloat32(bytesOf(halves), 'F16'))).toEqual(halves);
  });

  it('rounds to the nearest, halves to even', () => {
    const values = [
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      65519.99,
      65520,
      2 ** -25,
      1.5 * 2 ** -25,
      2 ** -26,
      2 ** -14 - 2 ** -26,
    ];
    expect([...toFloat16(Float32Array.from(values))]).toEqual([
      0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x0000, 0x0001, 0x0000, 0x0400,
    ]);
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32', () => {
    expect([...toFloat32(bytesOf(Uint16Array.of(0x3f80, 0xc049, 0x0001, 0x7f80)), 'BF16')]).toEqual([
      1,
      -3.140625,
      Math.fround(2 ** -133),
      Number.POSITIVE_INFINITY,
    ]);
    expect([...toBfloat16(Float32Array.of(1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, Number.NaN, 3.4e38))]).toEqual([
      0x3f80, 0x3f80, 0x3f82, 0x7fc0, 0x7f80,
    ]);
  });
});

it('both are within half a step of the float32', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, min: -60000, max: 60000 }), (value) => {
      const half = toFloat32(bytesOf(toFloat16(Float32Array.of(value))), 'F16')[0]!;
      const brain = toFloat32(bytesOf(toBfloat16(Float32Array.of(value))), 'BF16')[0]!;
      expect(Math.abs(half - value)).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -11, 2 ** -25));
      expect(Math.abs(brain - value)).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -8, 2 ** -134));
    }),
  );
});

it('reads bytes at an odd place', () => {
  const bytes = Uint8Array.of(9, 0, 0, 0x80, 0x3f, 0, 0x3c);
  expect([...toFloat32(bytes.subarray(1, 5), 'F32')]).toEqual([1]);
  expect([...toFloat32(bytes.subarray(5), 'F16')]).toEqual([1]);
});
