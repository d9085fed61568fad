/** Ops over images: a case worked by hand, then shapes of every sort, kernels against reference. */
import { describe, expect, it } from 'vitest';
import { CONV_ROWS } from '../../src/tensor/assembly/protocol.ts';
import { type ConvShape, fits, type Images, patchCols } from '../../src/tensor/images.ts';
import { inOrder, type MatrixKind, pad, placeFloat32, placeInt8 } from '../../src/tensor/layout.ts';
import { matrixAt, type Weights } from '../../src/tensor/recorder.ts';
import { register } from '../../src/tensor/value.ts';
import { type Bench, noise, onBoth } from './machines.ts';

interface Case extends ConvShape {
  images?: number;
  size: readonly [height: number, width: number, channels: number];
  outputs: number;
}
type Kind = 'int8' | 'float32';

function imagesAt(b: Bench, images: number, [height, width, channels]: Case['size'], values?: Float32Array): Images {
  const cols = pad(height * width * channels, 16);
  const all = new Float32Array(images * cols);
  const size = height * width * channels;
  for (let i = 0; values && i < images; i++) all.set(values.subarray(i * size, (i + 1) * size), i * cols);
  return { at: b.put(all), images, height, width, channels };
}

function weightsAt(b: Bench, kind: MatrixKind, values: Float32Array, outputs: number, inputs: number): Weights {
  const place = kind === 'int8' ? placeInt8 : placeFloat32;
  const [rows, cols] = [inOrder(outputs), inOrder(inputs)];
  return matrixAt(kind, 'w', b.put(place(values, inputs, rows, cols)), rows.length, cols.length);
}

/** The convolution of x by w: numbers of the output images, [images, outHeight, outWidth, outputs padded]. */
function convolve(
  b: Bench,
  kind: Kind,
  { images = 1, size, outputs, ...shape }: Case,
  x: Float32Array,
  w: Float32Array,
) {
  const [height, width, channels] = size;
  const { kernel, stride = 1, padding = 0 } = shape;
  b.scratch.patches = b.arena.allocate(CONV_ROWS * (4 + 2 * patchCols(shape, channels)) + 16);
  // other numbers in scratch must not show
  b.machine.write(b.scratch.patches, new Uint8Array(CONV_ROWS * (4 + 2 * patchCols(shape, channels)) + 16).fill(0xff));
  const weights = weightsAt(b, kind, w, outputs, kernel[0] * kernel[1] * channels);
  const down = fits('test', height, kernel[0], stride, padding);
  const across = fits('test', width, kernel[1], stride, padding);
  const out = imagesAt(b, images, [down, across, weights.outputs]);
  b.recorder.conv2d(out, imagesAt(b, images, size, x), weights, shape);
  b.run();
  return b.floats(out.at as number, images * down * across * weights.outputs);
}

/** The definition, in float64: for each image, output pixel and output channel. */
function plainly(
  { images = 1, size: [height, width, channels], outputs, ...shape }: Case,
  x: Float32Array,
  w: Float32Array,
) {
  const { kernel, stride = 1, padding = 0 } = shape;
  const out: number[] = [];
  for (let image = 0; image < images; image++)
    for (let top = -padding; top + kernel[0] <= height + padding; top += stride)
      for (let left = -padding; left + kernel[1] <= width + padding; left += stride)
        for (let f = 0; f < outputs; f++) {
          let sum = 0;
          for (let ky = 0; ky < kernel[0]; ky++)
            for (let kx = 0; kx < kernel[1]; kx++)
              for (let c = 0; c < channels; c++) {
                const [y, at] = [top + ky, left + kx];
                if (y < 0 || y >= height || at < 0 || at >= width) continue;
                const pixel = x[((image * height + y) * width + at) * channels + c]!;
                sum += pixel * w[((f * kernel[0] + ky) * kernel[1] + kx) * channels + c]!;
              }
          out.push(sum);
        }
  return out;
}

const cases: Case[] = [
  { size: [5, 5, 1], kernel: [3, 3], outputs: 16 },
  { size: [28, 28, 1], kernel: [5, 5], outputs: 16 },
  { size: [12, 12, 16], kernel: [3, 3], outputs: 32 },
  { size: [7, 9, 3], kernel: [3, 3], outputs: 5, padding: 1 },
  { size: [7, 9, 3], kernel: [3, 2], outputs: 20, stride: 2 },
  { size: [6, 6, 16], kernel: [1, 1], outputs: 48 },
  { size: [4, 3, 32], kernel: [4, 3], outputs: 16 },
  { size: [8, 5, 2], kernel: [5, 5], outputs: 16, padding: 4, stride: 3 },
  // the kernel stands in padding alone at the corners
  { size: [2, 2, 1], kernel: [2, 2], outputs: 16, padding: 3 },
  { images: 3, size: [5, 7, 3], kernel: [2, 3], outputs: 17, padding: 1, stride: 2 },
  { images: 2, size: [3, 3, 64], kernel: [3, 3], outputs: 16, padding: 1 },
];
const nameOf = ({ images = 1, size, kernel, outputs, stride = 1, padding = 0 }: Case): string =>
  `${images} of ${size.join(' x ')}, kernel ${kernel.join(' x ')}, ${outputs} outputs, stride ${stride}, padding ${padding}`;

