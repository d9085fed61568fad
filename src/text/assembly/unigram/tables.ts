// The tables of a unigram tokenizer, where they lie in memory (src/model/tokenizer/unigram/tokenizer-data.ts says what
// each is).
import {
  ADD_DUMMY_PREFIX, BYTE_FALLBACK, ESCAPE_WHITESPACES, PLAIN_ASCII, REMOVE_EXTRA_WHITESPACES, UNIGRAM_FLAGS, UNIGRAM_LENGTHS, UNIGRAM_SECTIONS, UNIGRAM_SIZE, UNIGRAM_UNK,
  UNIGRAM_EOS, UNIGRAM_UNK_SCORE, WHITESPACE_AS_SUFFIX,
} from '../protocol';
import { openSections, sectionBytes, takeSection } from '../sections';

export let size: i32 = 0;
export let unkId: i32 = 0;
export let eosId: i32 = 0;
export let unkScore: f32 = 0;
export let addDummyPrefix: bool = false;
export let removeExtraWhitespaces: bool = false;
export let escapeWhitespaces: bool = false;
export let whitespaceAsSuffix: bool = false;
export let byteFallback: bool = false;
export let plainAscii: bool = false;

export let units: usize = 0;
export let unitsCount: u32 = 0;
export let userUnits: usize = 0;
export let userUnitsCount: u32 = 0;
export let scores: usize = 0;
export let cuts: usize = 0;
export let lengths: usize = 0;
export let pieceOffsets: usize = 0;
export let pieceBytes: usize = 0;
export let pieceBytesCount: u32 = 0;
export let types: usize = 0;
export let byteIds: usize = 0;
export let charsmapUnits: usize = 0;
export let charsmapUnitsCount: u32 = 0;
export let charsmapStrings: usize = 0;
export let charsmapStringsCount: u32 = 0;
export let unkSurface: usize = 0;
export let unkSurfaceCount: u32 = 0;

/** Takes the tables at `tables` for those that are worked with. */
export function open(tables: usize): void {
  openSections(tables, UNIGRAM_LENGTHS, UNIGRAM_SECTIONS);
  const flags = load<u32>(tables + UNIGRAM_FLAGS * 4);
  addDummyPrefix = (flags & ADD_DUMMY_PREFIX) != 0;
  removeExtraWhitespaces = (flags & REMOVE_EXTRA_WHITESPACES) != 0;
  escapeWhitespaces = (flags & ESCAPE_WHITESPACES) != 0;
  whitespaceAsSuffix = (flags & WHITESPACE_AS_SUFFIX) != 0;
  byteFallback = (flags & BYTE_FALLBACK) != 0;
  plainAscii = (flags & PLAIN_ASCII) != 0;
  size = load<i32>(tables + UNIGRAM_SIZE * 4);
  unkId = load<i32>(tables + UNIGRAM_UNK * 4);
  eosId = load<i32>(tables + UNIGRAM_EOS * 4);
  unkScore = load<f32>(tables + UNIGRAM_UNK_SCORE * 4);
  unitsCount = sectionBytes(0) >> 2;
  units = takeSection();
  userUnitsCount = sectionBytes(1) >> 2;
  userUnits = takeSection();
  scores = takeSection();
  cuts = takeSection();
  lengths = takeSection();
  pieceOffsets = takeSection();
  pieceBytesCount = sectionBytes(6);
  pieceBytes = takeSection();
  types = takeSection();
  byteIds = takeSection();
  charsmapUnitsCount = sectionBytes(9) >> 2;
  charsmapUnits = takeSection();
  charsmapStringsCount = sectionBytes(10);
  charsmapStrings = takeSection();
  unkSurfaceCount = sectionBytes(11);
  unkSurface = takeSection();
}
