// T5's layer norm: no mean, no bias (Raffel et al. 2020, section 2.1; "Root Mean Square Layer Normalization",
// equation 4).

import { sum } from '../lanes';

// @ts-ignore: AssemblyScript's decorator
@inline
function square(x: usize, at: usize): v128 {
  const v = v128.load(x + at);
  return f32x4.mul(v, v);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function normed(x: usize, w: usize, inverse: v128, at: usize): v128 {
  return f32x4.mul(v128.load(w + at), f32x4.mul(v128.load(x + at), inverse));
}

/** x f32 [rows, cols], w f32 [cols] -> out f32 [rows, cols]; columns from `width` on are padding and zero. */
export function rmsNorm(out: usize, x: usize, w: usize, rows: u32, cols: u32, width: u32, epsilon: f32): void {
  const rowBytes = <usize>cols << 2;
  for (const end = out + <usize>rows * rowBytes; out < end; ) {
    let squares = f32x4.splat(0);
    const next = x + rowBytes;
    for (let p = x; p < next; p += 64) {
      squares = f32x4.add(squares, f32x4.add(f32x4.add(square(p, 0), square(p, 16)), f32x4.add(square(p, 32), square(p, 48))));
    }
    const inverse = f32x4.splat(<f32>1 / sqrt<f32>(sum(squares) / <f32>width + epsilon));
    for (let at = w; x < next; x += 64, at += 64, out += 64) {
      v128.store(out, normed(x, at, inverse, 0));
      v128.store(out, normed(x, at, inverse, 16), 16);
      v128.store(out, normed(x, at, inverse, 32), 32);
      v128.store(out, normed(x, at, inverse, 48), 48);
    }
  }
}
