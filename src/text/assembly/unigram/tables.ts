// The tables of a unigram tokenizer, where they lie in memory (src/model/tokenizer/tokenizer-data.ts says what each is).
import {
  ADD_DUMMY_PREFIX, BYTE_FALLBACK, ESCAPE_WHITESPACES, PLAIN_ASCII, REMOVE_EXTRA_WHITESPACES, UNIGRAM_FLAGS, UNIGRAM_LENGTHS, UNIGRAM_SECTIONS, UNIGRAM_SIZE, UNIGRAM_UNK,
  UNIGRAM_EOS, UNIGRAM_UNK_SCORE, WHITESPACE_AS_SUFFIX,
} from '../protocol';

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

let head: usize = 0;
let section: usize = 0;
let next: usize = 0;

/** The next section; `count` is its length in bytes. */
function take(): usize {
  const at = next;
  next += (bytesOf(section) + 15) & ~15;
  section += 1;
  return at;
}

function bytesOf(index: usize): u32 {
  return load<u32>(head + ((<usize>UNIGRAM_LENGTHS + index) << 2));
}

/** Takes the tables at `tables` for those that are worked with. */
export function open(tables: usize): void {
  head = tables;
  section = 0;
  next = tables + (((UNIGRAM_LENGTHS + UNIGRAM_SECTIONS) * 4 + 15) & ~15);
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
  unitsCount = bytesOf(0) >> 2;
  units = take();
  userUnitsCount = bytesOf(1) >> 2;
  userUnits = take();
  scores = take();
  cuts = take();
  lengths = take();
  pieceOffsets = take();
  pieceBytesCount = bytesOf(6);
  pieceBytes = take();
  types = take();
  byteIds = take();
  charsmapUnitsCount = bytesOf(9) >> 2;
  charsmapUnits = take();
  charsmapStringsCount = bytesOf(10);
  charsmapStrings = take();
  unkSurfaceCount = bytesOf(11);
  unkSurface = take();
}
