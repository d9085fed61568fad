// The number formats of weights to and from float32, bit for bit. Source: IEEE 754 binary16; bfloat16 is the upper half
// of a float32.

/** Bytes of a number of each format that is read as weights. */
export const FLOAT_BYTES = { F32: 4, F16: 2, BF16: 2 } as const;
export type FloatFormat = keyof typeof FLOAT_BYTES;

/** Little-endian numbers of `format` as float32, in a fresh array. @param bytes a multiple of the format's size */
export function toFloat32(bytes: Uint8Array, format: FloatFormat): Float32Array<ArrayBuffer> {
  const aligned = bytes.byteOffset % FLOAT_BYTES[format] === 0 ? bytes : bytes.slice();
  const count = bytes.length / FLOAT_BYTES[format];
  if (format === 'F32')
    return new Float32Array(aligned.buffer, aligned.byteOffset, count).slice() as Float32Array<ArrayBuffer>;
  const halves = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
  const out = new Float32Array(count);
  const bits = new Uint32Array(out.buffer);
  if (format === 'BF16') for (let i = 0; i < count; i++) bits[i] = halves[i]! << 16;
  else for (let i = 0; i < count; i++) bits[i] = halfToFloatBits(halves[i]!);
  return out;
}

/** float32 as float16, to the nearest, halves to even; too large becomes infinite. */
export function toFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, floatToHalfBits);
}

/** float32 as bfloat16, to the nearest, halves to even. */
export function toBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  // A NaN keeps its upper half with a bit set, lest the rounding make it infinite.
  return Uint16Array.from(bits, (b) =>
    (b & 0x7fffffff) > 0x7f800000 ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16,
  );
}

const scratch = new Uint32Array(1);
const scratchFloat = new Float32Array(scratch.buffer);

/** The number that 16 bits stand for as a float16. */
export function halfToFloat(half: number): number {
  scratch[0] = halfToFloatBits(half);
  return scratchFloat[0]!;
}

function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // A subnormal half is fraction * 2^-24: its leading bit gives the exponent.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

function floatToHalfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 2^16 and more
  if (magnitude >= 0x38800000) return sign + roundShift(magnitude - 0x38000000, 13); // 2^-14 and more; may carry to infinity
  if (magnitude < 0x33000000) return sign; // below 2^-25, half of the least
  return sign + roundShift((magnitude & 0x7fffff) | 0x800000, 126 - (magnitude >>> 23));
}

/** `value >> shift`, to the nearest, halves to even. */
function roundShift(value: number, shift: number): number {
  const floor = value >>> shift;
  const rest = value - floor * 2 ** shift;
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && (floor & 1) === 1) ? floor + 1 : floor;
}
