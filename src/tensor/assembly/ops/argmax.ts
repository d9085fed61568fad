// The greedy choice: the id of the largest logit, the first one where several are equal (as torch.argmax does on one
// thread).

import { largestOf } from './row';

/** Whether one of four stands at p + at. */
// @ts-ignore: AssemblyScript's decorator
@inline
function found(p: usize, wanted: v128, at: usize): v128 {
  return f32x4.eq(v128.load(p + at), wanted);
}

/**
 * logits f32 [rows, count], rows `rowBytes` apart, each with room for a multiple of 16 -> out u32 [rows], `outBytes`
 * apart: an id each.
 */
export function argmax(out: usize, outBytes: usize, logits: usize, rows: u32, rowBytes: usize, count: u32): void {
  for (; rows > 0; rows -= 1, out += outBytes, logits += rowBytes) store<u32>(out, argmaxOf(logits, count));
}

function argmaxOf(logits: usize, count: u32): u32 {
  const whole = logits + (<usize>(count & ~15) << 2);
  const end = logits + (<usize>count << 2);
  let m = largestOf(logits, whole);
  for (let p = whole; p < end; p += 4) if (load<f32>(p) > m) m = load<f32>(p);
  const wanted = f32x4.splat(m);
  let p = logits;
  for (; p < whole; p += 64) {
    const any = v128.or(v128.or(found(p, wanted, 0), found(p, wanted, 16)), v128.or(found(p, wanted, 32), found(p, wanted, 48)));
    if (v128.any_true(any)) break;
  }
  while (p < end && load<f32>(p) != m) p += 4;
  // logits that are all NaN have no largest: id 0
  return p < end ? <u32>((p - logits) >> 2) : 0;
}
