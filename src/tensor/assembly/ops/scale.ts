// x * factor, in place or fresh.

/** x f32 [rows * cols] -> out f32; count a multiple of 4. */
export function scale(out: usize, x: usize, count: u32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (const end = out + (<usize>count << 2); out < end; out += 16, x += 16) v128.store(out, f32x4.mul(v128.load(x), f));
}
