/** Numbers as the kernels have them: rounding, and rows as integers. */
const { fround } = Math;

/** Nearest integer, ties to even, as Wasm's `nearest`. */
export function nearest(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** A row as integers up to `most`, and their scale. */
export function quantized(row: Float32Array, most: number): { values: number[]; scale: number } {
  const largest = row.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const inverse = largest > 0 ? fround(most / largest) : 0;
  const values = Array.from(row, (v) => Math.max(-32768, Math.min(32767, nearest(fround(v * inverse)))));
  return { values, scale: fround(largest / most) };
}

export const sumOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
