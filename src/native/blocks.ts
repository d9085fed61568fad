// Blocks of stable memory that are ours, beside Azle's maps. Azle's memory manager cuts stable memory, behind a page of
// its own, into buckets, hands them out one after the other, and can leave none out. So its four calls go through here,
// which shows it a stable memory that our blocks are not part of:
//
//   stable memory   | page 0: manager's, | block 0 | block 1 | block 2 | block 3 | block 4 |
//                   | our table behind   | Azle's  | Azle's  | ours    | ours    | Azle's  |
//   Azle sees       | page 0             | 0       | 1       |                   | 2       |
//   we see          |                                        | 0       | 1       |
//
// At the end there may be blocks in *reserve*, which Azle does not see either: its maps panic where stable memory does
// not grow, so what they may need is grown before anything is written, where a refusal can still be told.
//
// Blocks are taken at the end, so nothing that is there ever moves, and where none is ours, an address is what it was.
// A trap undoes the table, the globals and stable memory alike.
import {
  BLOCK_BYTES, BLOCK_PAGES, BLOCK_SHIFT, BUCKET_PAGES_AT, BUCKETS_AT, COMMAND_OWNED, COMMAND_PAGE, COMMAND_READ, COMMAND_RESERVE, COMMAND_TAKE, COMMAND_WRITE, MANAGER_MAGIC, MOST_EXTENTS, NO_ROOM,
  PAGE_BYTES, TABLE_AT, TABLE_MAGIC, TAKEN, UNKNOWN_MANAGER,
} from './blocks-protocol';
import { stableRead as read } from '../tensor/assembly/ops/load-stable';
import { HEADER_BYTES, RESULT } from '../tensor/assembly/protocol';

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'stable64_size')
declare function size(): u64;
// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'stable64_grow')
declare function grow(pages: u64): u64;
// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'stable64_write')
declare function write(to: u64, from: u64, bytes: u64): void;

const FAILED: u64 = u64.MAX_VALUE;

/** Whether the table was looked for since the heap began. */
let known: bool = false;
/** Our table as it lies in stable memory; one page of the heap. */
let table: usize = 0;
let extents: u32 = 0;
let owned: u32 = 0;
/** Blocks at the end that are nobody's yet. */
let reserved: u32 = 0;
/** The page that our first block begins with: what is below it, Azle sees as it is. */
let firstPage: u32 = 0xffffffff;

