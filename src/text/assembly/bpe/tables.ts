// The tables of a BPE tokenizer, where they lie in memory (src/text/bpe/bpe-data.ts says what each is).
import { BPE_FLAGS, BPE_KIND, BPE_LENGTHS, BPE_MERGES, BPE_SECTIONS, BPE_SIZE } from '../protocol';

export let kind: i32 = 0;
export let flags: u32 = 0;
export let size: u32 = 0;
export let mergesCount: u32 = 0;
export let pieceOffsets: usize = 0;
export let pieceBytes: usize = 0;
export let pieceBytesCount: u32 = 0;
export let types: usize = 0;
export let byteIds: usize = 0;
export let merges: usize = 0;
export let mergeSlots: usize = 0;
export let mergeSlotsCount: u32 = 0;
export let wordSlots: usize = 0;
export let wordSlotsCount: u32 = 0;
export let addedLeads: usize = 0;
export let addedLeadsCount: u32 = 0;
export let addedSlots: usize = 0;
export let addedSlotsCount: u32 = 0;
export let addedOffsets: usize = 0;
export let addedOffsetsCount: u32 = 0;
export let addedBytes: usize = 0;
export let addedBytesCount: u32 = 0;
export let addedRows: usize = 0;
export let addedCount: u32 = 0;
export let classes: usize = 0;
export let classesCount: u32 = 0;

let head: usize = 0;
let section: usize = 0;
let next: usize = 0;

function bytesOf(index: usize): u32 {
  return load<u32>(head + ((<usize>BPE_LENGTHS + index) << 2));
}

function take(): usize {
  const at = next;
  next += (bytesOf(section) + 15) & ~15;
  section += 1;
  return at;
}

/** Takes the tables at `tables` for those that are worked with. */
export function open(tables: usize): void {
  head = tables;
  section = 0;
  next = tables + (((BPE_LENGTHS + BPE_SECTIONS) * 4 + 15) & ~15);
  kind = load<i32>(tables + BPE_KIND * 4);
  flags = load<u32>(tables + BPE_FLAGS * 4);
  size = load<u32>(tables + BPE_SIZE * 4);
  mergesCount = load<u32>(tables + BPE_MERGES * 4);
  pieceOffsets = take();
  pieceBytesCount = bytesOf(1);
  pieceBytes = take();
  types = take();
  byteIds = take();
  merges = take();
  mergeSlotsCount = bytesOf(5) >> 2;
  mergeSlots = take();
  wordSlotsCount = bytesOf(6) >> 2;
  wordSlots = take();
  addedLeadsCount = bytesOf(7) >> 2;
  addedLeads = take();
  addedSlotsCount = bytesOf(8) >> 2;
  addedSlots = take();
  addedOffsetsCount = bytesOf(9) >> 2;
  addedOffsets = take();
  addedBytesCount = bytesOf(10);
  addedBytes = take();
  addedCount = bytesOf(11) >> 2;
  addedRows = take();
  classesCount = bytesOf(12);
  classes = take();
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function begins(id: u32): usize {
  return pieceBytes + load<u32>(pieceOffsets + (<usize>id << 2));
}
