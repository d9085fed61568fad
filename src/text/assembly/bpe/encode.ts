// Text to ids: added tokens are found first, what is between them is normalised and parted into words, and these are
// merged. Source: tokenizers, added_vocabulary.rs (extract_and_normalize), pre_tokenizers/metaspace.rs; SentencePiece,
// normalizer.cc (dummy prefix), bpe_model.cc.
import {
  ADDED_NORMALIZED, COUNT, DONE, INPUT_BYTES, IS_PART, IS_SPLIT, NEEDS_ROOM, NOT_UTF8, OUTPUT_MOST, PART, PREFIX_PARTS, PREFIX_PARTS_UNLESS, PREFIX_TEXT,
  PREFIX_TEXT_UNLESS, PRE_SENTENCEPIECE, RECORD_BYTES, SPACE_BYTE, SPECIAL, SPLIT_ONLY, TOO_MUCH, WORK_BYTES,
} from '../protocol';
import { isUtf8 } from '../utf8';
import { findNext, foundFrom, foundId, foundTo, seek } from './added';
import { idAt, merge, mergeCharacters, nextOf, wholeWord, WORK_EACH } from './merge';
import { part, word } from './split';
import { flags, kind } from './tables';

const NONE: u32 = 0xffffffff;

let ids: usize = 0;
let made: u32 = 0;
let most: u32 = 0;
let work: usize = 0;
let room: u32 = 0;
let special: bool = false;
/** Normalised text, of a text as long as all of it. */
let buffer: usize = 0;

/** COMMAND_BPE_ENCODE. */
export function encode(record: usize): u32 {
  const bytes = load<u32>(record + INPUT_BYTES * 4);
  const from = record + RECORD_BYTES;
  ids = from + ((bytes + 3) & ~3);
  most = load<u32>(record + OUTPUT_MOST * 4);
  buffer = ids + (<usize>most << 2);
  work = (buffer + (kind == PRE_SENTENCEPIECE ? <usize>bytes + 1 : 0) + 7) & ~7;
  const behind = buffer + load<u32>(record + WORK_BYTES * 4);
  room = behind > work ? <u32>(behind - work) / WORK_EACH : 0;
  special = load<u32>(record + SPECIAL * 4) != 0;
  made = 0;
  const result: u32 = isUtf8(from, from + bytes) ? run(from, from + bytes, load<u32>(record + PART * 4)) : NOT_UTF8;
  store<u32>(record + COUNT * 4, made);
  return result;
}

function run(from: usize, end: usize, bits: u32): u32 {
  const isPart = (bits & IS_PART) != 0;
  let done = from;
  seek(from);
  while ((bits & IS_SPLIT) == 0 && findNext(from, done, end, 0, special)) {
    const start = foundFrom;
    const to = foundTo;
    const id = foundId;
    if ((bits & SPLIT_ONLY) != 0) {
      if (!put(<u32>(start - from)) || !put(<u32>(to - from)) || !put(id)) return TOO_MUCH;
    } else {
      const result = segment(done, start, !isPart && done == from);
      if (result != DONE) return result;
      if (!put(id)) return TOO_MUCH;
      seek(to);
    }
    done = to;
  }
  return (bits & SPLIT_ONLY) != 0 ? DONE : segment(done, end, !isPart && done == from);
}

function put(id: u32): bool {
  if (made == most) return false;
  store<u32>(ids + (<usize>made << 2), id);
  made++;
  return true;
}

/** What is between two added tokens. @param isFirst whether the text begins with it */
function segment(at: usize, end: usize, isFirst: bool): u32 {
  if (at >= end) return DONE;
  if (kind == PRE_SENTENCEPIECE && (flags & (PREFIX_TEXT_UNLESS | PREFIX_PARTS_UNLESS)) == 0) {
    const prefix = (flags & PREFIX_PARTS) != 0 || ((flags & PREFIX_TEXT) != 0 && isFirst);
    end = normalize(at, end, prefix);
    at = buffer;
  }
  let done = at;
  seek(at);
  while (findNext(at, done, end, ADDED_NORMALIZED, special)) {
    const start = foundFrom;
    const to = foundTo;
    const id = foundId;
    const result = ordinary(done, start, isFirst && done == at);
    if (result != DONE) return result;
    if (!put(id)) return TOO_MUCH;
    seek(to);
    done = to;
  }
  return ordinary(done, end, isFirst && done == at);
}

/** Puts a text into the buffer, its space symbols as spaces. @returns where it ends there */
function normalize(at: usize, end: usize, prefix: bool): usize {
  let out = buffer;
  if (prefix) store<u8>(out++, SPACE_BYTE);
  while (at < end) {
    if (isSymbol(at, end)) {
      store<u8>(out++, SPACE_BYTE);
      at += 3;
    } else store<u8>(out++, load<u8>(at++));
  }
  return out;
}

/** Whether U+2581 stands there. */
function isSymbol(at: usize, end: usize): bool {
  return load<u8>(at) == 0xe2 && at + 2 < end && load<u8>(at, 1) == 0x96 && load<u8>(at, 2) == 0x81;
}

function ordinary(at: usize, end: usize, isFirst: bool): u32 {
  if (kind == PRE_SENTENCEPIECE) return characters(at, end, isFirst);
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

function characters(at: usize, end: usize, isFirst: bool): u32 {
  if (at >= end) return DONE;
  if ((flags & (PREFIX_TEXT_UNLESS | PREFIX_PARTS_UNLESS)) != 0) {
    const wanted = (flags & PREFIX_PARTS_UNLESS) != 0 || isFirst;
    end = normalize(at, end, wanted && load<u8>(at) != SPACE_BYTE && !isSymbol(at, end));
    at = buffer;
  }
  if (<u32>(end - at) + 1 > room) return NEEDS_ROOM;
  return putAll(mergeCharacters(at, end, work));
}

function encodeWord(from: usize, to: usize): u32 {
  const whole = wholeWord(from, to);
  if (whole != NONE) return put(whole) ? DONE : TOO_MUCH;
  if (<u32>(to - from) + 1 > room) return NEEDS_ROOM;
  return putAll(merge(from, to, work));
}

function putAll(place: u32): u32 {
  for (; place != NONE; place = nextOf(place)) if (!put(idAt(place))) return TOO_MUCH;
  return DONE;
}
