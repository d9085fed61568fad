// What the interpreter is given: slots of 8 bytes (arguments-protocol.ts).
import { MANY_VALUES, MAX_SLOTS } from '../arguments-protocol';
import { fail, position } from './bytes';

let slot: usize = 0;
let slotsEnd: usize = 0;

export function beginSlots(at: usize, size: u32): void {
  slot = at;
  slotsEnd = at + <usize>size;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function hasRoom(): bool {
  if (slot < slotsEnd) return true;
  fail(MANY_VALUES, MAX_SLOTS, MAX_SLOTS + 1);
  return false;
}

/** Leaves so many slots fewer for what comes. */
export function useRoom(slots: u32): void {
  const size = <usize>slots << 3;
  if (size > slotsEnd - slot) return fail(MANY_VALUES, MAX_SLOTS, MAX_SLOTS + 1);
  slotsEnd -= size;
}

export function giveNumber(value: f64): void {
  if (!hasRoom()) return;
  store<f64>(slot, value);
  slot += 8;
}

export function giveBits(value: u64): void {
  if (!hasRoom()) return;
  store<u64>(slot, value);
  slot += 8;
}

/** Bytes of the arguments, from the next one on. */
export function giveBytes(length: u32): void {
  giveNumber(position());
  giveNumber(length);
}
