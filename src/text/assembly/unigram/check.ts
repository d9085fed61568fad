// Whether tables are what they must be for the others of this folder to trust them: every index within its table, every
// walk along a trie at its end after as many steps as its longest piece has bytes, every text UTF-8. Linear in the
// tables but for the map, which takes 255 steps for each of its nodes. The head was checked before.
import {
  COUNT, DONE, FAULT_BYTE, FAULT_CUT, FAULT_FLAGS, FAULT_LENGTH, FAULT_MAP_CYCLE, FAULT_MAP_RANGE, FAULT_MAP_TEXT, FAULT_NUMBER, FAULT_OFFSETS, FAULT_SPECIAL, FAULT_TEXT,
  FAULT_TRIE_COUNT, FAULT_TRIE_KEY, FAULT_TRIE_LOOSE, FAULT_TRIE_RANGE, FAULT_TRIE_SHARED, FAULT_TYPE, INPUT_BYTES, RECORD_BYTES,
} from '../protocol';
import { isUtf8 } from '../utf8';
import { offsetOf } from './normalize';
import {
  byteFallback, byteIds, charsmapStrings, charsmapStringsCount, charsmapUnits, charsmapUnitsCount, cuts, eosId, escapeWhitespaces, lengths, open, pieceBytes, pieceBytesCount,
  pieceOffsets, plainAscii, scores, size, types, unitsCount, units, unkId, unkScore, unkSurface, unkSurfaceCount, userUnits, userUnitsCount,
} from './tables';

// PieceType
const NORMAL: u32 = 1;
const UNKNOWN: u32 = 2;
const CONTROL: u32 = 3;
const USER_DEFINED: u32 = 4;
const BYTE: u32 = 6;

const NONE: u32 = 0xffffffff;

/** Of what is wrong. */
let place: u32 = 0;
/** Pieces that may match in a text, and those that a user defined. */
let searched: u32 = 0;
let userDefined: u32 = 0;

/** COMMAND_UNIGRAM_CHECK. */
export function check(record: usize): u32 {
  const tables = record + RECORD_BYTES;
  const work = tables + ((load<u32>(record + INPUT_BYTES * 4) + 3) & ~3);
  open(tables);
  place = 0;
  let fault = checkPieces();
  if (fault == DONE) fault = checkTrie(units, unitsCount, searched, false, work);
  if (fault == DONE) fault = checkTrie(userUnits, userUnitsCount, userDefined, true, work);
  if (fault == DONE) fault = checkMap(work);
  if (fault == DONE && plainAscii && userDefined > 0) fault = FAULT_FLAGS;
  store<u32>(record + COUNT * 4, place);
  return fault;
}

