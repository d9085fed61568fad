// Activations to int16, one scale a row: q = nearest(x * 32767 / max|x|), scale = max|x| / 32767; a row of zeros has scale 0.

import { ACTIVATION_MAX } from '../protocol';
import { max } from '../lanes';

/** x f32 [rows, cols] -> out int16 [rows, cols], scales f32 [rows]; cols a multiple of 16. */
export function quantize(out: usize, scales: usize, x: usize, rows: u32, cols: u32): void {
  const rowBytes = <usize>cols << 2;
  for (let i: u32 = 0; i < rows; i++) {
    let largest = f32x4.splat(0);
    const end = x + rowBytes;
    for (let p = x; p < end; p += 16) largest = f32x4.pmax(largest, f32x4.abs(v128.load(p)));
    const m = max(largest);
    store<f32>(scales + (<usize>i << 2), m / <f32>ACTIVATION_MAX);
    const inverse = f32x4.splat(m > 0 ? <f32>ACTIVATION_MAX / m : 0);
    while (x < end) {
      const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x), inverse)));
      const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x, 16), inverse)));
      v128.store(out, i16x8.narrow_i32x4_s(low, high));
      out += 16;
      x += 32;
    }
  }
}
