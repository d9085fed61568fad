// Bytes, such as the grey values of an image, as float32.

/** x u8 [rows, width], one row after another -> out f32 [rows, cols] = x * factor, zeros behind `width`. */
export function fromBytes(out: usize, x: usize, rows: u32, width: u32, cols: u32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (let i: u32 = 0; i < rows; i++) {
    const end = out + (<usize>cols << 2);
    const last = x + width;
    for (; x + 8 <= last; x += 8, out += 32) {
      const values = v128.load8x8_u(x);
      v128.store(out, f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(values)), f));
      v128.store(out, f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(values)), f), 16);
    }
    for (; x < last; x++, out += 4) store<f32>(out, <f32>load<u8>(x) * factor);
    for (; out < end; out += 4) store<f32>(out, 0);
  }
}
