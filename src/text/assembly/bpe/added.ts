// Finds added tokens in a text: the leftmost, and the longest there; one that is then discarded is passed over as a
// whole. At each place a text is looked at once, up to the longest token that begins with its first byte. Source:
// tokenizers, added_vocabulary.rs (find_matches).
//
//   addedLeads  | u32 [257], where the lengths of tokens that begin with each byte begin | the lengths, rising |
//   addedSlots  by the hash of a token's text: its number + 1, 0 for none
import {
  ADDED_ID, ADDED_LSTRIP, ADDED_NORMALIZED, ADDED_RSTRIP, ADDED_SINGLE_WORD, ADDED_SPECIAL, FNV_BASIS, FNV_PRIME, SPACE, WORD,
} from '../protocol';
import { characterBytes } from '../utf8';
import { classOf } from './split';
import { addedBytes, addedCount, addedLeads, addedOffsets, addedRows, addedSlots, addedSlotsCount } from './tables';

/** The token that was found, and what of the text it takes. */
export let foundId: u32 = 0;
export let foundFrom: usize = 0;
export let foundTo: usize = 0;

/** Where the search goes on. */
let next: usize = 0;

// @ts-ignore: AssemblyScript's decorator
@inline
function at(base: usize, index: u32): u32 {
  return load<u32>(base + (<usize>index << 2));
}

/** Where a token's text begins in the tables. */
export function textOf(token: u32): usize {
  return addedBytes + at(addedOffsets, token);
}

/** The number of the token that is just these bytes, whose hash this is; addedCount if there is none. */
export function tokenAt(from: usize, bytes: u32, hash: u32): u32 {
  const mask = addedSlotsCount - 1;
  let slot = (hash ^ (hash >>> 15)) & mask;
  while (true) {
    const value = at(addedSlots, slot);
    if (value == 0) return addedCount;
    const text = textOf(value - 1);
    if (textOf(value) - text == bytes && memory.compare(text, from, bytes) == 0) return value - 1;
    slot = (slot + 1) & mask;
  }
}

/** The longest token of the kind that stands at `from`. */
function longest(from: usize, end: usize, normalized: u32): u32 {
  const lead: u32 = load<u8>(from);
  const to = at(addedLeads, lead + 1);
  let hash = <u32>FNV_BASIS;
  let done: u32 = 0;
  let found = addedCount;
  for (let i = at(addedLeads, lead); i < to; i++) {
    const bytes = at(addedLeads, i);
    if (from + bytes > end) break;
    for (; done < bytes; done++) hash = (hash ^ load<u8>(from + done)) * <u32>FNV_PRIME;
    const token = tokenAt(from, bytes, hash);
    if (token != addedCount && (at(addedRows, token) & <u32>ADDED_NORMALIZED) == normalized) found = token;
  }
  return found;
}

/** Begins a search at `from`. */
export function seek(from: usize): void {
  next = from;
}

/**
 * Whether there is another token.
 * @param from where the text begins @param done what is before this is taken already @param normalized ADDED_NORMALIZED
 * for those of normalised text, or 0
 */
export function findNext(from: usize, done: usize, end: usize, normalized: u32, special: bool): bool {
  if (addedCount == 0) return false;
  for (let place = next; place < end; place++) {
    const token = longest(place, end, normalized);
    if (token == addedCount) continue;
    const row = at(addedRows, token);
    const to = place + (textOf(token + 1) - textOf(token));
    if (((row & <u32>ADDED_SPECIAL) != 0 && !special) || ((row & <u32>ADDED_SINGLE_WORD) != 0 && isWithinWord(from, place, to, end))) {
      place = to - 1;
      continue;
    }
    foundId = row & <u32>ADDED_ID;
    foundFrom = (row & <u32>ADDED_LSTRIP) != 0 ? spacesBefore(place, done) : place;
    foundTo = (row & <u32>ADDED_RSTRIP) != 0 ? spacesBehind(to, end) : to;
    next = foundTo;
    return true;
  }
  next = end;
  return false;
}

/** Where the character before `place` begins. */
function before(place: usize, from: usize): usize {
  do place--; while (place > from && (load<u8>(place) & 0xc0) == 0x80);
  return place;
}

function spacesBefore(place: usize, done: usize): usize {
  while (place > done) {
    const last = before(place, done);
    if ((classOf(last) & <u32>SPACE) == 0) break;
    place = last;
  }
  return place;
}

function spacesBehind(place: usize, end: usize): usize {
  while (place < end && (classOf(place) & <u32>SPACE) != 0) place += characterBytes(load<u8>(place));
  return place;
}

function isWithinWord(from: usize, place: usize, to: usize, end: usize): bool {
  if (place > from && (classOf(before(place, from)) & <u32>WORD) != 0) return true;
  return to < end && (classOf(to) & <u32>WORD) != 0;
}
