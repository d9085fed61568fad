// y = x W^T in float32, for the reference weights; the plain form, one weight row at a time.

import { sum } from '../lanes';

/**
 * x f32 [rows, K], w f32 [F, K] -> columns `from` up to `to` of out f32 [rows, F], added to what is there where
 * `accumulate` is set; K a multiple of 16.
 */
export function linearF32(out: usize, x: usize, w: usize, rows: u32, outputs: u32, inputs: u32, accumulate: u32, from: u32, to: u32): void {
  const rowBytes = <usize>inputs << 2;
  const first = w + <usize>from * rowBytes;
  const end = w + <usize>to * rowBytes;
  const others = <usize>(outputs - (to - from)) << 2;
  out += <usize>from << 2;
  for (let i: u32 = 0; i < rows; i++) {
    for (let row = first; row < end; row += rowBytes) {
      let s0 = f32x4.splat(0);
      let s1 = f32x4.splat(0);
      let s2 = f32x4.splat(0);
      let s3 = f32x4.splat(0);
      for (let at: usize = 0; at < rowBytes; at += 64) {
        s0 = f32x4.add(s0, f32x4.mul(v128.load(x + at), v128.load(row + at)));
        s1 = f32x4.add(s1, f32x4.mul(v128.load(x + at, 16), v128.load(row + at, 16)));
        s2 = f32x4.add(s2, f32x4.mul(v128.load(x + at, 32), v128.load(row + at, 32)));
        s3 = f32x4.add(s3, f32x4.mul(v128.load(x + at, 48), v128.load(row + at, 48)));
      }
      const s = sum(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
      store<f32>(out, accumulate ? load<f32>(out) + s : s);
      out += 4;
    }
    out += others;
    x += rowBytes;
  }
}
