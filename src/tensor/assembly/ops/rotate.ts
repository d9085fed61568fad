// Rotary positions: a pair of columns of a head, i and i + K/2, is turned by an angle that grows with the position.
// Source: Su et al. 2021, RoFormer, equation 34, with the pairs of Hugging Face's weights.

import { ROW_BYTES, ROW_POSITION } from '../row-table';

// pi / 2 in two parts: the first has so few bits that a whole number up to 2^20 times it is exact
const HALF_PI: f64 = 1.5707963267341256;
const HALF_PI_REST: f64 = 6.077100506506192e-11;

/** sin r and cos r on [-pi / 4, pi / 4], by their series: the next terms are below 2^-44. */
// @ts-ignore: AssemblyScript's decorator
@inline
function sine(r: f64, s: f64): f64 {
  return r * (1 + s * (-1.0 / 6 + s * (1.0 / 120 + s * (-1.0 / 5040 + s * (1.0 / 362880 + s * (-1.0 / 39916800 + s * (1.0 / 6227020800)))))));
}
// @ts-ignore: AssemblyScript's decorator
@inline
function cosine(s: f64): f64 {
  return 1 + s * (-1.0 / 2 + s * (1.0 / 24 + s * (-1.0 / 720 + s * (1.0 / 40320 + s * (-1.0 / 3628800 + s * (1.0 / 479001600 + s * (-1.0 / 87178291200)))))));
}

/**
 * Cosine and sine of an angle of [0, 2^20] to `cos` and `sin`. AssemblyScript's own would bring a table along, which
 * kernels may not have.
 */
function turn(angle: f64, cos: usize, sin: usize): void {
  const n = nearest(angle * 0.6366197723675814);
  const r = angle - n * HALF_PI - n * HALF_PI_REST;
  const square = r * r;
  const s = sine(r, square);
  const c = cosine(square);
  const quarter = <i32>n & 3;
  store<f32>(sin, <f32>(quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c));
  store<f32>(cos, <f32>(quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s));
}

/** out f32 [rows, 2 pairs] = cosines, then sines, of each row's position times frequencies f32 [pairs]. */
export function angles(out: usize, table: usize, frequencies: usize, rows: u32, pairs: u32): void {
  const half = <usize>pairs << 2;
  for (let i: u32 = 0; i < rows; i++) {
    const position = <f32>load<u32>(table + <usize>i * ROW_BYTES, ROW_POSITION * 4);
    for (let p: usize = 0; p < half; p += 4) {
      turn(<f64>(position * load<f32>(frequencies + p)), out + p, out + half + p);
    }
    out += half << 1;
  }
}

/**
 * x f32 [rows] of `rowBytes`, head h in the columns from h * K on, is turned in place by angles f32 [rows, 2 pairs].
 */
export function rotate(x: usize, angles: usize, rows: u32, heads: u32, dKv: u32, pairs: u32, rowBytes: usize): void {
  const half = <usize>pairs << 2;
  const fours = <usize>(pairs & ~3) << 2;
  for (let i: u32 = 0; i < rows; i++) {
    let head = x;
    for (let h: u32 = 0; h < heads; h++) {
      for (let p: usize = 0; p < fours; p += 16) {
        const a = v128.load(head + p);
        const b = v128.load(head + half + p);
        const cos = v128.load(angles + p);
        const sin = v128.load(angles + half + p);
        v128.store(head + p, f32x4.sub(f32x4.mul(a, cos), f32x4.mul(b, sin)));
        v128.store(head + half + p, f32x4.add(f32x4.mul(b, cos), f32x4.mul(a, sin)));
      }
      for (let p = fours; p < half; p += 4) {
        const a = load<f32>(head + p);
        const b = load<f32>(head + half + p);
        const cos = load<f32>(angles + p);
        const sin = load<f32>(angles + half + p);
        store<f32>(head + p, a * cos - b * sin);
        store<f32>(head + half + p, b * cos + a * sin);
      }
      head += <usize>dKv << 2;
    }
    x += rowBytes;
    angles += half << 1;
  }
}
