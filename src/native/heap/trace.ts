// What the build's traced canister writes down, in pages that it takes for this (src/node/layout/heap-layout.ts):
// MAGIC, a byte for each 8 bytes of the heap, 1 where they were touched after the start, and all that the start
// allocated. What lies behind those pages counts as if they were not there.

/** 1 in a traced canister; set at the link. */
export let heap_traced: u32 = 0;

const TRACE_PAGES: i32 = 3000;
const TRACE_BYTES: usize = 196608000;
const MAGIC: u64 = 0x6563617274706165;
const MARKS_AT: usize = 65536;
const MARKS: usize = 8388608;
const GRANULE_SHIFT: usize = 3;
const LOG_AT: usize = 16777216;
const ENTRY_BYTES: usize = 12;

let trace: usize = 0;
let logAt: usize = 0;

export function beginTrace(): void {
  trace = <usize>memory.grow(TRACE_PAGES) << 16;
  logAt = trace + LOG_AT;
  store<u64>(trace, MAGIC);
}

export function clearMarks(): void {
  memory.fill(trace + MARKS_AT, 0, MARKS);
}

/** Marks an access; the instruction stands before each load and store of a traced canister. Gives the address back. */
export function heap_mark(address: usize, offset: usize): usize {
  let at = address + offset;
  if (at >= trace + TRACE_BYTES) at -= TRACE_BYTES;
  at >>= GRANULE_SHIFT;
  if (trace != 0 && at < MARKS) store<u8>(trace + MARKS_AT + at, 1);
  return address;
}

/** One call of the allocator: bytes asked for, where they are, what was given back for it; 0 where there is none. */
export function log(bytes: usize, thing: usize, before: usize): void {
  if (thing == 0 && before == 0) return;
  store<u32>(logAt, <u32>bytes);
  store<u32>(logAt, <u32>thing, 4);
  store<u32>(logAt, <u32>before, 8);
  logAt += ENTRY_BYTES;
}
