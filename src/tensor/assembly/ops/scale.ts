// x * factor, in place or fresh; every row of x by a row of factors.

/** x f32 [rows * cols] -> out f32; count a multiple of 4. */
export function scale(out: usize, x: usize, count: u32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (const end = out + (<usize>count << 2); out < end; out += 16, x += 16) v128.store(out, f32x4.mul(v128.load(x), f));
}

/** x f32 [rows, cols] *= row f32 [cols], a multiple of 4, in every row. */
export function scaleRow(x: usize, row: usize, rows: u32, cols: u32): void {
  const rowBytes = <usize>cols << 2;
  for (let i: u32 = 0; i < rows; i++) {
    for (let p: usize = 0; p < rowBytes; p += 16) v128.store(x + p, f32x4.mul(v128.load(x + p), v128.load(row + p)));
    x += rowBytes;
  }
}
