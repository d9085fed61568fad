/**
 * Numbers in a program: constants, or sums of constants and multiples of registers, which stand for what changes from
 * run to run.
 */

/** constant + sum of multiples of registers */
export interface Affine {
  constant: number;
  /**
   * A register and its multiple, and so on: flat, as the interpreter records hundreds of them when a model is loaded.
   */
  strides: readonly number[];
}
export type Value = number | Affine;

export const register = (index: number): Affine => ({ constant: 0, strides: [index, 1] });

/** plus(16, times(register(T), 64)) is the address 16 + 64 T. */
export function plus(...values: Value[]): Value {
  let constant = 0;
  const strides: number[] = [];
  for (const value of values) {
    if (typeof value === 'number') {
      constant += value;
      continue;
    }
    constant += value.constant;
    for (let i = 0; i < value.strides.length; i += 2) {
      const [r, stride] = [value.strides[i]!, value.strides[i + 1]!];
      let at = 0;
      while (at < strides.length && strides[at] !== r) at += 2;
      strides[at] = r;
      strides[at + 1] = (strides[at + 1] ?? 0) + stride;
    }
  }
  return strides.length > 0 ? { constant, strides } : constant;
}

export function times(value: Value, factor: number): Value {
  if (typeof value === 'number') return value * factor;
  if (factor === 0) return 0;
  return { constant: value.constant * factor, strides: value.strides.map((x, i) => (i % 2 ? x * factor : x)) };
}
