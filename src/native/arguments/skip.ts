// Values that nobody wants: skipped by the types that stand before them, each counted.
import {
  BAD_CASE, FREE_VALUES, KIND_BOOL, KIND_EMPTY, KIND_FLOAT32, KIND_FLOAT64, KIND_FUNC, KIND_FUTURE, KIND_INT,
  KIND_INT64, KIND_INT8, KIND_NAT, KIND_NAT64, KIND_NAT8, KIND_NULL, KIND_OPT, KIND_PRINCIPAL, KIND_RECORD,
  KIND_RESERVED, KIND_SERVICE, KIND_TEXT, KIND_VEC, MANY_LEVELS, MANY_VALUES, MAX_LEVELS, OTHER_TYPE,
} from '../arguments-protocol';
import { byte, bytes, fail, failure, flag, skip, unsigned } from './bytes';
import { kindOf, wordsOf } from './types';

let valuesLeft: u32 = 0;

/** As many values as a message of so many bytes may have. */
export function allowValues(): void {
  valuesLeft = FREE_VALUES + bytes;
}

/** Bytes of what always has as many, or 0. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function sizeOf(kind: i32): u32 {
  if (kind >= KIND_NAT8 && kind <= KIND_NAT64) return <u32>1 << (kind - KIND_NAT8);
  if (kind >= KIND_INT8 && kind <= KIND_INT64) return <u32>1 << (kind - KIND_INT8);
  return kind == KIND_BOOL ? 1 : kind == KIND_FLOAT32 ? 4 : kind == KIND_FLOAT64 ? 8 : 0;
}

/** One value more, within others. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function count(level: u32): void {
  if (valuesLeft == 0) return fail(MANY_VALUES, FREE_VALUES + bytes, FREE_VALUES + bytes + 1);
  valuesLeft -= 1;
  if (level > <u32>MAX_LEVELS) fail(MANY_LEVELS, MAX_LEVELS, level);
}

export function skipValue(type: i32, level: u32): void {
  skipKnown(kindOf(type), type, level);
}

/** Skips a value whose type is of this kind. */
function skipKnown(kind: i32, type: i32, level: u32): void {
  count(level);
  if (failure) return;
  const size = sizeOf(kind);
  if (size > 0) return skip(size);
  if (kind == KIND_NULL || kind == KIND_RESERVED) return;
  if (kind == KIND_TEXT) skip(unsigned());
  else if (kind == KIND_NAT || kind == KIND_INT) while (byte() >= 128 && !failure) {}
  else if (kind == KIND_PRINCIPAL || kind == KIND_SERVICE) skipReference();
  else if (kind == KIND_FUNC) {
    if (flag()) {
      skipReference();
      skip(unsigned());
    }
  } else if (kind == KIND_FUTURE) {
    const inline = unsigned();
    unsigned();
    skip(inline);
  } else if (kind == KIND_EMPTY) fail(OTHER_TYPE, KIND_RESERVED, KIND_EMPTY);
  else skipParts(kind, wordsOf(type), level + 1);
}

/** A principal's bytes, or a reference without any. */
function skipReference(): void {
  if (flag()) skip(unsigned());
}

/** Skips so many values of `opt type`. */
function skipOptions(type: i32, length: u64, level: u32): void {
  const kind = kindOf(type);
  for (let i: u64 = 0; i < length && !failure; i++) {
    count(level);
    if (flag()) skipKnown(kind, type, level);
  }
}

function skipParts(kind: i32, words: usize, level: u32): void {
  if (kind == KIND_OPT) {
    if (flag()) skipValue(load<i32>(words, 4), level);
  } else if (kind == KIND_VEC) {
    const length = unsigned();
    const element = load<i32>(words, 4);
    const elements = kindOf(element);
    const size = sizeOf(elements);
    if (size > 0) return skip(length > 0xffffffff ? length : length * size);
    if (elements == KIND_OPT) return skipOptions(load<i32>(wordsOf(element), 4), length, level + 1);
    for (let i: u64 = 0; i < length && !failure; i++) skipKnown(elements, element, level);
  } else if (kind == KIND_RECORD) {
    const fields = load<u32>(words, 4);
    for (let i: u32 = 0; i < fields && !failure; i++) skipValue(load<i32>(words + 12 + (<usize>i << 3)), level);
  } else {
    const chosen = unsigned();
    if (chosen >= <u64>load<u32>(words, 4)) return fail(BAD_CASE, load<u32>(words, 4), <u32>chosen);
    skipValue(load<i32>(words + 12 + (<usize>chosen << 3)), level);
  }
}
