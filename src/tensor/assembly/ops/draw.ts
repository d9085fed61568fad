// A token drawn by the inverse of the cumulative distribution. Where the random number comes from is the caller's business (docs/generation.md).

/**
 * p f32 [count], of any sum -> out u32: the first id at which the sum of p from id 0 on passes u times the whole sum, u = random / 2^32.
 * Sums are float64 and run in the order of ids, so that anyone who has p comes to the same id.
 */
export function draw(out: usize, row: usize, count: u32, random: u32): void {
  const end = row + (<usize>count << 2);
  let total: f64 = 0;
  for (let p = row; p < end; p += 4) total += <f64>load<f32>(p);
  const wanted = total * (<f64>random / 4294967296);
  let sum: f64 = 0;
  let at = row;
  for (; at < end; at += 4) {
    sum += <f64>load<f32>(at);
    if (sum > wanted) break;
  }
  // where nothing may be chosen (no p above 0) there is no such id: id 0
  store<u32>(out, at < end ? <u32>((at - row) >> 2) : 0);
}
