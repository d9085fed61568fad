// Where things lie in the heap. The Internet Computer charges for each page of 64 KiB that a message touches, and what
// QuickJS keeps of the canister's program lies spread over a hundred pages, with a few bytes on each that a message
// needs. So the build runs the canister once, sees which of what the program's start allocated is touched later
// (src/node/layout/), and has those things placed side by side:
//
//   heap   | hot: what messages touch | cold: the rest of what the start allocated | what comes later (slabs.ts) |
//
// A thing is known by its number: how many calls of the allocator came before it since QuickJS began. The program's
// start is the same each time, so the numbers are. Where they are not, a thing lies elsewhere, and nothing else
// happens.
//
// When the program stands, the holes in the cold part are filled, and small things there that are freed stay: what
// comes later would else go into holes on a hundred pages. That is bounded by what the start allocated.
//
// The allocator itself is dlmalloc, in Azle's Wasm; its functions lead through here (src/node/build/heap/hooks.ts).
// A start calls them a million times: what stands before dlmalloc's own work is one comparison where it can be.

import { copyList, ownAligned, ownCalloc, ownFree, ownMalloc, ownRealloc, ownRoom } from './dlmalloc';
import { beginSlabs, isForSlab, isInSlab, slabGiveBack, slabRoom, slabTake } from './slabs';
import { beginTrace, clearMarks, heap_traced, log } from './trace';

export { heap_mark, heap_traced } from './trace';

/**
 * Bytes of the list of hot things: decimal distances between their numbers, a comma behind what most messages touch, a
 * semicolon behind what some do. Set at the link.
 */
export let heap_list_bytes: u32 = 0;
/** Bytes of the hot part; set at the link. */
export let heap_hot_bytes: u32 = 0;

const PAGE_BYTES: usize = 65536;
const COMMA: u32 = 0x2c;
const SEMICOLON: u32 = 0x3b;
const DIGIT_0: u32 = 0x30;
/** Bytes before a hot thing: how many it has. */
const HEADER: usize = 8;
/** Cold things of so many bytes are given back. */
const LARGE: usize = 2048;
/** More than any hole: what is so large lies behind them all. */
const BEHIND_ALL: usize = 2097152;
const LARGEST_FILLING: usize = 131072;
// small ones, too: where they are left open, a message touches three to five pages more
const SMALLEST_FILLING: usize = 8;
const EVERYTHING: usize = 0xffffffff;

/** How many allocations came before the next. */
let calls: u32 = 0;
/** The next one that is not dlmalloc's alone: a hot one; in a traced canister that starts, each. */
let nextNoted: u32 = 0xffffffff;
let isTracing: bool = false;
/** Whether most messages touch the next hot thing. */
let isNextHottest: bool = false;
let list: usize = 0;
let listAt: usize = 0;
let listEnd: usize = 0;
/** In a traced canister that starts, the hot part is all there is, so that everything given back is noted, too. */
let hotBegin: usize = 0;
let hotBytes: usize = 0;
/** What most messages touch lies from `hotBegin` on, the rest from `warmAt`; between them is room. */
let hotAt: usize = 0;
let warmAt: usize = 0;
/** What lies below was there when the program stood; 0 until then. */
let coldEnd: usize = 0;

function readNextHot(): void {
  let distance: u32 = 0;
  while (listAt < listEnd) {
    const character: u32 = load<u8>(listAt++);
    if (character == COMMA || character == SEMICOLON) {
      nextNoted += distance;
      isNextHottest = character == COMMA;
      return;
    }
    distance = distance * 10 + (character - DIGIT_0);
  }
  nextNoted = 0xffffffff;
}