// @ts-ignore: AssemblyScript's decorator
@inline
function extent(index: u32): usize {
  return table + 8 + (<usize>index << 3);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function startOf(block: u64): u64 {
  return <u64>PAGE_BYTES + (block << BLOCK_SHIFT);
}

/** Pages that Azle does not see. */
// @ts-ignore: AssemblyScript's decorator
@inline
function hidden(): u64 {
  return <u64>(owned + reserved) * BLOCK_PAGES;
}

/** Reads the table, once. */
export function know(): void {
  if (known) return;
  known = true;
  table = <usize>memory.grow(1) << 16;
  if (size() == 0) return;
  read(table, TABLE_AT, 8);
  if (load<u32>(table) == TABLE_MAGIC) {
    extents = load<u32>(table, 4);
    read(extent(0), TABLE_AT + 8, extents << 3);
    for (let i: u32 = 0; i < extents; i++) owned += load<u32>(extent(i), 4);
    if (extents > 0) firstPage = load<u32>(extent(0)) * BLOCK_PAGES + 1;
  }
  const buckets = managersBuckets();
  if (buckets >= 0) reserved = <u32>((size() - 1) / BLOCK_PAGES) - owned - <u32>buckets;
}

/** How many buckets the memory manager has handed out; -1 for a manager that we do not know, or none. */
function managersBuckets(): i32 {
  const pages = size();
  if (pages == 0 || (pages - 1) % BLOCK_PAGES != 0) return -1;
  const head = extent(MOST_EXTENTS);
  read(head, 0, 8);
  if (load<u32>(head) != MANAGER_MAGIC || load<u16>(head, BUCKET_PAGES_AT) != BLOCK_PAGES) return -1;
  return load<u16>(head, BUCKETS_AT);
}

/** Where byte `address` of what Azle sees is. */
function azles(address: u64): u64 {
  // the first page is in no block
  if (address < <u64>PAGE_BYTES) return address;
  let block = (address - <u64>PAGE_BYTES) >> BLOCK_SHIFT;
  for (let i: u32 = 0; i < extents && block >= load<u32>(extent(i)); i++) block += load<u32>(extent(i), 4);
  return startOf(block) + ((address - <u64>PAGE_BYTES) & <u64>(BLOCK_BYTES - 1));
}

/** Where byte `address` of our blocks is. */
function ours(address: u64): u64 {
  let block = address >> BLOCK_SHIFT;
  for (let i: u32 = 0; i < extents; i++) {
    const count = load<u32>(extent(i), 4);
    if (block < count) return startOf(load<u32>(extent(i)) + block) + (address & <u64>(BLOCK_BYTES - 1));
    block -= count;
  }
  return unreachable();
}

/** Between memory at `pointer` and stable memory at `at`. */
// @ts-ignore: AssemblyScript's decorator
@inline
function copy(isWrite: bool, pointer: u64, at: u64, bytes: u64): void {
  if (isWrite) write(at, pointer, bytes);
  else read(pointer, at, bytes);
}

/** The same block by block, `address` being one of our blocks, or as Azle sees it. */
function copyByBlock(isWrite: bool, isOurs: bool, pointer: u64, address: u64, bytes: u64): void {
  while (bytes > 0) {
    const inBlock = (isOurs ? address : address - <u64>PAGE_BYTES) & <u64>(BLOCK_BYTES - 1);
    const part = min(bytes, BLOCK_BYTES - inBlock);
    copy(isWrite, pointer, isOurs ? ours(address) : azles(address), part);
    pointer += part;
    address += part;
    bytes -= part;
  }
}

function copyAzles(isWrite: bool, pointer: u64, address: u64, bytes: u64): void {
  know();
  // below our first block Azle sees what is there; what overflows is refused by the system
  if (address + bytes <= <u64>firstPage << 16) copy(isWrite, pointer, address, bytes);
  else copyByBlock(isWrite, false, pointer, address, bytes);
}

/** Stands where Azle imports `ic0.stable64_size`. */
export function stable64_size(): u64 {
  know();
  return size() - hidden();
}

/** Stands where Azle imports `ic0.stable64_grow`. */
export function stable64_grow(pages: u64): u64 {
  know();
  const before = size() - hidden();
  const inReserve = <u64>reserved * BLOCK_PAGES;
  if (pages > inReserve && grow(pages - inReserve) == FAILED) return FAILED;
  reserved = pages > inReserve ? 0 : reserved - <u32>((pages + BLOCK_PAGES - 1) / BLOCK_PAGES);
  return before;
}

/** Stands where Azle imports `ic0.stable64_read`. */
export function stable64_read(to: u64, from: u64, bytes: u64): void {
  copyAzles(false, to, from, bytes);
}

/** Stands where Azle imports `ic0.stable64_write`. */
export function stable64_write(to: u64, from: u64, bytes: u64): void {
  copyAzles(true, from, to, bytes);
}

/** Writes memory at `pointer` to our blocks. */
export function writeOurs(address: u64, pointer: usize, bytes: u64): void {
  copyByBlock(true, true, pointer, address, bytes);
}

/** Reads our blocks to memory at `pointer`. */
export function readOurs(address: u64, pointer: usize, bytes: u64): void {
  copyByBlock(false, true, pointer, address, bytes);
}

/** Makes sure that `count` blocks are in reserve. */
function reserve(count: u32): u32 {
  if (reserved >= count) return TAKEN;
  if (managersBuckets() < 0) return UNKNOWN_MANAGER;
  if (grow(<u64>(count - reserved) * BLOCK_PAGES) == FAILED) return NO_ROOM;
  reserved = count;
  return TAKEN;
}

/** Makes the next `count` blocks at the end of stable memory ours. */
function take(count: u32): u32 {
  if (managersBuckets() < 0) return UNKNOWN_MANAGER;
  // in front of those in reserve, which are at the end again then
  const block = <u32>((size() - 1) / BLOCK_PAGES) - reserved;
  const last = extent(extents - 1);
  const follows = extents > 0 && load<u32>(last) + load<u32>(last, 4) == block;
  if (!follows && extents == MOST_EXTENTS) return NO_ROOM;
  if (grow(<u64>count * BLOCK_PAGES) == FAILED) return NO_ROOM;
  if (follows) store<u32>(last, load<u32>(last, 4) + count, 4);
  else {
    store<u32>(extent(extents), block);
    store<u32>(extent(extents), count, 4);
    extents += 1;
  }
  if (owned == 0) firstPage = block * BLOCK_PAGES + 1;
  owned += count;
  store<u32>(table, TABLE_MAGIC);
  store<u32>(table, extents, 4);
  write(TABLE_AT, table, 8 + (extents << 3));
  return TAKEN;
}

/** A command of blocks-protocol.ts. */
export function blocks(mailbox: usize): void {
  know();
  const command = load<u32>(mailbox, 4);
  let result: u32 = 0;
  if (command == COMMAND_OWNED) result = <u32>owned;
  else if (command == COMMAND_TAKE) result = take(load<u32>(mailbox, 8));
  else if (command == COMMAND_PAGE) result = <u32>(ours(<u64>load<u32>(mailbox, 8) << BLOCK_SHIFT) >> 16);
  else if (command == COMMAND_RESERVE) result = reserve(load<u32>(mailbox, 8));
  else if (command == COMMAND_READ || command == COMMAND_WRITE) {
    const pointer = load<u32>(mailbox, 8);
    copyByBlock(command == COMMAND_WRITE, true, pointer == 0 ? mailbox + HEADER_BYTES : pointer, load<u64>(mailbox, 16), load<u32>(mailbox, 12));
  } else unreachable();
  store<u32>(mailbox + RESULT * 4, result);
}
