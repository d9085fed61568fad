// A token drawn by the inverse of the cumulative distribution. Where the random number comes from is the caller's
// business (docs/generation.md).

import { padRow } from './row';

/**
 * p f32 [count], of any sum -> out u32: the first id at which the sum of p from id 0 on passes u times the whole sum,
 * u = random / 2^32. Sums are float64 and run in the order of ids, so that anyone who has p comes to the same id. Four
 * zeros, of which a cut row is full, change no sum and are passed over.
 */
export function draw(out: usize, row: usize, count: u32, random: u32): void {
  const end = padRow(row, count, 0);
  let total: f64 = 0;
  for (let p = row; p < end; p += 16) {
    if (!v128.any_true(v128.load(p))) continue;
    for (let q = p; q < p + 16; q += 4) total += <f64>load<f32>(q);
  }
  const wanted = total * (<f64>random / 4294967296);
  // where nothing may be chosen (no p above 0) there is no such id: id 0
  store<u32>(out, 0);
  let sum: f64 = 0;
  for (let p = row; p < end; p += 16) {
    if (!v128.any_true(v128.load(p))) continue;
    for (let q = p; q < p + 16; q += 4) {
      sum += <f64>load<f32>(q);
      if (sum > wanted) return store<u32>(out, <u32>((q - row) >> 2));
    }
  }
}
