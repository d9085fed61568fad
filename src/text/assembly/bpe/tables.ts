// The tables of a BPE tokenizer, where they lie in memory (src/text/bpe/bpe-data.ts says what each is).
import { BPE_FLAGS, BPE_KIND, BPE_LENGTHS, BPE_MERGES, BPE_SECTIONS, BPE_SIZE } from '../protocol';
import { openSections, sectionBytes, takeSection } from '../sections';

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

/** Takes the tables at `tables` for those that are worked with. */
export function open(tables: usize): void {
  openSections(tables, BPE_LENGTHS, BPE_SECTIONS);
  kind = load<i32>(tables + BPE_KIND * 4);
  flags = load<u32>(tables + BPE_FLAGS * 4);
  size = load<u32>(tables + BPE_SIZE * 4);
  mergesCount = load<u32>(tables + BPE_MERGES * 4);
  pieceOffsets = takeSection();
  pieceBytesCount = sectionBytes(1);
  pieceBytes = takeSection();
  types = takeSection();
  byteIds = takeSection();
  merges = takeSection();
  mergeSlotsCount = sectionBytes(5) >> 2;
  mergeSlots = takeSection();
  wordSlotsCount = sectionBytes(6) >> 2;
  wordSlots = takeSection();
  addedLeadsCount = sectionBytes(7) >> 2;
  addedLeads = takeSection();
  addedSlotsCount = sectionBytes(8) >> 2;
  addedSlots = takeSection();
  addedOffsetsCount = sectionBytes(9) >> 2;
  addedOffsets = takeSection();
  addedBytesCount = sectionBytes(10);
  addedBytes = takeSection();
  addedCount = sectionBytes(11) >> 2;
  addedRows = takeSection();
  classesCount = sectionBytes(12);
  classes = takeSection();
}

// @ts-ignore: AssemblyScript's decorator
@inline
export function begins(id: u32): usize {
  return pieceBytes + load<u32>(pieceOffsets + (<usize>id << 2));
}
