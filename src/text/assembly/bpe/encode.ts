// Text to ids: special tokens first, then words by the pre-tokenizer's pattern, then the merges of each; until the text ends or there are more ids than wanted.
import { COUNT, DONE, INPUT_BYTES, NEEDS_ROOM, NOT_UTF8, OUTPUT_MOST, RECORD_BYTES, SPECIAL, TOO_MUCH, WORK_BYTES } from '../protocol';
import { isUtf8 } from '../utf8';
import { idAt, merge, nextOf, wholeWord, WORK_EACH } from './merge';
import { part, word } from './split';
import { begins, specials, specialsCount, types } from './tables';

const USER_DEFINED: u32 = 4;
const NONE: u32 = 0xffffffff;

let ids: usize = 0;
let made: u32 = 0;
let most: u32 = 0;
let work: usize = 0;
let room: u32 = 0;
let readSpecials: bool = false;
/** The special token that was found, and where it ends. */
let found: u32 = 0xffffffff;
let foundEnd: usize = 0;

// @ts-ignore: AssemblyScript's decorator
@inline
function get(record: usize, index: u32): u32 {
  return load<u32>(record + (index << 2));
}

/** COMMAND_BPE_ENCODE. */
export function encode(record: usize): u32 {
  const from = record + RECORD_BYTES;
  const end = from + get(record, INPUT_BYTES);
  ids = record + RECORD_BYTES + ((get(record, INPUT_BYTES) + 3) & ~3);
  most = get(record, OUTPUT_MOST);
  work = ids + (<usize>most << 2);
  room = get(record, WORK_BYTES) / WORK_EACH;
  readSpecials = get(record, SPECIAL) != 0;
  made = 0;
  let result: u32 = isUtf8(from, end) ? DONE : NOT_UTF8;
  for (let at = from; at < end && result == DONE; ) {
    const next = findSpecial(at, end);
    result = encodeOrdinary(at, next);
    if (result != DONE || next == end) break;
    if (!put(found)) result = TOO_MUCH;
    at = foundEnd;
  }
  store<u32>(record + COUNT * 4, made);
  return result;
}

function put(id: u32): bool {
  if (made == most) return false;
  store<u32>(ids + (<usize>made << 2), id);
  made++;
  return true;
}

/** Where the next special token begins, the longest there; `end` if there is none. */
function findSpecial(at: usize, end: usize): usize {
  if (specialsCount == 0) return end;
  for (; at < end; at++) {
    found = NONE;
    // ids by the first byte of their texts, the longest first; where each byte's begin stands before them
    const lead: usize = load<u8>(at);
    const to = load<u32>(specials + ((lead + 1) << 2));
    for (let i = load<u32>(specials + (lead << 2)); i < to; i++) {
      const id = load<u32>(specials + (<usize>i << 2));
      const bytes = begins(id + 1) - begins(id);
      if (at + bytes > end || memory.compare(begins(id), at, bytes) != 0) continue;
      if (!readSpecials && load<u8>(types + id) != USER_DEFINED) continue;
      found = id;
      foundEnd = at + bytes;
      return at;
    }
  }
  return end;
}

function encodeOrdinary(at: usize, end: usize): u32 {
  while (at < end) {
    const to = part(at, end);
    while (at < to) {
      const wordEnd = word(at, to);
      const result = encodeWord(at, wordEnd);
      if (result != DONE) return result;
      at = wordEnd;
    }
  }
  return DONE;
}

function encodeWord(from: usize, to: usize): u32 {
  const whole = wholeWord(from, to);
  if (whole != NONE) return put(whole) ? DONE : TOO_MUCH;
  if (<u32>(to - from) + 1 > room) return NEEDS_ROOM;
  for (let place = merge(from, to, work); place != NONE; place = nextOf(place)) if (!put(idAt(place))) return TOO_MUCH;
  return DONE;
}
