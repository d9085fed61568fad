// The texts of a message's arguments, which the interpreter gets as one, GROUP_BYTES at a time: to be handed a text
// costs it more than to cut one off, however short it is, and every page of memory that one large text takes costs
// 80,000 instructions. Azle makes text of what `msg_method_name` gives, in native code.
//
//   where they are   | (first byte, bytes) ... |      among the arguments, without those that are empty; in the
//   page, behind the methods' types
import { MAX_SLOTS } from '../arguments-protocol';
import { copyArguments, failure, page } from './bytes';
import { giveNumber, useRoom } from './slots';

/** In the page: behind METHODS (index.ts) and TYPES_BYTES. */
const PARTS: usize = 59136;
/** Texts are handed over together up to so many; one that is longer comes by itself. */
const GROUP_BYTES: usize = 8192;

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'msg_method_name_size')
declare function methodNameSize(): usize;
// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'msg_method_name_copy')
declare function methodNameCopy(to: usize, from: usize, bytes: usize): void;

let parts: u32 = 0;
/** Those that were handed over last, or are next, and their bytes. */
let firstPart: u32 = 0;
let endPart: u32 = 0;
let groupBytes: usize = 0;
/** Whether they are what `msg_method_name` gives next. */
let areNext: bool = false;

// @ts-ignore: AssemblyScript's decorator
@inline
function placeOf(part: u32): usize {
  return page + PARTS + (<usize>part << 3);
}

export function beginTexts(): void {
  parts = 0;
  endPart = 0;
  areNext = false;
}

/**
 * A text of so many characters of UTF-16. It takes the room of two slots, so that there are at most MAX_SLOTS / 2 of
 * them.
 */
export function giveText(from: u32, bytes: u32, units: u32): void {
  giveNumber(<f64>units);
  useRoom(1);
  if (failure || bytes == 0) return;
  store<u32>(placeOf(parts), from);
  store<u32>(placeOf(parts), bytes, 4);
  parts += 1;
}

export function textsAreNext(): void {
  if (endPart == parts) unreachable();
  firstPart = endPart;
  groupBytes = 0;
  do {
    groupBytes += <usize>load<u32>(placeOf(endPart), 4);
    endPart += 1;
  } while (endPart < parts && groupBytes + <usize>load<u32>(placeOf(endPart), 4) <= GROUP_BYTES);
  areNext = true;
}

/** One text of any of the arguments' bytes is next; others that were not handed over yet are no more. */
export function textIsNext(from: u32, bytes: u32): void {
  store<u32>(placeOf(0), from);
  store<u32>(placeOf(0), bytes, 4);
  parts = 1;
  firstPart = 0;
  endPart = 1;
  groupBytes = <usize>bytes;
  areNext = true;
}

/** Stands where Azle imports `ic0.msg_method_name_size`. */
export function msg_method_name_size(): usize {
  return areNext ? groupBytes : methodNameSize();
}

/** Stands where Azle imports `ic0.msg_method_name_copy`; texts are copied whole. */
export function msg_method_name_copy(to: usize, from: usize, size: usize): void {
  if (!areNext) return methodNameCopy(to, from, size);
  areNext = false;
  for (let part = firstPart; part < endPart; part++) {
    const bytes = load<u32>(placeOf(part), 4);
    copyArguments(to, load<u32>(placeOf(part)), bytes);
    to += bytes;
  }
}
