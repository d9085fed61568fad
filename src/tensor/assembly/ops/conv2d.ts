// Two-dimensional convolution: each output pixel is a row of a matrix product, whose columns are the patch of the image
// under the kernel. Patches of a few output pixels at a time are copied into scratch, where the linear ops' kernels
// take them: the copies are some 5% of the work, and touch no page that a matrix of all patches would.
//
//   image [height, width, channels]            patch of output pixel (y, x): rows of the kernel one after another, zeros up to K
//     . . . . . .                              | ky = 0: kernelWidth * channels | ky = 1 | … | 0 0 |
//     . # # # . .   kernel 3 x 3, stride 1
//     . # # # . .                              K: kernelHeight * kernelWidth * channels, padded to a multiple of 16
//     . # # # . .

import { CONV_ROWS as CONV_ROWS_ } from '../protocol';
import { linearF32 } from './linear-f32';
import { linearQ8 } from './linear-q8';

const CONV_ROWS: u32 = CONV_ROWS_;

/** Bytes [from, from + bytes) to `out`; an even number. Loops, as memory.copy costs more for so few. */
// @ts-ignore: AssemblyScript's decorator
@inline
function copyFew(out: usize, from: usize, bytes: u32): void {
  for (; bytes >= 16; bytes -= 16, from += 16, out += 16) v128.store(out, v128.load(from));
  for (; bytes >= 4; bytes -= 4, from += 4, out += 4) store<u32>(out, load<u32>(from));
  if (bytes) store<u16>(out, load<u16>(from));
}

/**
 * Patches that lie in the image, one behind the other; up to 14 bytes too many are read, and written behind each row of
 * a patch: the next row goes over them, and columns behind the last row meet weights of zero. A third of the
 * convolution of an image of one channel, whose rows are short.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
function insidePatch(out: usize, from: usize, kernelHeight: u32, segment: usize, rowBytes: usize): void {
  for (let y: u32 = 0; y < kernelHeight; y++, from += rowBytes, out += segment) {
    for (let at: usize = 0; at < segment; at += 16) v128.store(out + at, v128.load(from + at));
  }
}

/**
 * The patch whose first row and column in the image are `top` and `left`; padding makes them negative or lets the patch
 * reach past the end, and zeros stand there.
 */
function patch(
  out: usize, image: usize, top: i32, left: i32, height: i32, width: i32, kernelHeight: i32, kernelWidth: i32, pixelBytes: u32, rowBytes: u32,
): void {
  const segment = <u32>kernelWidth * pixelBytes;
  const first = left < 0 ? -left : 0;
  const over = left + kernelWidth - width;
  const end = over > 0 ? kernelWidth - over : kernelWidth;
  const before = <u32>first * pixelBytes;
  const inside = end > first ? <u32>(end - first) * pixelBytes : 0;
  const whole = inside == segment;
  for (let y = top; y < top + kernelHeight; y++, out += segment) {
    if (!whole || y < 0 || y >= height) memory.fill(out, 0, segment);
    if (y >= 0 && y < height && inside) copyFew(out + before, image + <usize>y * rowBytes + <usize>((left + first) * <i32>pixelBytes), inside);
  }
}

/**
 * x int16 [images, height, width, channels] of images `imageCols` numbers apart, with scales f32 [images], w int8
 * [outputs, K] in groups of four rows (layout.ts) with scales f32 [outputs] -> out f32 [images, outHeight, outWidth,
 * outputs] with outHeight = floor((height + 2 padding - kernelHeight) / stride) + 1. outputs a multiple of 16. patches:
 * int16 [CONV_ROWS, K] and 16 bytes, patchScales: f32 [CONV_ROWS], sums: as linearQ8 has it. There is memory for 16
 * bytes behind x.
 */
export function conv2dQ8(
  out: usize, x: usize, xScales: usize, w: usize, wScales: usize, patches: usize, patchScales: usize, sums: usize,
  images: u32, imageCols: u32, height: u32, width: u32, channels: u32, kernelHeight: u32, kernelWidth: u32, stride: u32, padding: u32, outputs: u32,
): void {
  const inputs = (kernelHeight * kernelWidth * channels + 15) & ~15;
  const outHeight = (height + 2 * padding - kernelHeight) / stride + 1;
  const outWidth = (width + 2 * padding - kernelWidth) / stride + 1;
  const pixels = outHeight * outWidth;
  const patchBytes = <usize>inputs << 1;
  const segment = <usize>(kernelWidth * channels) << 1;
  const rowBytes = <usize>(width * channels) << 1;
  // columns behind a patch stay zero
  memory.fill(patches, 0, CONV_ROWS * patchBytes);
  for (let image: u32 = 0; image < images; image++, x += <usize>imageCols << 1) {
    const scale = load<f32>(xScales + (<usize>image << 2));
    for (let t: u32 = 0; t < CONV_ROWS; t++) store<f32>(patchScales + (<usize>t << 2), scale);
    let oy: u32 = 0;
    let ox: u32 = 0;
    for (let done: u32 = 0; done < pixels; ) {
      const rows = min(CONV_ROWS, pixels - done);
      for (let t: u32 = 0; t < rows; t++) {
        const to = patches + <usize>t * patchBytes;
        if (padding == 0) {
          insidePatch(to, x + <usize>(oy * stride) * rowBytes + (<usize>(ox * stride * channels) << 1), kernelHeight, segment, rowBytes);
        } else {
          patch(
            to, x, <i32>(oy * stride) - <i32>padding, <i32>(ox * stride) - <i32>padding, height, width, kernelHeight, kernelWidth, channels << 1, <u32>rowBytes,
          );
        }
        if (++ox == outWidth) {
          ox = 0;
          oy += 1;
        }
      }
      linearQ8(out, patches, patchScales, w, wScales, rows, outputs, inputs, 0, sums, 0, outputs);
      out += <usize>(rows * outputs) << 2;
      done += rows;
    }
  }
}

/** The same in float32: x f32, w f32 [outputs, K], patches f32 [K]. */
export function conv2dF32(
  out: usize, x: usize, w: usize, patches: usize,
  images: u32, imageCols: u32, height: u32, width: u32, channels: u32, kernelHeight: u32, kernelWidth: u32, stride: u32, padding: u32, outputs: u32,
): void {
  const inputs = (kernelHeight * kernelWidth * channels + 15) & ~15;
  const outHeight = (height + 2 * padding - kernelHeight) / stride + 1;
  const outWidth = (width + 2 * padding - kernelWidth) / stride + 1;
  memory.fill(patches, 0, <usize>inputs << 2);
  for (let image: u32 = 0; image < images; image++, x += <usize>imageCols << 2) {
    for (let oy: u32 = 0; oy < outHeight; oy++) {
      for (let ox: u32 = 0; ox < outWidth; ox++) {
        patch(
          patches, x, <i32>(oy * stride) - <i32>padding, <i32>(ox * stride) - <i32>padding, height, width, kernelHeight, kernelWidth, channels << 2,
          (width * channels) << 2,
        );
        linearF32(out, patches, w, 1, outputs, inputs, 0, 0, outputs);
        out += <usize>outputs << 2;
      }
    }
  }
}
