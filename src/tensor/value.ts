/** Numbers in a program: constants, or sums of constants and multiples of registers, which stand for what changes from run to run. */

/** constant + sum over registers r of strides[r] * r */
export interface Affine {
  constant: number;
  strides: Map<number, number>;
}
export type Value = number | Affine;

export const register = (index: number): Affine => ({ constant: 0, strides: new Map([[index, 1]]) });

const affine = (v: Value): Affine => (typeof v === 'number' ? { constant: v, strides: new Map() } : v);

/** plus(16, times(register(T), 64)) is the address 16 + 64 T. */
export function plus(...values: Value[]): Value {
  const sum: Affine = { constant: 0, strides: new Map() };
  for (const v of values.map(affine)) {
    sum.constant += v.constant;
    for (const [r, stride] of v.strides) sum.strides.set(r, (sum.strides.get(r) ?? 0) + stride);
  }
  return sum.strides.size ? sum : sum.constant;
}

export function times(value: Value, factor: number): Value {
  if (typeof value === 'number') return value * factor;
  if (factor === 0) return 0;
  return {
    constant: value.constant * factor,
    strides: new Map([...value.strides].map(([r, stride]) => [r, stride * factor])),
  };
}

/** The number that a value comes to, given its registers; for sizes, and for the reference. */
export function evaluate(value: Value, registers: readonly number[]): number {
  if (typeof value === 'number') return value;
  let sum = value.constant;
  for (const [r, stride] of value.strides) sum += stride * (registers[r] ?? 0);
  return sum;
}
