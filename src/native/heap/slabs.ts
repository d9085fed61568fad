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
export const SLAB_LARGEST: usize = 512;
const STEP_SHIFT: usize = 4;
const STEP: usize = 16;
const SIZES: usize = 32;
const SLAB_BYTES: usize = 4096;
const SLAB_MASK: usize = 4095;
/** What is asked of dlmalloc at a time: whole pages. */
const BLOCK_BYTES: usize = 262144;
const PAGE_BYTES: usize = 65536;
const PAGE_SHIFT: usize = 16;

// a slab's header
const SIZE_AT: usize = 0;
const USED_AT: usize = 4;
/** The free thing to take next, 0 without one; each holds the next. */
const FREE_AT: usize = 8;
/** What lies from here to the slab's end was never used. */
const FRESH_AT: usize = 12;
const NEXT_AT: usize = 16;
const BEFORE_AT: usize = 20;
/** 1 while it stands in its size's list. */
const READY_AT: usize = 24;
const HEADER: usize = 32;

/**
 * A bit for each page of 64 KiB whether it is of slabs, then the first ready slab of each size; 0 until there is one.
 */
let table: usize = 0;
const BITS: usize = 8192;
const TABLE_BYTES: usize = 12288;
/** Empty slabs of no size, each holding the next; then slabs that were never used. */
let empty: usize = 0;
let freshAt: usize = 0;
let freshEnd: usize = 0;

/** Whether a thing lies in a slab. */
// @ts-ignore: AssemblyScript's decorator
@inline
export function isInSlab(thing: usize): bool {
  if (table == 0) return false;
  const page = thing >> PAGE_SHIFT;
  return ((<u32>load<u8>(table + (page >> 3)) >> (<u32>page & 7)) & 1) != 0;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function readyOf(size: usize): usize {
  return table + BITS + (size << 2);
}

function takeBlock(): bool {
  const block = ownAligned(PAGE_BYTES, BLOCK_BYTES);
  if (block == 0) return false;
  freshAt = block;
  freshEnd = block + BLOCK_BYTES;
  if (table == 0) {
    table = block;
    memory.fill(table, 0, TABLE_BYTES);
    freshAt += TABLE_BYTES;
  }
  for (let page = block >> PAGE_SHIFT; page < (freshEnd >> PAGE_SHIFT); page++) {
    const at = table + (page >> 3);
    store<u8>(at, load<u8>(at) | <u8>(<u32>1 << (<u32>page & 7)));
  }
  return true;
}

/** A slab of `size` steps that is empty and ready; 0 where memory has no more. */
function openSlab(size: usize): usize {
  let slab: usize = empty;
  if (slab != 0) empty = load<u32>(slab, NEXT_AT);
  else {
    if (freshAt == freshEnd && !takeBlock()) return 0;
    slab = freshAt;
    freshAt += SLAB_BYTES;
  }
  store<u32>(slab, <u32>size, SIZE_AT);
  store<u32>(slab, 0, USED_AT);
  store<u32>(slab, 0, FREE_AT);
  store<u32>(slab, <u32>(slab + HEADER), FRESH_AT);
  makeReady(slab, size);
  return slab;
}

function makeReady(slab: usize, size: usize): void {
  const list = readyOf(size);
  const next = <usize>load<u32>(list);
  store<u32>(slab, <u32>next, NEXT_AT);
  store<u32>(slab, 0, BEFORE_AT);
  store<u32>(slab, 1, READY_AT);
  if (next != 0) store<u32>(next, <u32>slab, BEFORE_AT);
  store<u32>(list, <u32>slab);
}

function makeUnready(slab: usize, size: usize): void {
  const next = <usize>load<u32>(slab, NEXT_AT);
  const before = <usize>load<u32>(slab, BEFORE_AT);
  if (next != 0) store<u32>(next, <u32>before, BEFORE_AT);
  if (before != 0) store<u32>(before, <u32>next, NEXT_AT);
  else store<u32>(readyOf(size), <u32>next);
  store<u32>(slab, 0, READY_AT);
}

/** A place for at most SLAB_LARGEST bytes, at a multiple of 16; 0 where memory has no more. */
export function slabTake(bytes: usize): usize {
  const size: usize = max<usize>(1, (bytes + (STEP - 1)) >> STEP_SHIFT);
  let slab: usize = 0;
  if (table != 0) slab = <usize>load<u32>(readyOf(size));
  if (slab == 0) slab = openSlab(size);
  if (slab == 0) return 0;
  let thing = <usize>load<u32>(slab, FREE_AT);
  let after = <usize>load<u32>(slab, FRESH_AT);
  if (thing != 0) store<u32>(slab, load<u32>(thing), FREE_AT);
  else {
    thing = after;
    after += size << STEP_SHIFT;
    store<u32>(slab, <u32>after, FRESH_AT);
  }
  store<u32>(slab, load<u32>(slab, USED_AT) + 1, USED_AT);
  if (load<u32>(slab, FREE_AT) == 0 && after + (size << STEP_SHIFT) > slab + SLAB_BYTES) makeUnready(slab, size);
  return thing;
}

export function slabGiveBack(thing: usize): void {
  const slab = thing & ~SLAB_MASK;
  const size = <usize>load<u32>(slab, SIZE_AT);
  const used = load<u32>(slab, USED_AT) - 1;
  store<u32>(thing, load<u32>(slab, FREE_AT));
  store<u32>(slab, <u32>thing, FREE_AT);
  store<u32>(slab, used, USED_AT);
  const isReady = load<u32>(slab, READY_AT) != 0;
  if (used == 0) {
    // the only one of its size stays: the next thing of that size would open it again
    if (isReady && load<u32>(slab, NEXT_AT) == 0 && load<u32>(slab, BEFORE_AT) == 0) return;
    if (isReady) makeUnready(slab, size);
    store<u32>(slab, <u32>empty, NEXT_AT);
    empty = slab;
  } else if (!isReady && ((<usize>used * size) << (STEP_SHIFT + 1)) <= SLAB_BYTES - HEADER) makeReady(slab, size);
}

/** Bytes that a thing of a slab has room for. */
export function slabRoom(thing: usize): usize {
  return <usize>load<u32>(thing & ~SLAB_MASK, SIZE_AT) << STEP_SHIFT;
}
