/**
 * Images, in plain TypeScript: the meaning of assembly/ops/{from-bytes,conv2d,max-pool}.ts. Convolution with int8
 * weights is exact.
 */
import type { OpArgs } from '../ops.ts';
import { linearF32, linearQ8 } from './linear.ts';
import type { Memory } from './memory.ts';

export function fromBytes(m: Memory, { out, x, rows, width, cols, factor }: OpArgs<'fromBytes'>): void {
  for (let i = 0; i < rows; i++) {
    const bytes = m.read(x + i * width, width);
    for (let c = 0; c < cols; c++) m.f32[out / 4 + i * cols + c] = c < width ? bytes[c]! * factor : 0;
  }
}

type Shape = Omit<OpArgs<'conv2dF32'>, 'out' | 'x' | 'w' | 'patches'>;

/**
 * For each output pixel of each image: the indices in x of what the kernel sees, -1 where there is padding, K of them.
 */
function* patchesOf(a: Shape): Generator<{ image: number; seen: number[] }> {
  const inputs = Math.ceil((a.kernelHeight * a.kernelWidth * a.channels) / 16) * 16;
  const across = (size: number, kernel: number): number => Math.floor((size + 2 * a.padding - kernel) / a.stride) + 1;
  for (let image = 0; image < a.images; image++) {
    for (let oy = 0; oy < across(a.height, a.kernelHeight); oy++) {
      for (let ox = 0; ox < across(a.width, a.kernelWidth); ox++) {
        const seen = new Array<number>(inputs).fill(-1);
        let column = 0;
        for (let ky = 0; ky < a.kernelHeight; ky++) {
          for (let kx = 0; kx < a.kernelWidth; kx++) {
            for (let c = 0; c < a.channels; c++, column++) {
              const [y, x] = [oy * a.stride - a.padding + ky, ox * a.stride - a.padding + kx];
              if (y < 0 || y >= a.height || x < 0 || x >= a.width) continue;
              seen[column] = image * a.imageCols + (y * a.width + x) * a.channels + c;
            }
          }
        }
        yield { image, seen };
      }
    }
  }
}

export function conv2dQ8(
  m: Memory,
  { x, xScales, w, wScales, patches, patchScales, sums, ...shape }: OpArgs<'conv2dQ8'>,
): void {
  let { out } = shape;
  const { outputs } = shape;
  for (const { image, seen } of patchesOf(shape)) {
    m.i16.set(
      seen.map((at) => (at < 0 ? 0 : m.i16[x / 2 + at]!)),
      patches / 2,
    );
    m.f32[patchScales / 4] = m.f32[xScales / 4 + image]!;
    const inputs = seen.length;
    linearQ8(m, {
      out,
      x: patches,
      xScales: patchScales,
      w,
      wScales,
      rows: 1,
      outputs,
      inputs,
      accumulate: 0,
      sums,
      from: 0,
      to: outputs,
    });
    out += outputs * 4;
  }
}

export function conv2dF32(m: Memory, { x, w, patches, ...shape }: OpArgs<'conv2dF32'>): void {
  let { out } = shape;
  const { outputs } = shape;
  for (const { seen } of patchesOf(shape)) {
    m.f32.set(
      seen.map((at) => (at < 0 ? 0 : m.f32[x / 4 + at]!)),
      patches / 4,
    );
    linearF32(m, { out, x: patches, w, rows: 1, outputs, inputs: seen.length, accumulate: 0, from: 0, to: outputs });
    out += outputs * 4;
  }
}

export function maxPool(
  m: Memory,
  { out, x, images, height, width, channels, window, stride }: OpArgs<'maxPool'>,
): void {
  const across = (size: number): number => Math.floor((size - window) / stride) + 1;
  let to = out / 4;
  for (let image = 0; image < images; image++) {
    for (let oy = 0; oy < across(height); oy++) {
      for (let ox = 0; ox < across(width); ox++) {
        for (let c = 0; c < channels; c++) {
          let largest = Number.NEGATIVE_INFINITY;
          for (let y = 0; y < window; y++) {
            for (let i = 0; i < window; i++) {
              const pixel = (image * height + oy * stride + y) * width + ox * stride + i;
              largest = Math.max(largest, m.f32[x / 4 + pixel * channels + c]!);
            }
          }
          m.f32[to++] = largest;
        }
      }
    }
  }
}
