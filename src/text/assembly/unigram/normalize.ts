// A text as the tokenizer searches it: normalised by the map, spaces as the model wants them, in UTF-8 with two changes
// that keep the search quick: a space symbol (U+2581) is the one byte of a space, and NUL is a byte that no piece has.
// Source: SentencePiece, normalizer.cc (Normalize, NormalizePrefix).
import { NUL_BYTE, SPACE_BYTE } from '../protocol';
import { characterBytes } from '../utf8';
import {
  addDummyPrefix, charsmapStrings, charsmapUnits, charsmapUnitsCount, escapeWhitespaces, plainAscii, removeExtraWhitespaces, userUnits, whitespaceAsSuffix,
} from './tables';
import { count, room, setSize, size, text } from './window';

let previousIsSpace: bool = false;
/** Whether there was anything but spaces, if only something that the map makes nothing of. */
let sawText: bool = false;

export function beginText(bytes: u32): void {
  sawText = !removeExtraWhitespaces && bytes > 0;
  previousIsSpace = removeExtraWhitespaces;
  if (addDummyPrefix && !whitespaceAsSuffix) put(SPACE_BYTE);
}

export function endText(): void {
  let end = sawText ? size : 0;
  if (removeExtraWhitespaces) while (end > 0 && load<u8>(text + end - 1) == SPACE_BYTE) end--;
  setSize(end);
  if (addDummyPrefix && whitespaceAsSuffix && sawText) put(SPACE_BYTE);
}

/** Bytes of the window without the spaces at its end, which may turn out to be the end of the text. */
export function withoutLastSpaces(): u32 {
  let end = size;
  while (end > 0 && load<u8>(text + end - 1) == SPACE_BYTE) end--;
  return end;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function put(byte: u32): void {
  store<u8>(text + size, byte);
  setSize(size + 1);
}

/** Takes what one match at `at` became. @returns where the next begins; 0 where the window has no room for it */
export function normalizeNext(at: usize, end: usize): usize {
  const lead = load<u8>(at);
  if (plainAscii && lead >= 0x20 && lead < 0x7f && (at + 1 == end || load<u8>(at, 1) < 0x80)) {
    if (size >= room) return 0;
    if (lead != SPACE_BYTE) {
      sawText = true;
      previousIsSpace = false;
      put(lead);
    } else if (!previousIsSpace) {
      previousIsSpace = removeExtraWhitespaces;
      put(lead);
    }
    return at + 1;
  }
  const user = userDefinedBytes(at, end);
  if (user > 0) return append(at, at + user) ? at + user : 0;
  let bytes: u32 = 0;
  let rule: u32 = 0;
  if (charsmapUnitsCount > 0) {
    let node = offsetOf(load<u32>(charsmapUnits));
    let i = at;
    while (i < end) {
      const byte: u32 = load<u8>(i++);
      node ^= byte;
      const unit = load<u32>(charsmapUnits + (<usize>node << 2));
      if ((unit & 0x800000ff) != byte || byte == 0) break;
      node ^= offsetOf(unit);
      if ((unit & 0x100) != 0) {
        rule = load<u32>(charsmapUnits + (<usize>node << 2)) & 0x7fffffff;
        bytes = <u32>(i - at);
      }
    }
    count(<u32>(i - at));
  }
  if (bytes == 0) {
    bytes = characterBytes(lead);
    return append(at, at + bytes) ? at + bytes : 0;
  }
  const from = charsmapStrings + rule;
  let to = from;
  while (load<u8>(to) != 0) to++;
  return append(from, to) ? at + bytes : 0;
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function offsetOf(unit: u32): u32 {
  return (unit >>> 10) << ((unit & 0x200) >> 6);
}

/** Bytes of the longest user-defined symbol at `at`, 0 if there is none. */
function userDefinedBytes(at: usize, end: usize): u32 {
  let bytes: u32 = 0;
  let unit = load<u32>(userUnits);
  let i = at;
  while (i < end) {
    const byte: u32 = load<u8>(i++);
    unit = load<u32>(userUnits + (<usize>((unit >> 10) ^ byte) << 2));
    if ((unit & 0xff) != byte || byte == 0) break;
    if ((unit & 0x100) != 0) bytes = <u32>(i - at);
  }
  count(<u32>(i - at));
  return bytes;
}

/** Appends what one match became, with the rules for spaces. @returns whether there was room */
function append(from: usize, to: usize): bool {
  const isSpace = to == from + 1 && load<u8>(from) == SPACE_BYTE;
  let begin = from;
  if (previousIsSpace) while (begin < to && load<u8>(begin) == SPACE_BYTE) begin++;
  if (size + <u32>(to - begin) > room) return false;
  if (!isSpace) sawText = true;
  if (begin >= to) return true;
  for (let i = begin; i < to; i++) {
    const byte = load<u8>(i);
    put(byte == 0 ? NUL_BYTE : byte);
    // U+2581 is E2 96 81
    if (byte == 0x81 && escapeWhitespaces && size >= 3 && load<u16>(text + size - 3) == 0x96e2) {
      setSize(size - 3);
      put(SPACE_BYTE);
    }
  }
  previousIsSpace = removeExtraWhitespaces && load<u8>(to - 1) == SPACE_BYTE;
  return true;
}
