// Whether tables are what they must be for the others of this folder to trust them. Linear in the tables. The head was checked before.
import {
  CLASS_BLOCKS, COUNT, DONE, FAULT_BYTE, FAULT_CLASS, FAULT_MERGE, FAULT_OFFSETS, FAULT_SLOT, FAULT_SPECIAL, FAULT_TYPE, RECORD_BYTES,
} from '../protocol';
import { rankOf, wholeWord } from './merge';
import {
  begins, byteIds, classes, classesCount, merges, mergesCount, mergeSlots, mergeSlotsCount, open, pieceBytes, pieceBytesCount, size, specials, specialsCount, types, wordSlots,
  wordSlotsCount,
} from './tables';

const LAST_TYPE: u32 = 6;
const NONE: u32 = 0xffffffff;

let place: u32 = 0;

/** COMMAND_BPE_CHECK. */
export function check(record: usize): u32 {
  open(record + RECORD_BYTES);
  let fault = checkPieces();
  if (fault == DONE) fault = checkMerges();
  if (fault == DONE) fault = checkWords();
  if (fault == DONE) fault = checkSpecials();
  if (fault == DONE) fault = checkClasses();
  store<u32>(record + COUNT * 4, place);
  return fault;
}

function checkPieces(): u32 {
  place = 0;
  if (begins(0) != pieceBytes) return FAULT_OFFSETS;
  for (let id: u32 = 0; id < size; id++) {
    place = id;
    const type: u32 = load<u8>(types + id);
    if (type < 1 || type > LAST_TYPE) return FAULT_TYPE;
    if (begins(id + 1) <= begins(id) || begins(id + 1) > pieceBytes + pieceBytesCount) return FAULT_OFFSETS;
  }
  for (let byte: u32 = 0; byte < 256; byte++) {
    const id = load<u32>(byteIds + (byte << 2));
    if (id == NONE) continue;
    place = id;
    if (id >= size || begins(id + 1) - begins(id) != 1 || load<u8>(begins(id)) != byte) return FAULT_BYTE;
  }
  return DONE;
}

/** A power of two, and more places than are taken, so that every search ends. */
function areSlots(slots: usize, count: u32, taken: u32, below: u32): bool {
  if (count == 0 || (count & (count - 1)) != 0 || taken >= count) return false;
  let found: u32 = 0;
  for (let slot: u32 = 0; slot < count; slot++) {
    const value = load<u32>(slots + (<usize>slot << 2));
    place = slot;
    if (value == 0) continue;
    if (value > below) return false;
    found++;
  }
  return found == taken;
}

function checkMerges(): u32 {
  if (!areSlots(mergeSlots, mergeSlotsCount, mergesCount, mergesCount)) return FAULT_SLOT;
  for (let rank: u32 = 0; rank < mergesCount; rank++) {
    place = rank;
    const merge = merges + <usize>rank * 12;
    const left = load<u32>(merge);
    const right = load<u32>(merge, 4);
    const id = load<u32>(merge, 8);
    if (left >= size || right >= size || id >= size) return FAULT_MERGE;
    const leftBytes = begins(left + 1) - begins(left);
    const rightBytes = begins(right + 1) - begins(right);
    if (begins(id + 1) - begins(id) != leftBytes + rightBytes) return FAULT_MERGE;
    if (memory.compare(begins(id), begins(left), leftBytes) != 0 || memory.compare(begins(id) + leftBytes, begins(right), rightBytes) != 0) return FAULT_MERGE;
    if (rankOf(left, right) != rank) return FAULT_SLOT;
  }
  return DONE;
}

function checkWords(): u32 {
  if (wordSlotsCount == 0) return DONE;
  let taken: u32 = 0;
  for (let slot: u32 = 0; slot < wordSlotsCount; slot++) if (load<u32>(wordSlots + (<usize>slot << 2)) != 0) taken++;
  if (!areSlots(wordSlots, wordSlotsCount, taken, size)) return FAULT_SLOT;
  for (let slot: u32 = 0; slot < wordSlotsCount; slot++) {
    const value = load<u32>(wordSlots + (<usize>slot << 2));
    place = slot;
    if (value != 0 && wholeWord(begins(value - 1), begins(value)) == NONE) return FAULT_SLOT;
  }
  return DONE;
}

function checkSpecials(): u32 {
  place = 0;
  if (specialsCount == 0) return DONE;
  if (specialsCount < 257 || load<u32>(specials) != 257) return FAULT_SPECIAL;
  for (let lead: u32 = 0; lead < 256; lead++) {
    const from = load<u32>(specials + (lead << 2));
    const to = load<u32>(specials + (lead << 2), 4);
    if (to < from || to > specialsCount) return FAULT_SPECIAL;
    for (let i = from; i < to; i++) {
      const id = load<u32>(specials + (<usize>i << 2));
      place = i;
      if (id >= size || load<u8>(begins(id)) != lead) return FAULT_SPECIAL;
    }
  }
  return load<u32>(specials + 1024) == specialsCount ? DONE : FAULT_SPECIAL;
}

function checkClasses(): u32 {
  if (classesCount < <u32>(CLASS_BLOCKS * 2 + 256)) return FAULT_CLASS;
  const blocks = (classesCount - <u32>(CLASS_BLOCKS * 2)) >> 8;
  for (let block: u32 = 0; block < <u32>CLASS_BLOCKS; block++) {
    place = block;
    if (load<u16>(classes + (block << 1)) >= blocks) return FAULT_CLASS;
  }
  for (let i: u32 = 0; i < blocks << 8; i++) {
    const klass: u32 = load<u8>(classes + CLASS_BLOCKS * 2 + i);
    place = i;
    if (klass != 0 && klass != 1 && klass != 2 && klass != 4) return FAULT_CLASS;
  }
  return DONE;
}
