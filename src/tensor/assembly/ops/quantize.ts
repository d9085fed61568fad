// Activations to int16, one scale a row: q = nearest(x * ACTIVATION_MAX / max|x|), scale = max|x| / ACTIVATION_MAX; a
// row of zeros has scale 0.

import { ACTIVATION_MAX } from '../protocol';
import { largestMagnitude, roundRow } from '../lanes';

/** x f32 [rows, cols] -> out int16 [rows, cols], scales f32 [rows]; cols a multiple of 16. */
export function quantize(out: usize, scales: usize, x: usize, rows: u32, cols: u32): void {
  for (const end = scales + (<usize>rows << 2); scales < end; scales += 4) {
    const largest = largestMagnitude(x, cols);
    store<f32>(scales, largest / <f32>ACTIVATION_MAX);
    roundRow(out, x, cols, f32x4.splat(largest > 0 ? <f32>ACTIVATION_MAX / largest : 0));
    out += <usize>cols << 1;
    x += <usize>cols << 2;
  }
}
