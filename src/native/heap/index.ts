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

import { copyList, ownAligned, ownCalloc, ownFree, ownMalloc, ownRealloc, ownRoom } from './dlmalloc';
import { isInSlab, SLAB_LARGEST, slabGiveBack, slabRoom, slabTake } from './slabs';
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
const SMALLEST_FILLING: usize = 8;

/** Whether the program is starting. */
let isStarting: bool = false;
/** Whether a function of dlmalloc's is at work, whose calls of the others are not the program's. */
let isInside: bool = false;
let calls: u32 = 0;
let nextHot: u32 = 0xffffffff;
/** Whether most messages touch the thing whose place is asked for, and the next. */
let isHottest: bool = false;
let isNextHottest: bool = false;
let list: usize = 0;
let listAt: usize = 0;
let listEnd: usize = 0;
let hotBegin: usize = 0;
/** What most messages touch lies from `hotBegin` on, the rest up to `hotEnd`; between them is room. */
let hotAt: usize = 0;
let warmAt: usize = 0;
let hotEnd: usize = 0;
/** What lies below was there when the program stood; 0 until then. */
let coldEnd: usize = 0;

function readNextHot(): void {
  let distance: u32 = 0;
  while (listAt < listEnd) {
    const character: u32 = load<u8>(listAt++);
    if (character == COMMA || character == SEMICOLON) {
      nextHot += distance;
      isNextHottest = character == COMMA;
      return;
    }
    distance = distance * 10 + (character - DIGIT_0);
  }
  nextHot = 0xffffffff;
}

/** Whether QuickJS's call of the allocator, which is counted here, is for a hot thing. */
function isHot(): bool {
  if (!isStarting || isInside || calls++ != nextHot) return false;
  isHottest = isNextHottest;
  readNextHot();
  return true;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function isPlaced(thing: usize): bool {
  return thing - hotBegin < hotEnd - hotBegin;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function isCold(thing: usize): bool {
  return thing < coldEnd && thing != 0;
}

/** A place in the hot part; dlmalloc's where it is full. */
function place(bytes: usize): usize {
  const whole = (HEADER + bytes + 7) & ~(<usize>7);
  if (whole > warmAt - hotAt) return ownMalloc(bytes);
  if (!isHottest) warmAt -= whole;
  const at = isHottest ? hotAt : warmAt;
  if (isHottest) hotAt += whole;
  store<u32>(at, <u32>bytes);
  return at + HEADER;
}

/** QuickJS begins, and with it the count. */
export function heap_begin(): void {
  calls = 0;
  isStarting = true;
  if (heap_traced != 0) beginTrace();
  if (heap_list_bytes == 0) return;
  isInside = true;
  list = ownMalloc(heap_list_bytes);
  hotBegin = ownAligned(PAGE_BYTES, heap_hot_bytes);
  isInside = false;
  // without room for them, things lie where dlmalloc puts them
  if (list == 0 || hotBegin == 0) {
    hotBegin = 0;
    return;
  }
  copyList(list);
  listAt = list;
  listEnd = list + heap_list_bytes;
  hotAt = hotBegin;
  hotEnd = hotBegin + heap_hot_bytes;
  warmAt = hotEnd;
  nextHot = 0;
  readNextHot();
}

/** The program stands: from here on nothing goes into the holes it left. */
export function heap_seal(): void {
  if (!isStarting) return;
  isStarting = false;
  if (list != 0) ownFree(list);
  const behind = ownMalloc(BEHIND_ALL);
  for (let bytes = LARGEST_FILLING; bytes >= SMALLEST_FILLING; bytes >>= 1) {
    let filling = ownMalloc(bytes);
    while (filling != 0 && filling < behind) filling = ownMalloc(bytes);
    if (filling != 0) ownFree(filling);
  }
  coldEnd = behind;
  ownFree(behind);
  if (heap_traced != 0) clearMarks();
}

/** A place for a thing that is not hot. */
function take(bytes: usize): usize {
  // until the program stands, all that is not hot is cold
  let thing: usize = 0;
  if (coldEnd != 0 && bytes <= SLAB_LARGEST) thing = slabTake(bytes);
  return thing != 0 ? thing : ownMalloc(bytes);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function note(bytes: usize, thing: usize, before: usize): void {
  if (heap_traced != 0 && isStarting && !isInside) log(bytes, thing, before);
}

export function heap_dlmalloc(bytes: usize): usize {
  if (isInside) return ownMalloc(bytes);
  const thing = isHot() ? place(bytes) : take(bytes);
  note(bytes, thing, 0);
  return thing;
}

export function heap_calloc(count: usize, bytes: usize): usize {
  const all = count * bytes;
  if (count != 0 && all / count != bytes) return 0;
  const hot = isHot();
  let thing: usize = 0;
  if (hot || (coldEnd != 0 && all <= SLAB_LARGEST)) {
    thing = hot ? place(all) : take(all);
    if (thing != 0) memory.fill(thing, 0, all);
  } else {
    const outer = isInside;
    isInside = true;
    thing = ownCalloc(count, bytes);
    isInside = outer;
  }
  note(all, thing, 0);
  return thing;
}

export function heap_internal_memalign(alignment: usize, bytes: usize): usize {
  isHot(); // counts; what has to lie at a multiple is never placed
  const outer = isInside;
  isInside = true;
  const thing = ownAligned(alignment, bytes);
  isInside = outer;
  note(bytes, thing, 0);
  return thing;
}

export function heap_realloc(thing: usize, bytes: usize): usize {
  const hot = isHot();
  let moved: usize = 0;
  if (hot || thing == 0 || isPlaced(thing) || isCold(thing) || isInSlab(thing)) moved = move(thing, bytes, hot);
  else {
    const outer = isInside;
    isInside = true;
    moved = ownRealloc(thing, bytes);
    isInside = outer;
  }
  note(bytes, moved, thing);
  return moved;
}

/** Bytes that a thing has room for. */
function roomOf(thing: usize): usize {
  if (thing == 0) return 0;
  if (isPlaced(thing)) return <usize>load<u32>(thing - HEADER);
  return isInSlab(thing) ? slabRoom(thing) : ownRoom(thing);
}

/** `realloc` without growing into what lies behind; 0 where there is no room. */
function move(thing: usize, bytes: usize, hot: bool): usize {
  const had = roomOf(thing);
  if (!hot && thing != 0 && bytes <= had) return thing;
  const to = hot ? place(bytes) : take(bytes);
  if (to == 0) return 0;
  memory.copy(to, thing, min(had, bytes));
  release(thing);
  return to;
}

function release(thing: usize): void {
  if (isPlaced(thing)) return;
  if (isInSlab(thing)) slabGiveBack(thing);
  else if (!isCold(thing) || ownRoom(thing) >= LARGE) ownFree(thing);
}

export function heap_free(thing: usize): void {
  note(0, 0, thing);
  release(thing);
}
