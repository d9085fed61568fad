// The greedy choice: the id of the largest logit, the first one where several are equal (as torch.argmax does on one thread).

import { max } from '../lanes';

/** logits f32 [count, padded to a multiple of 4] -> out u32: one id. */
export function argmax(out: usize, logits: usize, count: u32): void {
  const whole = logits + (<usize>(count & ~3) << 2);
  const end = logits + (<usize>count << 2);
  let largest = f32x4.splat(-Infinity);
  let p = logits;
  for (; p < whole; p += 16) largest = f32x4.pmax(largest, v128.load(p));
  let m = max(largest);
  for (; p < end; p += 4) if (load<f32>(p) > m) m = load<f32>(p);
  const wanted = f32x4.splat(m);
  p = logits;
  while (p < whole && !v128.any_true(f32x4.eq(v128.load(p), wanted))) p += 16;
  while (p < end && load<f32>(p) != m) p += 4;
  // logits that are all NaN have no largest: id 0
  store<u32>(out, p < end ? <u32>((p - logits) >> 2) : 0);
}