describe.each(['int8', 'float32'] as const)('conv2d, %s', (kind) => {
  it('by hand: a kernel that takes the pixel to the right from each pixel', () => {
    const shape: Case = { size: [2, 3, 1], kernel: [1, 2], outputs: 1 };
    const x = Float32Array.of(1, 3, 4, 2, 2, 8);
    const { kernels, reference } = onBoth((b) => convolve(b, kind, shape, x, Float32Array.of(1, -1)));
    for (const made of [kernels, reference])
      [-2, -1, 0, -6].forEach((y, i) => {
        expect(made[i * 16]).toBeCloseTo(y, 2);
      });
  });

  it.each(cases.map((shape) => ({ name: nameOf(shape), shape })))('$name', ({ shape }) => {
    const [height, width, channels] = shape.size;
    const x = noise((shape.images ?? 1) * height * width * channels, 1);
    const w = noise(shape.outputs * shape.kernel[0] * shape.kernel[1] * channels, 2);
    const { kernels, reference } = onBoth((b) => convolve(b, kind, shape, x, w));
    if (kind === 'int8') expect(kernels).toEqual(reference);
    const exact = plainly(shape, x, w);
    const outputs = pad(shape.outputs, 16);
    const largest = exact.reduce((m, y) => Math.max(m, Math.abs(y)), 0);
    expect(largest).toBeGreaterThan(0);
    for (const made of [kernels, reference]) {
      expect(made.length).toBe((exact.length / shape.outputs) * outputs);
      made.forEach((y, i) => {
        const [pixel, f] = [Math.floor(i / outputs), i % outputs];
        const wanted = f < shape.outputs ? exact[pixel * shape.outputs + f]! : 0;
        // weights of 8 bits: half a step each
        expect(Math.abs(y - wanted), `${i}: ${y} for ${wanted}`).toBeLessThan(
          largest * (kind === 'int8' ? 2e-2 : 1e-5),
        );
      });
    }
  });

  it('comes to the same for an image alone and among others', () => {
    const shape: Case = { size: [9, 7, 3], kernel: [3, 3], outputs: 16, padding: 1 };
    const [x, w] = [noise(4 * 9 * 7 * 3, 3), noise(16 * 27, 4)];
    const { kernels } = onBoth((b) => [
      ...[0, 1, 2, 3].flatMap((i) => [...convolve(b, kind, shape, x.subarray(i * 189, (i + 1) * 189), w)]),
    ]);
    const together = onBoth((b) => [...convolve(b, kind, { ...shape, images: 4 }, x, w)]);
    expect(together.kernels).toEqual(kernels);
  });
});

describe('conv2d', () => {
  const record = (b: Bench, kind: MatrixKind, { size, outputs, ...shape }: Case, out: Case['size'], inputs: number) => {
    b.scratch.patches = b.arena.allocate(65536);
    const w = matrixAt(kind, 'w', b.arena.allocate(65536), outputs, inputs);
    b.recorder.conv2d(imagesAt(b, 1, out), imagesAt(b, 1, size), w, shape);
  };
  const shape: Case = { size: [5, 5, 1], kernel: [3, 3], outputs: 16 };

  it.each([
    [{ ...shape, kernel: [6, 3] } as Case, 'conv2d w: expected a kernel of at most 5 pixels, got 6'],
    [{ ...shape, stride: 0 }, 'conv2d w: expected a stride of 1 or more whole pixels, got 0'],
    [{ ...shape, padding: 0.5 }, 'conv2d w: expected a padding of 0 or more whole pixels, got 0.5'],
    [{ ...shape, kernel: [3, 0] } as Case, 'conv2d w: expected a kernel of 1 or more whole pixels, got 0'],
    [{ ...shape, padding: 1 }, 'conv2d w: expected images of [5, 5, 16] to come out, got [3, 3, 16]'],
    [{ ...shape, kernel: [3, 3], size: [5, 5, 2] } as Case, 'conv2d w: expected [16, 32] weights, got [16, 16]'],
  ])('refuses what does not fit: %j', (wrong, message) => {
    onBoth((b) => expect(() => record(b, 'int8', wrong, [3, 3, 16], 16)).toThrow(new RangeError(message)));
  });

  it('has no kernel for int4 weights, and needs scratch for patches', () => {
    onBoth((b) => {
      expect(() => record(b, 'int4', shape, [3, 3, 16], 16)).toThrow('expected int8 or float32 weights, got int4');
      b.scratch.patches = undefined;
      const w = matrixAt('int8', 'w', 65536, 16, 16);
      const [out, x] = [imagesAt(b, 1, [3, 3, 16]), imagesAt(b, 1, [5, 5, 1])];
      expect(() => b.recorder.conv2d(out, x, w, shape)).toThrow('expected scratch for patches, got none');
    });
  });

  it('takes as many images as a register says', () => {
    const { kernels, reference } = onBoth((b) => {
      b.scratch.patches = b.arena.allocate(65536);
      const w = weightsAt(b, 'int8', noise(16 * 9, 2), 16, 9);
      const x = { ...imagesAt(b, 4, [4, 4, 1], noise(64, 1)), images: register(0) };
      const out = { ...imagesAt(b, 4, [2, 2, 16]), images: register(0) };
      b.recorder.conv2d(out, x, w, { kernel: [3, 3] });
      b.run([3]);
      return b.floats(out.at as number, 4 * 64);
    });
    expect(kernels).toEqual(reference);
    expect(kernels.subarray(2 * 64, 3 * 64).some((y) => y !== 0)).toBe(true);
    expect(kernels.subarray(3 * 64).every((y) => y === 0)).toBe(true);
  });
});

