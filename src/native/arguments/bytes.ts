// The bytes of a message's arguments, a window at a time, and what can be wrong with them. What is skipped is not read.
// After a failure all that is read is 0, and the first failure stands.
import { BAD_FLAG, BAD_TEXT, CUT_OFF, LONG_NUMBER, NOT_CANDID, TOO_LONG, VALUES } from '../arguments-protocol';

/** Bytes of the arguments of the message in hand. */
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_arg_data_size')
export declare function argumentBytes(): usize;
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_arg_data_copy')
export declare function copyArguments(to: usize, from: usize, bytes: usize): void;

const MAGIC: u32 = 0x4c444944; // "DIDL" read as a little-endian word
const WINDOW_BYTES: u32 = 16384;
/** What a type's number says that is none. */
const NO_TYPE: i32 = i32.MIN_VALUE;

/** A page of memory: the window, behind it the types (types.ts). 0 before the first message. */
export let page: usize = 0;
/**
 * Bytes of the arguments, and those from `windowAt` on that are in the page, which end before `end`; `next` is the one
 * to read.
 */
export let bytes: u32 = 0;
let windowAt: u32 = 0;
let next: usize = 0;
let end: usize = 0;

/** What is wrong, VALUES where nothing is, and two words about it. */
export let failure: i32 = 0;
export let expected: u32 = 0;
export let got: u32 = 0;

export function openPage(): void {
  if (page == 0) page = <usize>memory.grow(1) << 16;
}

/** Begins with the arguments in hand, of which `most` bytes are read; the first four stand in the page. */
export function begin(most: u32): void {
  failure = VALUES;
  bytes = <u32>argumentBytes();
  windowAt = 4;
  next = page;
  end = page;
  if (bytes > most) return fail(TOO_LONG, most, bytes);
  if (bytes < 4) return fail(NOT_CANDID, 0, bytes);
  copyArguments(page, 0, 4);
  if (load<u32>(page) != MAGIC) fail(NOT_CANDID, 0, bytes);
}

/** Begins at any of the arguments' bytes. */
export function reopen(at: u32): void {
  failure = VALUES;
  windowAt = at;
  next = page;
  end = page;
}

export function fail(code: i32, wanted: u32, found: u32): void {
  if (failure != VALUES) return;
  failure = code;
  expected = wanted;
  got = found;
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function position(): u32 {
  return windowAt + <u32>(next - page);
}

/** Brings the bytes from the next one on into the window; whether there are any. */
function fill(): bool {
  windowAt = position();
  next = page;
  const count = min(WINDOW_BYTES, bytes - windowAt);
  end = page + count;
  if (count == 0) {
    fail(CUT_OFF, 1, windowAt);
    return false;
  }
  copyArguments(page, windowAt, count);
  return true;
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function byte(): u32 {
  if (next == end && !fill()) return 0;
  const value = load<u8>(next);
  next += 1;
  return value;
}

export function skip(count: u64): void {
  const at = position();
  if (count > <u64>(bytes - at)) return fail(CUT_OFF, count > 0xffffffff ? 0xffffffff : <u32>count, at);
  if (count <= <u64>(end - next)) {
    next += <usize>count;
    return;
  }
  windowAt = at + <u32>count;
  next = page;
  end = page;
}

/** `count` bytes, little-endian. */
export function fixed(count: u32): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < count; i++) value |= <u64>byte() << (<u64>i << 3);
  return value;
}

/** An unsigned LEB128 number of at most 64 bits. */
export function unsigned(): u64 {
  const first = byte();
  if (first < 128) return first;
  let value: u64 = first & 127;
  for (let shift: u64 = 7; shift < 70; shift += 7) {
    const part = byte();
    if (shift == 63 && part > 1) break;
    value |= <u64>(part & 127) << shift;
    if (part < 128) return value;
  }
  fail(LONG_NUMBER, 64, position());
  return 0;
}

/** The number of a type: of a ready-made one, below 0, or its place in the table. */
export function typeNumber(): i32 {
  const first = byte();
  if (first < 128) return <i32>(first << 25) >> 25;
  let value: i64 = first & 127;
  for (let shift: i64 = 7; shift < 35; shift += 7) {
    const part = byte();
    value |= <i64>(part & 127) << shift;
    if (part < 128) {
      if (part & 64) value |= <i64>-1 << (shift + 7);
      if (value < i32.MIN_VALUE + 1 || value > i32.MAX_VALUE) break;
      return <i32>value;
    }
  }
  fail(LONG_NUMBER, 32, position());
  return NO_TYPE;
}

/** Skips text, which has to be UTF-8; how many characters of UTF-16 it has. */
export function text(count: u32): u32 {
  let left = count;
  let units: u32 = 0;
  while (left > 0 && !failure) {
    const before = next;
    units += textInWindow(left);
    left -= <u32>(next - before);
    if (left == 0) break;
    // what is near the end of the text or of the window, or wrong
    const taken = character(left);
    left -= taken;
    units += taken == 4 ? 2 : 1;
  }
  return units;
}

/** Skips characters of `most` bytes while four bytes are there and they are UTF-8; how many of UTF-16 they are. */
function textInWindow(most: u32): u32 {
  const last = next + min<usize>(<usize>most, end - next);
  let at = next;
  let units: u32 = 0;
  while (at + 4 <= last) {
    const word = load<u32>(at);
    if ((word & 0x80) == 0) {
      if (at + 16 <= last && !v128.any_true(v128.and(v128.load(at), i8x16.splat(-128)))) {
        at += 16;
        units += 16;
        continue;
      }
      at += 1;
    } else if ((word & 0xc0e0) == 0x80c0) {
      if ((word & 0x1e) == 0) break; // overlong
      at += 2;
    } else if ((word & 0xc0c0f0) == 0x8080e0) {
      const high = word & 0x200f;
      if (high == 0 || high == 0x200d) break; // overlong, a surrogate
      at += 3;
    } else if ((word & 0xc0c0c0f8) == 0x808080f0) {
      const high = word & 0x3007;
      if (high == 0 || ((word & 7) >= 4 && high != 4)) break; // overlong, past U+10FFFF
      at += 4;
      units += 1;
    } else break;
    units += 1;
  }
  next = at;
  return units;
}

/** Skips a character of UTF-8 within `most` bytes; how many it has. */
// @ts-ignore: AssemblyScript's decorator
@inline
function character(most: u32): u32 {
  const lead = byte();
  if (lead < 0x80) return 1;
  const trailing: u32 = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  if (trailing == 0 || trailing >= most) {
    fail(BAD_TEXT, 0, position() - 1);
    return 0;
  }
  // the first trailing byte must not make an overlong form, a surrogate or a number past U+10FFFF
  let lowest: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  let highest: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (let i: u32 = 0; i < trailing; i++) {
    const part = byte();
    if (part < lowest || part > highest) {
      fail(BAD_TEXT, 0, position() - 1);
      return 0;
    }
    lowest = 0x80;
    highest = 0xbf;
  }
  return trailing + 1;
}

/** A flag of a byte, 0 or 1. */
export function flag(): bool {
  const value = byte();
  if (value > 1) fail(BAD_FLAG, 0, value);
  return value == 1;
}
