// Whether tables are what they must be for the others of this folder to trust them. Linear in the tables. The head was
// checked before.
import {
  ADDED_ID, CLASS_BLOCKS, COUNT, DONE, FAULT_ADDED, FAULT_BYTE, FAULT_CLASS, FAULT_MERGE, FAULT_OFFSETS, FAULT_SLOT, FAULT_TYPE, FNV_BASIS, FNV_PRIME, KINDS,
  MOST_ADDED_BYTES, RECORD_BYTES, WORD,
} from '../protocol';
import { isUtf8 } from '../utf8';
import { textOf, tokenAt } from './added';
import { rankOf, wholeWord } from './merge';
import {
  addedBytesCount, addedCount, addedLeads, addedLeadsCount, addedOffsets, addedOffsetsCount, addedRows, addedSlots, addedSlotsCount, begins, byteIds, classes,
  classesCount, merges, mergesCount, mergeSlots, mergeSlotsCount, open, pieceBytes, pieceBytesCount, size, types, wordSlots, wordSlotsCount,
} from './tables';

const UNUSED: u32 = 5;
const LAST_TYPE: u32 = 6;
const NONE: u32 = 0xffffffff;

let place: u32 = 0;

/** COMMAND_BPE_CHECK. */
export function check(record: usize): u32 {
  open(record + RECORD_BYTES);
  let fault = checkPieces();
  if (fault == DONE) fault = checkMerges();
  if (fault == DONE) fault = checkWords();
  if (fault == DONE) fault = checkAdded();
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
    if (begins(id + 1) < begins(id) || begins(id + 1) > pieceBytes + pieceBytesCount) return FAULT_OFFSETS;
    // an id that no token has
    if (begins(id + 1) == begins(id) && type != UNUSED) return FAULT_OFFSETS;
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

function checkAdded(): u32 {
  place = 0;
  if (addedCount == 0) return addedOffsetsCount <= 1 ? DONE : FAULT_ADDED;
  if (addedOffsetsCount != addedCount + 1 || addedLeadsCount < 257) return FAULT_ADDED;
  if (!areSlots(addedSlots, addedSlotsCount, addedCount, addedCount)) return FAULT_ADDED;
  if (load<u32>(addedOffsets) != 0 || load<u32>(addedOffsets + (<usize>addedCount << 2)) != addedBytesCount) return FAULT_ADDED;
  for (let token: u32 = 0; token < addedCount; token++) {
    place = token;
    if (textOf(token + 1) <= textOf(token) || textOf(token + 1) - textOf(token) > <u32>MOST_ADDED_BYTES) return FAULT_ADDED;
    if ((load<u32>(addedRows + (<usize>token << 2)) & <u32>ADDED_ID) >= size) return FAULT_ADDED;
  }
  const fault = checkLeads();
  for (let token: u32 = 0; token < addedCount && fault == DONE; token++) {
    place = token;
    const text = textOf(token);
    const bytes = <u32>(textOf(token + 1) - text);
    // every token must be found by its text; of two with the same one, the second would not be
    if (tokenAt(text, bytes, hashOf(text, bytes)) != token) return FAULT_ADDED;
    if (!isUtf8(text, text + bytes) || !isLength(load<u8>(text), bytes)) return FAULT_ADDED;
  }
  return fault;
}

function hashOf(from: usize, bytes: u32): u32 {
  let hash = <u32>FNV_BASIS;
  for (let i: u32 = 0; i < bytes; i++) hash = (hash ^ load<u8>(from + i)) * <u32>FNV_PRIME;
  return hash;
}

function lead(index: u32): u32 {
  return load<u32>(addedLeads + (<usize>index << 2));
}

/** Whether a length is among those of a first byte. */
function isLength(first: u32, bytes: u32): bool {
  for (let i = lead(first); i < lead(first + 1); i++) if (lead(i) == bytes) return true;
  return false;
}

function checkLeads(): u32 {
  if (lead(0) != 257 || lead(256) != addedLeadsCount) return FAULT_ADDED;
  for (let byte: u32 = 0; byte < 256; byte++) {
    place = byte;
    const to = lead(byte + 1);
    if (to < lead(byte) || to > addedLeadsCount) return FAULT_ADDED;
    let last: u32 = 0;
    for (let i = lead(byte); i < to; i++) {
      if (lead(i) <= last || lead(i) > <u32>MOST_ADDED_BYTES) return FAULT_ADDED;
      last = lead(i);
    }
  }
  return DONE;
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
    const kind = klass & <u32>KINDS;
    if (klass > <u32>(KINDS | WORD) || (kind & (kind - 1)) != 0) return FAULT_CLASS;
  }
  return DONE;
}
