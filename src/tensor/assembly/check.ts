// Whether numbers that are to be weights are such: float32 that are finite, multipliers of int4 weights (int4.ts) that
// keep them within int8.
import { CHECK_FINITE, INT4_MULTIPLIER_MAX } from './protocol';

/**
 * @returns the number of the first that is not, counted from 1; 0 where all are. `bytes` are a multiple of 4, or of 1
 * for multipliers.
 */
export function firstWrong(kind: u32, at: usize, bytes: u32): u32 {
  return kind == CHECK_FINITE ? firstNotFinite(at, bytes) : firstTooLarge(at, bytes);
}

/** A float32 whose exponent is all ones is infinite or no number. */
function firstNotFinite(at: usize, bytes: u32): u32 {
  const exponent = i32x4.splat(0x7f800000);
  const end = at + bytes;
  let from = at;
  while (from + 16 <= end) {
    if (v128.any_true(i32x4.eq(v128.and(v128.load(from), exponent), exponent))) break;
    from += 16;
  }
  for (; from + 4 <= end; from += 4) if ((load<u32>(from) & 0x7f800000) == 0x7f800000) return <u32>((from - at) >> 2) + 1;
  return 0;
}

function firstTooLarge(at: usize, bytes: u32): u32 {
  for (let i: u32 = 0; i < bytes; i++) {
    const multiplier = <i32>load<i8>(at + i);
    if (multiplier > INT4_MULTIPLIER_MAX || multiplier < -INT4_MULTIPLIER_MAX) return i + 1;
  }
  return 0;
}
