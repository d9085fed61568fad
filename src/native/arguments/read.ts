// Values that are wanted: read by the message's types as a method's (arguments-protocol.ts), into slots.
import {
  BAD_CASE, CUT_OFF, KIND_BOOL, KIND_FUNC, KIND_FUTURE, KIND_NAT8, KIND_NULL, KIND_OPT, KIND_PRINCIPAL, KIND_RECORD,
  KIND_RESERVED, KIND_SERVICE, KIND_TEXT, KIND_VARIANT, KIND_VEC, LONG_TEXT, MANY_VALUES, MAX_SLOTS, MAX_TEXT_BYTES,
  MISSING, OTHER_TYPE,
} from '../arguments-protocol';
import { bytes, fail, failure, fixed, flag, position, skip, text, unsigned } from './bytes';
import { isNumber, readNumber } from './numbers';
import { count, skipValue } from './skip';
import { giveBits, giveBytes, giveNumber, useRoom } from './slots';
import { giveText } from './texts';
import { kindOf, wordsOf } from './types';

/** Hash of the field that is being read. */
export let field: u32 = 0;

/** Begins with an argument. */
export function outsideFields(): void {
  field = 0;
}

/** A length of bytes that are there. */
function lengthOfBytes(): u32 {
  const length = unsigned();
  if (length > <u64>(bytes - position())) fail(CUT_OFF, length > 0xffffffff ? 0xffffffff : <u32>length, position());
  return <u32>length;
}

/** Reads a value of a message's type as one of `wanted`, a method's. */
export function read(wanted: usize, type: i32, level: u32): void {
  count(level);
  if (failure) return;
  const kind = load<i32>(wanted);
  const given = kindOf(type);
  if (failure) return;
  if (kind == KIND_RESERVED) return skipValue(type, level);
  if (kind == KIND_OPT) return readOpt(load<u32>(wanted, 4), type, given, level + 1);
  if (isNumber(kind) && isNumber(given)) return readNumber(kind, given);
  if (kind != given) return fail(OTHER_TYPE, kind, given);
  if (kind == KIND_NULL) return;
  if (kind == KIND_BOOL) giveNumber(flag() ? 1 : 0);
  else if (kind == KIND_TEXT) readText();
  else if (kind == KIND_PRINCIPAL) readPrincipal();
  else if (kind == KIND_VEC) readVec(load<u32>(wanted, 4), load<i32>(wordsOf(type), 4), level + 1);
  else if (kind == KIND_RECORD) readRecord(wanted, wordsOf(type), level + 1);
  else if (kind == KIND_VARIANT) readVariant(wanted, wordsOf(type), level + 1);
  else fail(OTHER_TYPE, kind, given);
}

/** What is no value of the types that are ours, and none where an `opt` is wanted. */
// @ts-ignore: AssemblyScript's decorator
@inline
function isForeign(kind: i32): bool {
  return kind == KIND_FUNC || kind == KIND_SERVICE || kind == KIND_FUTURE || kind == KIND_RESERVED || kind == KIND_NULL;
}

function readOpt(wanted: usize, type: i32, given: i32, level: u32): void {
  let inner = type;
  if (given == KIND_OPT) {
    if (!flag()) return giveNumber(0);
    inner = load<i32>(wordsOf(type), 4);
    given = kindOf(inner);
    if (failure) return;
  }
  if (isForeign(given) && load<i32>(wanted) != given) {
    giveNumber(0);
    return skipValue(inner, level);
  }
  giveNumber(1);
  read(wanted, inner, level);
}

function readText(): void {
  const length = lengthOfBytes();
  if (length > <u32>MAX_TEXT_BYTES) return fail(LONG_TEXT, MAX_TEXT_BYTES, length);
  const from = position();
  const units = failure ? 0 : text(length);
  if (!failure) giveText(from, length, units);
}

function readPrincipal(): void {
  if (!flag()) return fail(OTHER_TYPE, KIND_PRINCIPAL, KIND_SERVICE);
  const length = lengthOfBytes();
  if (failure) return;
  if (length > 29) return fail(LONG_TEXT, 29, length);
  giveNumber(length);
  for (let at: u32 = 0; at < 32; at += 8) giveBits(at < length ? fixed(min<u32>(8, length - at)) : 0);
}

function readVec(wanted: usize, type: i32, level: u32): void {
  const length = unsigned();
  if (failure) return;
  if (load<i32>(wanted) == KIND_NAT8 && kindOf(type) == KIND_NAT8) {
    if (length > <u64>(bytes - position())) return fail(CUT_OFF, length > 0xffffffff ? 0xffffffff : <u32>length, position());
    giveBytes(<u32>length);
    return skip(length);
  }
  if (length > <u64>MAX_SLOTS) return fail(MANY_VALUES, MAX_SLOTS, length > 0xffffffff ? 0xffffffff : <u32>length);
  giveNumber(<f64>length);
  // the interpreter takes as long over a list or a record as over some numbers
  if (!failure && !isNumber(load<i32>(wanted))) useRoom(2 * <u32>length);
  for (let i: u64 = 0; i < length && !failure; i++) read(wanted, type, level);
}

/** What is wanted and not there. */
export function readNothing(wanted: usize): void {
  const kind = load<i32>(wanted);
  if (kind == KIND_OPT) giveNumber(0);
  else if (kind != KIND_NULL && kind != KIND_RESERVED) fail(MISSING, kind, 0);
}

function readRecord(wanted: usize, words: usize, level: u32): void {
  const outside = field;
  const wantedEnd = wanted + 8 + (<usize>load<u32>(wanted, 4) << 3);
  const wordsEnd = words + 8 + (<usize>load<u32>(words, 4) << 3);
  let want = wanted + 8;
  for (let at = words + 8; at < wordsEnd && !failure; at += 8) {
    const hash = load<u32>(at);
    for (; want < wantedEnd && load<u32>(want) < hash; want += 8) {
      field = load<u32>(want);
      readNothing(load<u32>(want, 4));
    }
    if (failure) return;
    if (want < wantedEnd && load<u32>(want) == hash) {
      field = hash;
      read(load<u32>(want, 4), load<i32>(at, 4), level);
      want += 8;
    } else skipValue(load<i32>(at, 4), level);
  }
  for (; want < wantedEnd && !failure; want += 8) {
    field = load<u32>(want);
    readNothing(load<u32>(want, 4));
  }
  if (!failure) field = outside;
}

function readVariant(wanted: usize, words: usize, level: u32): void {
  const chosen = unsigned();
  if (chosen >= <u64>load<u32>(words, 4)) return fail(BAD_CASE, load<u32>(words, 4), <u32>chosen);
  const at = words + 8 + (<usize>chosen << 3);
  const cases = load<u32>(wanted, 4);
  for (let i: u32 = 0; i < cases; i++) {
    const want = wanted + 8 + (<usize>i << 3);
    if (load<u32>(want) != load<u32>(at)) continue;
    giveNumber(i);
    return read(load<u32>(want, 4), load<i32>(at, 4), level);
  }
  fail(BAD_CASE, cases, load<u32>(at));
}