describe('maxPool', () => {
  it.each([
    [1, 2, 2, 16, 2, 2],
    [1, 24, 24, 16, 2, 2],
    [2, 7, 5, 32, 3, 2],
    [3, 6, 6, 16, 2, 1],
    [1, 5, 5, 48, 5, 1],
    // what a window does not reach is left out
    [1, 5, 5, 16, 2, 2],
  ])(
    '%i images of %i x %i x %i, window %i, stride %i: the same to the bit',
    (images, height, width, channels, window, stride) => {
      const x = noise(images * height * width * channels, 1);
      const [down, across] = [fits('test', height, window, stride), fits('test', width, window, stride)];
      const { kernels, reference } = onBoth((b) => {
        const out = imagesAt(b, images, [down, across, channels]);
        b.recorder.maxPool('pool', out, imagesAt(b, images, [height, width, channels], x), window, stride);
        b.run();
        return b.floats(out.at as number, images * down * across * channels);
      });
      expect(kernels).toEqual(reference);
      const [image, oy, ox, c] = [images - 1, down - 1, across - 1, channels - 1];
      const seen = Array.from({ length: window * window }, (_, i) => {
        const [y, at] = [oy * stride + Math.floor(i / window), ox * stride + (i % window)];
        return x[((image * height + y) * width + at) * channels + c]!;
      });
      expect(kernels.at(-1)).toBe(Math.max(...seen));
    },
  );

  it('takes the largest of negative numbers, too', () => {
    const { kernels } = onBoth((b) => {
      const out = imagesAt(b, 1, [1, 1, 16]);
      const x = Float32Array.from({ length: 64 }, (_, i) => -1 - i);
      b.recorder.maxPool('pool', out, imagesAt(b, 1, [2, 2, 16], x), 2);
      b.run();
      return b.floats(out.at as number, 16);
    });
    expect(kernels[3]).toBe(-4);
  });

  it('refuses what does not fit', () => {
    onBoth((b) => {
      const pool = (out: Case['size'], x: Case['size'], window: number) =>
        b.recorder.maxPool('pool', imagesAt(b, 1, out), imagesAt(b, 1, x), window);
      expect(() => pool([1, 1, 3], [2, 2, 3], 2)).toThrow('expected channels padded to a multiple of 16, got 3');
      expect(() => pool([1, 1, 16], [2, 2, 16], 3)).toThrow('expected a kernel of at most 2 pixels, got 3');
      expect(() => pool([2, 2, 16], [2, 2, 16], 2)).toThrow(
        'expected images of [1, 1, 16] to come out, got [2, 2, 16]',
      );
    });
  });
});

describe('fromBytes', () => {
  it.each([
    [1, 784],
    [3, 75],
    [2, 7],
    [5, 16],
    [1, 1],
  ])('%i rows of %i bytes: the same to the bit, zeros behind', (rows, width) => {
    const cols = pad(width, 16);
    const bytes = Uint8Array.from({ length: rows * width }, (_, i) => (i * 37 + 200) & 255);
    const { kernels, reference } = onBoth((b) => {
      const out = b.rows(rows, cols, new Float32Array(rows * cols).fill(7), width);
      b.recorder.fromBytes('grey', out, b.put(bytes), 1 / 255);
      b.run();
      return b.floats(out.at as number, rows * cols);
    });
    expect(kernels).toEqual(reference);
    expect(kernels[0]).toBeCloseTo(200 / 255, 6);
    kernels.forEach((y, i) => {
      if (i % cols >= width) expect(y).toBe(0);
    });
  });
});