/** Counts an allocation. */
// @ts-ignore: AssemblyScript's decorator
@inline
function isNoted(): bool {
  return calls++ == nextNoted;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function isPlaced(thing: usize): bool {
  return thing - hotBegin < hotBytes;
}

/** A place in the hot part for the next of the list; dlmalloc's where it is full. */
function place(bytes: usize): usize {
  const isHottest = isNextHottest;
  readNextHot();
  const whole = (HEADER + bytes + 7) & ~(<usize>7);
  if (whole > warmAt - hotAt) return ownMalloc(bytes);
  if (!isHottest) warmAt -= whole;
  const at = isHottest ? hotAt : warmAt;
  if (isHottest) hotAt += whole;
  store<u32>(at, <u32>bytes);
  return at + HEADER;
}

/** Writes an allocation down, whose thing it gives back, so that the next is noted. */
function traced(bytes: usize, thing: usize, before: usize): usize {
  nextNoted = calls;
  log(bytes, thing, before);
  return thing;
}

/** QuickJS begins, and with it the count. */
export function heap_begin(): void {
  calls = 0;
  if (heap_traced != 0) {
    beginTrace();
    isTracing = true;
    nextNoted = 0;
    hotBytes = EVERYTHING;
    return;
  }
  if (heap_list_bytes == 0) return;
  list = ownMalloc(heap_list_bytes);
  hotBegin = ownAligned(PAGE_BYTES, heap_hot_bytes);
  // without room for them, things lie where dlmalloc puts them
  if (list == 0 || hotBegin == 0) {
    hotBegin = 0;
    return;
  }
  copyList(list);
  listAt = list;
  listEnd = list + heap_list_bytes;
  hotAt = hotBegin;
  hotBytes = heap_hot_bytes;
  warmAt = hotBegin + hotBytes;
  nextNoted = 0;
  readNextHot();
}

/** The program stands: from here on nothing goes into the holes it left. */
export function heap_seal(): void {
  if (coldEnd != 0) return;
  nextNoted = 0xffffffff;
  listAt = listEnd;
  if (list != 0) ownFree(list);
  if (isTracing) {
    isTracing = false;
    hotBytes = 0;
    clearMarks();
  }
  const behind = ownMalloc(BEHIND_ALL);
  for (let bytes = LARGEST_FILLING; bytes >= SMALLEST_FILLING; bytes >>= 1) {
    let filling = ownMalloc(bytes);
    while (filling != 0 && filling < behind) filling = ownMalloc(bytes);
    if (filling != 0) ownFree(filling);
  }
  ownFree(behind);
  // without room for slabs, things lie where dlmalloc puts them
  if (behind != 0 && beginSlabs()) coldEnd = behind;
}

export function heap_dlmalloc(bytes: usize): usize {
  if (isForSlab(bytes)) return takeSmall(bytes);
  return isNoted() ? takeNoted(bytes) : ownMalloc(bytes);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function takeSmall(bytes: usize): usize {
  const thing = slabTake(bytes);
  return thing != 0 ? thing : ownMalloc(bytes);
}

function takeNoted(bytes: usize): usize {
  return isTracing ? traced(bytes, ownMalloc(bytes), 0) : place(bytes);
}

export function heap_calloc(count: usize, bytes: usize): usize {
  const all = <u64>count * <u64>bytes;
  if (all >> 32 != 0) return 0;
  let thing: usize = 0;
  if (isForSlab(<usize>all)) thing = takeSmall(<usize>all);
  else if (isNoted()) thing = takeNoted(<usize>all);
  else return ownCalloc(count, bytes);
  if (thing != 0) memory.fill(thing, 0, <usize>all);
  return thing;
}

export function heap_internal_memalign(alignment: usize, bytes: usize): usize {
  const noted = isNoted();
  const thing = ownAligned(alignment, bytes);
  if (!noted) return thing;
  if (isTracing) return traced(bytes, thing, 0);
  // what has to lie at a multiple is never placed
  readNextHot();
  return thing;
}

export function heap_realloc(thing: usize, bytes: usize): usize {
  if (coldEnd == 0) {
    const noted = isNoted();
    if (isTracing) return traced(bytes, ownRealloc(thing, bytes), thing);
    if (noted) return moved(thing, roomOf(thing), place(bytes), bytes);
    if (!isPlaced(thing)) return ownRealloc(thing, bytes);
  } else {
    if (thing == 0) return heap_dlmalloc(bytes);
    if (thing >= coldEnd && !isInSlab(thing)) return ownRealloc(thing, bytes);
  }
  // what is there does not grow into what lies behind
  const had = roomOf(thing);
  return bytes <= had ? thing : moved(thing, had, heap_dlmalloc(bytes), bytes);
}

/** Bytes that a thing has room for. */
function roomOf(thing: usize): usize {
  if (thing == 0) return 0;
  if (coldEnd != 0 && isInSlab(thing)) return slabRoom(thing);
  return isPlaced(thing) ? <usize>load<u32>(thing - HEADER) : ownRoom(thing);
}

/** What a thing holds moves to its new place; 0 where there is none. */
function moved(thing: usize, had: usize, to: usize, bytes: usize): usize {
  if (to == 0) return 0;
  memory.copy(to, thing, min(had, bytes));
  heap_free(thing);
  return to;
}

export function heap_free(thing: usize): void {
  if (coldEnd != 0) {
    if (isInSlab(thing)) slabGiveBack(thing);
    else if (thing >= coldEnd || (thing != 0 && !isPlaced(thing) && ownRoom(thing) >= LARGE)) ownFree(thing);
  } else if (!isPlaced(thing)) ownFree(thing);
  else if (isTracing) {
    log(0, 0, thing);
    ownFree(thing);
  }
}

// What QuickJS calls the allocator by; each gets what its runtime holds for it, too, which is nothing. The two that
// there are most calls of stand out at length: a call costs as much as five instructions.

export function heap_js_def_malloc(_opaque: usize, bytes: usize): usize {
  if (isForSlab(bytes)) return takeSmall(bytes);
  return isNoted() ? takeNoted(bytes) : ownMalloc(bytes);
}

export function heap_js_def_free(_opaque: usize, thing: usize): void {
  if (coldEnd == 0) {
    if (isPlaced(thing)) heap_free(thing);
    else ownFree(thing);
  } else if (isInSlab(thing)) slabGiveBack(thing);
  else heap_free(thing);
}

export function heap_js_def_calloc(_opaque: usize, count: usize, bytes: usize): usize {
  return heap_calloc(count, bytes);
}

export function heap_js_def_realloc(_opaque: usize, thing: usize, bytes: usize): usize {
  return heap_realloc(thing, bytes);
}
