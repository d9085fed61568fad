// Numbers that are wanted: of any type, where the one that is wanted has room for them.
import {
  KIND_FLOAT32, KIND_FLOAT64, KIND_INT, KIND_INT8, KIND_NAT, KIND_NAT64, LONG_NUMBER, OUT_OF_RANGE,
} from '../arguments-protocol';
import { byte, fail, failure, fixed, position } from './bytes';
import { sizeOf } from './skip';
import { giveBits, giveNumber } from './slots';

/** The integer read last, two's complement of 128 bits. */
let low: u64 = 0;
let high: u64 = 0;

/** `nat` or `int` of at most 128 bits, into `low` and `high`. */
function integer(isSigned: bool): void {
  low = 0;
  high = 0;
  for (let shift: u64 = 0; shift < 133; shift += 7) {
    const part: u64 = byte();
    if (failure) return;
    const bits = part & 127;
    if (shift < 64) low |= bits << shift;
    if (shift > 57 && shift < 64) high |= bits >> (64 - shift);
    if (shift >= 64) high |= bits << (shift - 64);
    if (part >= 128) continue;
    if (isSigned && part & 64) {
      if (shift + 7 < 64) low |= u64.MAX_VALUE << (shift + 7);
      if (shift + 7 < 64) high = u64.MAX_VALUE;
      else if (shift + 7 < 128) high |= u64.MAX_VALUE << (shift + 7 - 64);
    }
    return;
  }
  fail(LONG_NUMBER, 128, position());
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function isNumber(kind: i32): bool {
  return kind >= KIND_NAT && kind <= KIND_FLOAT64;
}

/** Takes a number of any type, where the one that is wanted has room for it. */
export function readNumber(kind: i32, given: i32): void {
  if (given >= KIND_FLOAT32) return takeFloat(kind, given == KIND_FLOAT32 ? <f64>reinterpret<f32>(<u32>fixed(4)) : reinterpret<f64>(fixed(8)));
  if (given == KIND_NAT || given == KIND_INT) integer(given == KIND_INT);
  else {
    const size = sizeOf(given);
    low = fixed(size);
    high = 0;
    if (given >= KIND_INT8) {
      const unused: u64 = 64 - (<u64>size << 3);
      low = <u64>(<i64>(low << unused) >> <i64>unused);
      high = <u64>(<i64>low >> 63);
    }
  }
  if (!failure) takeInteger(kind, given);
}

function takeInteger(kind: i32, given: i32): void {
  const fitsSigned = high == <u64>(<i64>low >> 63);
  if (kind >= KIND_FLOAT32) {
    // what a float64 has room for: 53 bits
    if (!fitsSigned || <i64>low > 9007199254740992 || <i64>low < -9007199254740992) return fail(OUT_OF_RANGE, kind, given);
    return giveNumber(<f64>(<i64>low));
  }
  if (kind == KIND_NAT || kind == KIND_INT) {
    if (kind == KIND_NAT && given != KIND_NAT && <i64>high < 0) return fail(OUT_OF_RANGE, kind, given);
    giveBits(low);
    return giveBits(high);
  }
  const bits = <u64>sizeOf(kind) << 3;
  if (kind <= KIND_NAT64) {
    if (high != 0 || (bits < 64 && low >> bits != 0)) return fail(OUT_OF_RANGE, kind, given);
    return bits == 64 ? giveBits(low) : giveNumber(<f64>low);
  }
  const rest = <i64>low >> <i64>(bits - 1);
  if (!fitsSigned || (rest != 0 && rest != -1)) return fail(OUT_OF_RANGE, kind, given);
  if (bits == 64) giveBits(low);
  else giveNumber(<f64>(<i64>low));
}

function takeFloat(kind: i32, value: f64): void {
  if (failure) return;
  if (kind >= KIND_FLOAT32) return giveNumber(kind == KIND_FLOAT32 ? <f64>(<f32>value) : value);
  if (trunc(value) != value || abs(value) > 9007199254740992) return fail(OUT_OF_RANGE, kind, KIND_FLOAT64);
  low = <u64>(<i64>value);
  high = <u64>(<i64>low >> 63);
  takeInteger(kind, KIND_INT);
}
