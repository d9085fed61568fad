// The texts of a message's arguments, which the interpreter gets as one: to be handed a text costs it more than to
// cut one off, however short it is. Azle makes text of
// what `msg_method_name` gives, in native code.
//
//   where they are   | (first byte, bytes) ... |      among the arguments, without those that are empty; in the
// page, behind the methods' types
import { MAX_SLOTS } from '../arguments-protocol';
import { copyArguments, failure, page } from './bytes';
import { giveNumber, useRoom } from './slots';

/** In the page: behind METHODS (index.ts) and TYPES_BYTES. */
const PARTS: usize = 59136;

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'msg_method_name_size')
declare function methodNameSize(): usize;
// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'msg_method_name_copy')
declare function methodNameCopy(to: usize, from: usize, bytes: usize): void;

let parts: u32 = 0;
let partsBytes: usize = 0;
/** Whether they are what `msg_method_name` gives next. */
let areNext: bool = false;

export function beginTexts(): void {
  parts = 0;
  partsBytes = 0;
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
  const at = page + PARTS + (<usize>parts << 3);
  store<u32>(at, from);
  store<u32>(at, bytes, 4);
  parts += 1;
  partsBytes += <usize>bytes;
}

export function textsAreNext(): void {
  areNext = partsBytes > 0;
}

/** Stands where Azle imports `ic0.msg_method_name_size`. */
export function msg_method_name_size(): usize {
  return areNext ? partsBytes : methodNameSize();
}

/** Stands where Azle imports `ic0.msg_method_name_copy`; texts are copied whole. */
export function msg_method_name_copy(to: usize, from: usize, size: usize): void {
  if (!areNext) return methodNameCopy(to, from, size);
  areNext = false;
  for (let i: u32 = 0; i < parts; i++) {
    const at = page + PARTS + (<usize>i << 3);
    copyArguments(to, load<u32>(at), load<u32>(at, 4));
    to += load<u32>(at, 4);
  }
}