function isFinite(bits: u32): bool {
  return (bits & 0x7f800000) != 0x7f800000;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function begins(id: u32): u32 {
  return load<u32>(pieceOffsets + (<usize>id << 2));
}

function checkPieces(): u32 {
  let unknowns = 0;
  searched = 0;
  userDefined = 0;
  if (begins(0) != 0) return FAULT_OFFSETS;
  if (!isFinite(reinterpret<u32>(unkScore))) return FAULT_NUMBER;
  if (!isUtf8(unkSurface, unkSurface + unkSurfaceCount)) return FAULT_TEXT;
  for (let a: u32 = 0x80; a < 0xf8; a++)
    for (let b: u32 = 0x80; b < 0xc0; b++) if (load<u8>(cuts + (a << 8) + b) != 0) return FAULT_CUT;
  for (let id: u32 = 0; id < <u32>size; id++) {
    place = id;
    const type: u32 = load<u8>(types + id);
    if (type < NORMAL || type > BYTE) return FAULT_TYPE;
    if (!isFinite(load<u32>(scores + (<usize>id << 2)))) return FAULT_NUMBER;
    const from = begins(id);
    const to = begins(id + 1);
    if (to <= from || to > pieceBytesCount) return FAULT_OFFSETS;
    if (!isUtf8(pieceBytes + from, pieceBytes + to)) return FAULT_TEXT;
    const fault = checkPiece(id, type, pieceBytes + from, pieceBytes + to);
    if (fault != DONE) return fault;
    if (type == UNKNOWN) unknowns++;
  }
  place = 0;
  if (unknowns != 1 || load<u8>(types + unkId) != UNKNOWN || load<u8>(types + eosId) != CONTROL) return FAULT_SPECIAL;
  if (!byteFallback) return DONE;
  for (let byte: u32 = 0; byte < 256; byte++) {
    const id = load<u32>(byteIds + (<usize>byte << 2));
    place = id;
    if (id >= <u32>size || load<u8>(types + id) != BYTE) return FAULT_BYTE;
    const from = pieceBytes + begins(id);
    if (((hexDigit(load<u8>(from, 3)) << 4) | hexDigit(load<u8>(from, 4))) != byte) return FAULT_BYTE;
  }
  return DONE;
}

/** Whether a space symbol, E2 96 81, is at `at`. */
function isSpaceSymbol(at: usize, to: usize): bool {
  return at + 3 <= to && load<u8>(at) == 0xe2 && load<u8>(at, 1) == 0x96 && load<u8>(at, 2) == 0x81;
}

function checkPiece(id: u32, type: u32, from: usize, to: usize): u32 {
  const isSearched = (type == NORMAL || type == USER_DEFINED) && canMatch(from, to);
  let length: u32 = 0;
  let before: u32 = NONE;
  for (let at = from; at < to; length++) {
    const isSpace = escapeWhitespaces && isSpaceSymbol(at, to);
    const byte: u32 = isSpace ? 0x20 : load<u8>(at);
    if (isSearched && before != NONE && load<u8>(cuts + (before << 8) + byte) != 0) return FAULT_CUT;
    before = byte;
    at += isSpace ? 3 : 1;
  }
  if (length != load<u16>(lengths + (<usize>id << 1))) return FAULT_LENGTH;
  if (isSearched) searched++;
  if (type == USER_DEFINED) userDefined++;
  if (type == BYTE && !isByte(from, to)) return FAULT_BYTE;
  return DONE;
}

/** A piece with NUL cannot, nor one with a plain space where spaces are symbols. */
function canMatch(from: usize, to: usize): bool {
  for (let at = from; at < to; at++) {
    const byte = load<u8>(at);
    if (byte == 0 || (byte == 0x20 && escapeWhitespaces)) return false;
  }
  return true;
}

/** Whether it is written `<0x0A>`. */
function isByte(from: usize, to: usize): bool {
  return to - from == 6 && load<u8>(from) == 0x3c && load<u8>(from, 1) == 0x30 && load<u8>(from, 2) == 0x78 && hexDigit(load<u8>(from, 3)) < 16 &&
    hexDigit(load<u8>(from, 4)) < 16 && load<u8>(from, 5) == 0x3e;
}

/** 16 or more for what is none. */
function hexDigit(code: u32): u32 {
  return code >= 0x30 && code < 0x3a ? code - 0x30 : code >= 0x41 && code < 0x47 ? code - 0x37 : 16;
}

/**
 * A double array (double-array.ts). No two units may have the same base, so that each has one parent; each has to be on
 * the way to a piece, which is what the labels from the root spell. So there is no way in a ring, and none that is
 * longer than a piece.
 *
 *   work | owner u32 [count], the unit with that base | onWay u8 [count] |
 */
function checkTrie(trie: usize, count: u32, keys: u32, isUser: bool, work: usize): u32 {
  place = 0;
  if (count < 256 || (count & 255) != 0) return FAULT_TRIE_RANGE;
  const owner = work;
  const onWay = work + (<usize>count << 2);
  memory.fill(owner, 0xff, <usize>count << 2);
  memory.fill(onWay, 0, count);
  for (let slot: u32 = 0; slot < count; slot++) {
    const unit = load<u32>(trie + (<usize>slot << 2));
    if (slot != 0 && (unit & 0xff) == 0) continue;
    place = slot;
    const base = unit >> 10;
    if ((base | 255) >= count) return FAULT_TRIE_RANGE;
    if (load<u32>(owner + (<usize>base << 2)) != NONE) return FAULT_TRIE_SHARED;
    store<u32>(owner + (<usize>base << 2), slot);
    if (slot == 0 && (unit & 0x3ff) != 0) return FAULT_TRIE_KEY;
    if ((unit & 0x300) == 0x200) return FAULT_TRIE_KEY;
  }
  let found: u32 = 0;
  for (let slot: u32 = 1; slot < count; slot++) {
    const unit = load<u32>(trie + (<usize>slot << 2));
    if ((unit & 0xff) == 0 || (unit & 0x100) == 0) continue;
    place = slot;
    const value = load<u32>(trie + (<usize>(unit >> 10) << 2));
    if (unit >> 10 == 0 || (value & 0xff) != 0 || value >> 8 >= <u32>size) return FAULT_TRIE_KEY;
    if (!spells(trie, owner, onWay, slot, value >> 8, isUser)) return FAULT_TRIE_KEY;
    found++;
  }
  for (let slot: u32 = 1; slot < count; slot++) {
    place = slot;
    if ((load<u32>(trie + (<usize>slot << 2)) & 0xff) != 0 && load<u8>(onWay + slot) == 0) return FAULT_TRIE_LOOSE;
  }
  place = found;
  return found == keys ? DONE : FAULT_TRIE_COUNT;
}

/** Whether the way from the root to `slot` spells piece `id`, which may match; marks what is on it. */
function spells(trie: usize, owner: usize, onWay: usize, slot: u32, id: u32, isUser: bool): bool {
  const type: u32 = load<u8>(types + id);
  if (type != USER_DEFINED && (isUser || type != NORMAL)) return false;
  const from = pieceBytes + begins(id);
  let to = pieceBytes + begins(id + 1);
  while (to > from) {
    if (slot == 0) return false;
    const label = load<u32>(trie + (<usize>slot << 2)) & 0xff;
    const isSpace = !isUser && escapeWhitespaces && to >= from + 3 && isSpaceSymbol(to - 3, to);
    if (label != (isSpace ? 0x20 : <u32>load<u8>(to - 1))) return false;
    to -= isSpace ? 3 : 1;
    store<u8>(onWay + slot, 1);
    slot = load<u32>(owner + (<usize>(slot ^ label) << 2));
    if (slot == NONE) return false;
  }
  return slot == 0;
}

/**
 * The normalisation map (charsmap.ts), whose ends that are alike share their units: every way must end, and every rule
 * lead to a text.
 *
 *   work | nodes on the way, with the next byte of each, u64 [count] | state u8 [count]: 1 on the way, 2 done |
 */
function checkMap(work: usize): u32 {
  place = 0;
  const count = charsmapUnitsCount;
  if (count == 0) return DONE;
  if ((count & 255) != 0) return FAULT_MAP_RANGE;
  if (charsmapStringsCount == 0 || load<u8>(charsmapStrings + charsmapStringsCount - 1) != 0) return FAULT_MAP_TEXT;
  if (!isUtf8(charsmapStrings, charsmapStrings + charsmapStringsCount)) return FAULT_MAP_TEXT;
  const state = work + (<usize>count << 3);
  memory.fill(state, 0, count);
  const root = offsetOf(load<u32>(charsmapUnits));
  if ((root | 255) >= count) return FAULT_MAP_RANGE;
  let depth: usize = 1;
  store<u64>(work, (<u64>root << 32) | 1);
  store<u8>(state + root, 1);
  while (depth > 0) {
    const top = work + ((depth - 1) << 3);
    const byte = load<u32>(top);
    const node = load<u32>(top, 4);
    if (byte > 255) {
      store<u8>(state + node, 2);
      depth--;
      continue;
    }
    store<u32>(top, byte + 1);
    const unit = load<u32>(charsmapUnits + (<usize>(node ^ byte) << 2));
    if ((unit & 0x800000ff) != byte) continue;
    place = node ^ byte;
    const next = node ^ byte ^ offsetOf(unit);
    if ((next | 255) >= count) return FAULT_MAP_RANGE;
    if ((unit & 0x100) != 0) {
      const rule = load<u32>(charsmapUnits + (<usize>next << 2)) & 0x7fffffff;
      // in the middle of a character there is no text
      if (rule >= charsmapStringsCount || (load<u8>(charsmapStrings + rule) & 0xc0) == 0x80) return FAULT_MAP_TEXT;
    }
    const seen = load<u8>(state + next);
    if (seen == 1) return FAULT_MAP_CYCLE;
    if (seen == 2) continue;
    store<u8>(state + next, 1);
    store<u64>(work + (depth << 3), (<u64>next << 32) | 1);
    depth++;
  }
  return DONE;
}
