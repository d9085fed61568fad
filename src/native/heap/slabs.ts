// Small things that come after the program's start, close together. A slab is 4 KiB of things of one size, so that
// sixteen slabs share a page of 64 KiB, which is what a message is charged for. dlmalloc takes the best fitting hole,
// wherever it is; here a thing goes where the last one of its size went, or was freed:
//
//   slab      | header | thing | thing | free | thing | … |
//   of a size   ready: slabs with room ─> …      full: in no list, until half of it is free again
//
// A slab with a few holes stays out of use, so that new things never seek them out one page after the other; at most
// half of the room is lost to it. An empty slab serves any size. The technique is that of slab allocators, as in
// J. Bonwick, The Slab Allocator (USENIX 1994); the wait for half is ours.
import { ownAligned } from './dlmalloc';

/** Things of more bytes are dlmalloc's. */
const SLAB_LARGEST: usize = 512;
const STEP_SHIFT: usize = 4;
const STEP: usize = 16;
const SLAB_BYTES: usize = 4096;
const SLAB_MASK: usize = 4095;
/** What is asked of dlmalloc at a time, and what it lies at a multiple of. */
const BLOCK_BYTES: usize = 262144;
const BLOCK_SHIFT: usize = 18;

// a slab's header
const SIZE_AT: usize = 0;
const USED_AT: usize = 4;
/** The free thing to take next, 0 without one; each holds the next. */
const FREE_AT: usize = 8;
const NEXT_AT: usize = 12;
const BEFORE_AT: usize = 16;
/** When so many are in use again, a slab changes its list: 0 for a ready one, which is empty then. */
const TURN_AT: usize = 20;
const HEADER: usize = 32;

/** A byte for each 256 KiB of memory whether it is of slabs, then the first ready slab of each size; 0 before. */
let table: usize = 0;
const LISTS: usize = 16384;
const TABLE_BYTES: usize = 20480;
/** As SLAB_LARGEST, once there are slabs. */
let largest: usize = 0;
/** Empty slabs, each holding the next; then slabs that were never used. */
let empty: usize = 0;
let freshAt: usize = 0;
let freshEnd: usize = 0;

/** Whether there are slabs for things of so many bytes. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function isForSlab(bytes: usize): bool {
  return bytes - 1 < largest;
}

/** Whether a thing lies in a slab. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function isInSlab(thing: usize): bool {
  return load<u8>(table + (thing >> BLOCK_SHIFT)) != 0;
}

/** @returns whether there is room for slabs; before, nothing else here is called but isForSlab */
export function beginSlabs(): bool {
  const block = ownAligned(BLOCK_BYTES, BLOCK_BYTES);
  if (block == 0) return false;
  table = block;
  memory.fill(table, 0, TABLE_BYTES);
  useBlock(block);
  freshAt += TABLE_BYTES;
  largest = SLAB_LARGEST;
  return true;
}

function useBlock(block: usize): void {
  store<u8>(table + (block >> BLOCK_SHIFT), 1);
  freshAt = block;
  freshEnd = block + BLOCK_BYTES;
}

/** A slab for things of `size` bytes that is empty and ready; 0 where memory has no more. */
function openSlab(size: usize): usize {
  let slab = empty;
  if (slab != 0) empty = load<u32>(slab, NEXT_AT);
  else {
    if (freshAt == freshEnd) {
      const block = ownAligned(BLOCK_BYTES, BLOCK_BYTES);
      if (block == 0) return 0;
      useBlock(block);
    }
    slab = freshAt;
    freshAt += SLAB_BYTES;
    store<u32>(slab, 0, SIZE_AT);
  }
  // one that had this size has its free things still
  if (load<u32>(slab, SIZE_AT) != size) {
    store<u32>(slab, <u32>size, SIZE_AT);
    store<u32>(slab, 0, USED_AT);
    store<u32>(slab, <u32>(slab + HEADER), FREE_AT);
    let thing = slab + HEADER;
    const last = slab + SLAB_BYTES - (size << 1);
    while (thing <= last) {
      const next = thing + size;
      store<u32>(thing, <u32>next);
      thing = next;
    }
    store<u32>(thing, 0);
  }
  makeReady(slab, listOf(size));
  return slab;
}

/** Where the list of slabs for so many bytes begins. */
// @ts-ignore: AssemblyScript's decorator
@inline
function listOf(bytes: usize): usize {
  return table + ((bytes + (STEP - 1)) >> STEP_SHIFT << 2);
}

function makeReady(slab: usize, list: usize): void {
  const next = <usize>load<u32>(list, LISTS);
  store<u32>(slab, <u32>next, NEXT_AT);
  store<u32>(slab, 0, BEFORE_AT);
  store<u32>(slab, 0, TURN_AT);
  if (next != 0) store<u32>(next, <u32>slab, BEFORE_AT);
  store<u32>(list, <u32>slab, LISTS);
}

function makeUnready(slab: usize, list: usize): void {
  const next = <usize>load<u32>(slab, NEXT_AT);
  const before = <usize>load<u32>(slab, BEFORE_AT);
  if (next != 0) store<u32>(next, <u32>before, BEFORE_AT);
  if (before != 0) store<u32>(before, <u32>next, NEXT_AT);
  else store<u32>(list, <u32>next, LISTS);
}

/** A place for 1 to SLAB_LARGEST bytes, at a multiple of 16; 0 where memory has no more. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function slabTake(bytes: usize): usize {
  let slab: usize = load<u32>(listOf(bytes), LISTS);
  if (slab == 0 || load<u32>(slab, FREE_AT) == 0) slab = nextSlab(bytes, slab);
  if (slab == 0) return 0;
  const thing: usize = load<u32>(slab, FREE_AT);
  store<u32>(slab, load<u32>(thing), FREE_AT);
  store<u32>(slab, load<u32>(slab, USED_AT) + 1, USED_AT);
  return thing;
}

/** A slab with room, where the first of the list has none. */
function nextSlab(bytes: usize, full: usize): usize {
  const list = listOf(bytes);
  while (full != 0) {
    makeUnready(full, list);
    store<u32>(full, load<u32>(full, USED_AT) >> 1, TURN_AT);
    full = load<u32>(list, LISTS);
    if (full != 0 && load<u32>(full, FREE_AT) != 0) return full;
  }
  return openSlab((bytes + (STEP - 1)) & ~(STEP - 1));
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function slabGiveBack(thing: usize): void {
  const slab = thing & ~SLAB_MASK;
  const used = load<u32>(slab, USED_AT) - 1;
  store<u32>(thing, load<u32>(slab, FREE_AT));
  store<u32>(slab, <u32>thing, FREE_AT);
  store<u32>(slab, used, USED_AT);
  if (used == load<u32>(slab, TURN_AT)) turn(slab, used);
}

function turn(slab: usize, used: u32): void {
  const list = listOf(load<u32>(slab, SIZE_AT));
  if (used != 0) {
    makeReady(slab, list);
    return;
  }
  // the only one of its size stays: the next thing of that size would open it again
  if (load<u32>(slab, NEXT_AT) == 0 && load<u32>(slab, BEFORE_AT) == 0) return;
  makeUnready(slab, list);
  store<u32>(slab, <u32>empty, NEXT_AT);
  empty = slab;
}

/** Bytes that a thing of a slab has room for. */
export function slabRoom(thing: usize): usize {
  return <usize>load<u32>(thing & ~SLAB_MASK, SIZE_AT);
}
