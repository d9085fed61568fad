// Merges the bytes of a word to pieces: the pair of the lowest rank first, the leftmost among equal ones, until none is
// left. Symbols are a linked list, pairs wait in a heap, so that a word of n bytes takes n log n. Source: Sennrich et
// al., 2016, algorithm 1; Hugging Face tokenizers, bpe/word.rs (merge_all).
//
//   work | id u32 [n] | before i32 [n] | after i32 [n] | heap u64 [3 n]: rank << 32 | place |
import { FNV_BASIS, FNV_PRIME, HASH_LEFT, HASH_RIGHT } from '../protocol';
import { characterBytes } from '../utf8';
import { begins, byteIds, merges, mergeSlots, mergeSlotsCount, wordSlots, wordSlotsCount } from './tables';

/** Bytes of work for each byte of a word. */
export const WORK_EACH: u32 = 36;

const NONE: u32 = 0xffffffff;
const GONE: u32 = 0xfffffffe;

let ids: usize = 0;
let before: usize = 0;
let after: usize = 0;
let heap: usize = 0;
let heapSize: u32 = 0;
/** Symbols that the word began as. */
let count: u32 = 0;

// @ts-ignore: AssemblyScript's decorator
@inline
function at(base: usize, index: u32): u32 {
  return load<u32>(base + (<usize>index << 2));
}

// @ts-ignore: AssemblyScript's decorator
@inline
function set(base: usize, index: u32, value: u32): void {
  store<u32>(base + (<usize>index << 2), value);
}

/** The place in `merges` of this pair, which is its rank. */
export function rankOf(left: u32, right: u32): u32 {
  const mask = mergeSlotsCount - 1;
  let slot = mix(left, right) & mask;
  while (true) {
    const value = at(mergeSlots, slot);
    if (value == 0) return NONE;
    const merge = merges + <usize>(value - 1) * 12;
    if (load<u32>(merge) == left && load<u32>(merge, 4) == right) return value - 1;
    slot = (slot + 1) & mask;
  }
}

// @ts-ignore: AssemblyScript's decorator
@inline
function mix(left: u32, right: u32): u32 {
  const hash: u32 = (left * <u32>HASH_LEFT) ^ (right * <u32>HASH_RIGHT);
  return hash ^ (hash >>> 15);
}

/** The piece that is just these bytes, where words that are pieces are not merged. */
export function wholeWord(from: usize, to: usize): u32 {
  if (wordSlotsCount == 0) return NONE;
  let hash = <u32>FNV_BASIS;
  for (let i = from; i < to; i++) hash = (hash ^ load<u8>(i)) * <u32>FNV_PRIME;
  const mask = wordSlotsCount - 1;
  let slot = (hash ^ (hash >>> 15)) & mask;
  while (true) {
    const value = at(wordSlots, slot);
    if (value == 0) return NONE;
    const piece = begins(value - 1);
    if (begins(value) - piece == to - from && memory.compare(piece, from, to - from) == 0) return value - 1;
    slot = (slot + 1) & mask;
  }
}

/**
 * Merges the bytes of a word.
 * @returns its first piece's place, NONE where no byte of it has a piece; `idAt` and `nextOf` go on from there
 */
export function merge(from: usize, to: usize, work: usize): u32 {
  open(<u32>(to - from), work);
  for (let i = from; i < to; i++) addByte(i);
  return run();
}

/** The same of characters: one without a piece is its bytes. */
export function mergeCharacters(from: usize, to: usize, work: usize): u32 {
  open(<u32>(to - from), work);
  for (let i = from; i < to; ) {
    const next = i + characterBytes(load<u8>(i));
    const id = wholeWord(i, next);
    if (id != NONE) add(id);
    else for (let byte = i; byte < next; byte++) addByte(byte);
    i = next;
  }
  return run();
}

/** Room for so many symbols. */
function open(n: u32, work: usize): void {
  ids = work;
  before = ids + (<usize>n << 2);
  after = before + (<usize>n << 2);
  heap = (after + (<usize>n << 2) + 7) & ~7;
  heapSize = 0;
  count = 0;
}

function addByte(i: usize): void {
  const id = at(byteIds, load<u8>(i));
  // as the reference: a byte without a piece is left out
  if (id != NONE) add(id);
}

function add(id: u32): void {
  set(ids, count, id);
  set(before, count, count - 1);
  set(after, count, count + 1);
  count++;
}

/** Merges the symbols. */
function run(): u32 {
  if (count == 0) return NONE;
  set(after, count - 1, NONE);
  for (let i: u32 = 0; i + 1 < count; i++) offer(i);
  while (heapSize > 0) {
    const top = load<u64>(heap);
    pop();
    const place = <u32>top;
    const pair = merges + <usize>(top >> 32) * 12;
    if (at(ids, place) != load<u32>(pair)) continue;
    const next = at(after, place);
    if (next == NONE || at(ids, next) != load<u32>(pair, 4)) continue;
    set(ids, place, load<u32>(pair, 8));
    set(ids, next, GONE);
    const behind = at(after, next);
    set(after, place, behind);
    if (behind != NONE) {
      set(before, behind, place);
      offer(place);
    }
    const left = at(before, place);
    if (left != NONE) offer(left);
  }
  return 0;
}

export function idAt(place: u32): u32 {
  return at(ids, place);
}

export function nextOf(place: u32): u32 {
  return at(after, place);
}

/** Puts the pair that begins at `place` into the heap, if it merges. */
function offer(place: u32): void {
  const rank = rankOf(at(ids, place), at(ids, at(after, place)));
  if (rank == NONE) return;
  const entry = (<u64>rank << 32) | place;
  let hole: u32 = heapSize++;
  while (hole > 0) {
    const parent: u32 = (hole - 1) >> 1;
    const above = load<u64>(heap + (<usize>parent << 3));
    if (above <= entry) break;
    store<u64>(heap + (<usize>hole << 3), above);
    hole = parent;
  }
  store<u64>(heap + (<usize>hole << 3), entry);
}

function pop(): void {
  heapSize--;
  const entry = load<u64>(heap + (<usize>heapSize << 3));
  let hole: u32 = 0;
  while (true) {
    let child: u32 = 2 * hole + 1;
    if (child >= heapSize) break;
    if (child + 1 < heapSize && load<u64>(heap + (<usize>child << 3), 8) < load<u64>(heap + (<usize>child << 3))) child++;
    const below = load<u64>(heap + (<usize>child << 3));
    if (below >= entry) break;
    store<u64>(heap + (<usize>hole << 3), below);
    hole = child;
  }
  store<u64>(heap + (<usize>hole << 3), entry);
}
