// The block formats of ggml to float32: each block holds so many numbers in so many bytes, scales included.
// Not their making: a file's numbers are only read. Source: ggml, `ggml-common.h` (layouts) and `ggml-quants.c` (rows).
import { FLOAT_BYTES, type FloatFormat, halfToFloat, toFloat32 } from './float-formats.ts';

/** Writes the numbers of the block at `at` of `bytes` to `out` from `to` on. */
type ReadBlock = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

interface BlockFormat {
  /** ggml's number of the format. */
  id: number;
  /** How many numbers a block holds. */
  numbers: number;
  /** How many bytes it takes. */
  bytes: number;
  read?: ReadBlock;
}

const half = (bytes: Uint8Array, at: number): number => halfToFloat(bytes[at]! | (bytes[at + 1]! << 8));

interface NibbleScale {
  scale: number;
  /** The whole number that stands for 0. */
  zero?: number;
  add?: number;
  /** A fifth bit of number `i`. */
  high?: (i: number) => number;
}

/** 32 numbers of 4 bits, the first sixteen in the lower halves of the bytes. Adding -0 leaves a -0 what it is. */
function nibbles(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  { scale, zero = 0, add = -0, high = () => 0 }: NibbleScale,
): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + i]!;
    out[to + i] = scale * (((byte & 15) | (high(i) << 4)) - zero) + add;
    out[to + 16 + i] = scale * (((byte >> 4) | (high(i + 16) << 4)) - zero) + add;
  }
}

/** The fifth bits of 32 numbers, a bit each. */
const fifthBits =
  (bytes: Uint8Array, at: number) =>
  (i: number): number =>
    (bytes[at + (i >> 3)]! >> (i & 7)) & 1;

/**
 * Scale and minimum of the eight groups of a block of 256, 6 bits each in 12 bytes: the first four groups have theirs
 * in the lower bits of bytes 0 to 7, the others in bytes 8 to 11 and the upper bits before.
 */
function groupScale(bytes: Uint8Array, at: number, group: number): { scale: number; minimum: number } {
  const byte = (i: number): number => bytes[at + i]!;
  if (group < 4) return { scale: byte(group) & 63, minimum: byte(group + 4) & 63 };
  return {
    scale: (byte(group + 4) & 15) | ((byte(group - 4) >> 6) << 4),
    minimum: (byte(group + 4) >> 4) | ((byte(group) >> 6) << 4),
  };
}

/**
 * 256 numbers of 4 bits in eight groups of 32, two groups to 32 bytes; `high` gives a fifth bit of number `i` of a
 * group.
 */
function nibbleGroups(
  bytes: Uint8Array,
  at: number,
  numbersAt: number,
  out: Float32Array,
  to: number,
  high: (group: number, i: number) => number = () => 0,
): void {
  const [d, dMinimum] = [half(bytes, at), half(bytes, at + 2)];
  for (let group = 0; group < 8; group++) {
    const { scale, minimum } = groupScale(bytes, at + 4, group);
    const from = numbersAt + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let i = 0; i < 32; i++) {
      const number = ((bytes[from + i]! >> shift) & 15) | (high(group, i) << 4);
      out[to + 32 * group + i] = d * scale * number - dMinimum * minimum;
    }
  }
}

const readQ4_0: ReadBlock = (bytes, at, out, to) =>
  nibbles(bytes, at + 2, out, to, { scale: half(bytes, at), zero: 8 });

const readQ4_1: ReadBlock = (bytes, at, out, to) =>
  nibbles(bytes, at + 4, out, to, { scale: half(bytes, at), add: half(bytes, at + 2) });

const readQ5_0: ReadBlock = (bytes, at, out, to) =>
  nibbles(bytes, at + 6, out, to, { scale: half(bytes, at), zero: 16, high: fifthBits(bytes, at + 2) });

const readQ5_1: ReadBlock = (bytes, at, out, to) =>
  nibbles(bytes, at + 8, out, to, {
    scale: half(bytes, at),
    add: half(bytes, at + 2),
    high: fifthBits(bytes, at + 4),
  });

const readQ8_0: ReadBlock = (bytes, at, out, to) => {
  const scale = half(bytes, at);
  for (let i = 0; i < 32; i++) out[to + i] = scale * ((bytes[at + 2 + i]! << 24) >> 24);
};

const readQ4_K: ReadBlock = (bytes, at, out, to) => nibbleGroups(bytes, at, at + 16, out, to);

const readQ5_K: ReadBlock = (bytes, at, out, to) =>
  nibbleGroups(bytes, at, at + 48, out, to, (group, i) => (bytes[at + 16 + i]! >> group) & 1);

/**
 * 256 numbers of 6 bits, less 32, in sixteen groups of 16. Lower bits in 128 bytes, upper ones in 64, then a signed
 * byte for each group and the block's scale. Each half of the block has its 128 numbers in quarters of 32:
 *
 *   quarter   lower bits               upper bits
 *   0         bytes  0-31, lower half  bits 0-1 of bytes 0-31
 *   1         bytes 32-63, lower half  bits 2-3
 *   2         bytes  0-31, upper half  bits 4-5
 *   3         bytes 32-63, upper half  bits 6-7
 */
const readQ6_K: ReadBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const [part, quarter, j] = [i >> 7, (i >> 5) & 3, i & 31];
    const low = (bytes[at + 64 * part + 32 * (quarter & 1) + j]! >> (4 * (quarter >> 1))) & 15;
    const high = (bytes[at + 128 + 32 * part + j]! >> (2 * quarter)) & 3;
    const scale = (bytes[at + 192 + (i >> 4)]! << 24) >> 24;
    out[to + i] = d * scale * ((low | (high << 4)) - 32);
  }
};

/** The formats that are read, by ggml's name. */
export const GGML_FORMATS = {
  F32: { id: 0, numbers: 1, bytes: 4 },
  F16: { id: 1, numbers: 1, bytes: 2 },
  Q4_0: { id: 2, numbers: 32, bytes: 18, read: readQ4_0 },
  Q4_1: { id: 3, numbers: 32, bytes: 20, read: readQ4_1 },
  Q5_0: { id: 6, numbers: 32, bytes: 22, read: readQ5_0 },
  Q5_1: { id: 7, numbers: 32, bytes: 24, read: readQ5_1 },
  Q8_0: { id: 8, numbers: 32, bytes: 34, read: readQ8_0 },
  Q4_K: { id: 12, numbers: 256, bytes: 144, read: readQ4_K },
  Q5_K: { id: 13, numbers: 256, bytes: 176, read: readQ5_K },
  Q6_K: { id: 14, numbers: 256, bytes: 210, read: readQ6_K },
  BF16: { id: 30, numbers: 1, bytes: 2 },
} as const satisfies Record<string, BlockFormat>;

export type GgmlFormat = keyof typeof GGML_FORMATS;

/**
 * Blocks of `format` as float32, in a fresh array. Numbers are computed in float64 and rounded once, which gives the
 * same bits as ggml's float32: no product of a block's factors has more than 24 bits before the last step.
 * @param bytes a multiple of the format's block
 */
export function ggmlToFloat32(bytes: Uint8Array, format: GgmlFormat): Float32Array<ArrayBuffer> {
  if (Object.hasOwn(FLOAT_BYTES, format)) return toFloat32(bytes, format as FloatFormat);
  const { numbers, bytes: blockBytes, read } = GGML_FORMATS[format] as BlockFormat;
  const blocks = bytes.length / blockBytes;
  const out = new Float32Array(blocks * numbers);
  for (let block = 0; block < blocks; block++) read!(bytes, block * blockBytes, out, block * numbers);
  return out;
}
