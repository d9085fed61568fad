// T5's layer norm: no mean, no bias (Raffel et al. 2020, section 2.1; "Root Mean Square Layer Normalization", equation 4).

import { sum } from '../lanes';

/** x f32 [rows, cols], w f32 [cols] -> out f32 [rows, cols]; columns from `width` on are padding and zero. */
export function rmsNorm(out: usize, x: usize, w: usize, rows: u32, cols: u32, width: u32, epsilon: f32): void {
  const rowBytes = <usize>cols << 2;
  for (let i: u32 = 0; i < rows; i++) {
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < rowBytes; at += 16) {
      const v = v128.load(x + at);
      squares = f32x4.add(squares, f32x4.mul(v, v));
    }
    const inverse = f32x4.splat(<f32>1 / sqrt<f32>(sum(squares) / <f32>width + epsilon));
    for (let at: usize = 0; at < rowBytes; at += 16) {
      v128.store(out + at, f32x4.mul(v128.load(w + at), f32x4.mul(v128.load(x + at), inverse)));
    }
    out += rowBytes;
    x += rowBytes;
  }
}
