/**
 * Images in the arena: pixel after pixel, row after row, the channels of a pixel beside each other. Convolutions and
 * pools are over them.
 */
import { pad } from './layout.ts';
import type { Rows } from './rows.ts';
import { times, type Value } from './value.ts';

/** float32 [images, height, width, channels]; each image begins at a multiple of 16 numbers. */
export interface Images {
  at: Value;
  images: Value;
  height: number;
  width: number;
  channels: number;
}

export interface ConvShape {
  /** Height and width of the kernel. */
  kernel: readonly [number, number];
  /** Pixels from one patch to the next, down and across: 1 if left out. */
  stride?: number;
  /** Rows and columns of zeros round the image: 0 if left out. */
  padding?: number;
}

/** Columns of a patch of the image: of a convolution's weights as a matrix, padded. */
export const patchCols = ({ kernel: [height, width] }: ConvShape, channels: number): number =>
  pad(height * width * channels, 16);

/** Where a convolution or pool of this kernel fits, down or across. @throws RangeError where it fits nowhere */
export function fits(what: string, size: number, kernel: number, stride: number, padding = 0): number {
  for (const [name, number, least] of [
    ['kernel', kernel, 1],
    ['stride', stride, 1],
    ['padding', padding, 0],
  ] as const) {
    if (!Number.isInteger(number) || number < least)
      throw new RangeError(`${what}: expected a ${name} of ${least} or more whole pixels, got ${number}`);
  }
  const places = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  if (places < 1)
    throw new RangeError(`${what}: expected a kernel of at most ${size + 2 * padding} pixels, got ${kernel}`);
  return places;
}

/** Each image as a row, for matrices: the columns are its pixels' channels in order. */
export function imagesAsRows({ at, images, height, width, channels }: Images): Rows {
  const size = height * width * channels;
  return { at, rows: images, cols: pad(size, 16), width: size };
}

/**
 * Each pixel as a row of its channels, for activations and biases.
 * @throws RangeError where channels are no multiple of 16
 */
export function pixelsAsRows(what: string, { at, images, height, width, channels }: Images): Rows {
  checkChannels(what, channels);
  return { at, rows: times(images, height * width), cols: channels, width: channels };
}

export function checkChannels(what: string, channels: number): void {
  if (channels % 16 !== 0)
    throw new RangeError(`${what}: expected channels padded to a multiple of 16, got ${channels}`);
}

/** @throws RangeError where `out` is not of the size that comes out of `what` */
export function checkImages(what: string, out: Images, height: number, width: number, channels: number): void {
  if (out.height !== height || out.width !== width || out.channels !== channels) {
    const [wanted, got] = [
      [height, width, channels],
      [out.height, out.width, out.channels],
    ];
    throw new RangeError(`${what}: expected images of [${wanted.join(', ')}] to come out, got [${got.join(', ')}]`);
  }
}
