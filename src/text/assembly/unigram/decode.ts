// Ids to UTF-8. Source: SentencePiece, sentencepiece_processor.cc (Decode).
import { AT_START, COUNT, DONE, INPUT_BYTES, OUTPUT_MOST, RECORD_BYTES, TOO_MUCH } from '../protocol';
import { outputOf } from './encode';
import { addDummyPrefix, pieceBytes, pieceOffsets, removeExtraWhitespaces, size, types, unkSurface, unkSurfaceCount } from './tables';

// PieceType
const UNKNOWN: u32 = 2;
const CONTROL: u32 = 3;
const BYTE: u32 = 6;

let out: usize = 0;
let room: usize = 0;
let atStart: bool = false;

/** COMMAND_UNIGRAM_DECODE: control pieces and ids that no piece has are left out. */
export function decode(record: usize): u32 {
  const begin = outputOf(record);
  out = begin;
  room = begin + load<u32>(record + OUTPUT_MOST * 4);
  atStart = load<u32>(record + AT_START * 4) != 0;
  const end = record + RECORD_BYTES + load<u32>(record + INPUT_BYTES * 4);
  for (let at = record + RECORD_BYTES; at < end; at += 4) if (!append(load<u32>(at))) return TOO_MUCH;
  store<u32>(record + COUNT * 4, <u32>(out - begin));
  store<u32>(record + AT_START * 4, atStart ? 1 : 0);
  return DONE;
}

function append(id: u32): bool {
  if (id >= <u32>size) return true;
  const type: u32 = load<u8>(types + id);
  if (type == CONTROL) return true;
  if (type == UNKNOWN) return put(unkSurface, unkSurface + unkSurfaceCount, false);
  let from = pieceBytes + load<u32>(pieceOffsets + (<usize>id << 2));
  const to = pieceBytes + load<u32>(pieceOffsets + (<usize>id << 2), 4);
  if (type == BYTE) return putByte((hexDigit(load<u8>(from, 3)) << 4) | hexDigit(load<u8>(from, 4)));
  if (atStart && (addDummyPrefix || removeExtraWhitespaces) && isSpaceSymbol(from, to)) {
    from += 3;
    // only the dummy prefix is dropped, unless no text begins with spaces
    if (!removeExtraWhitespaces) atStart = false;
  }
  return put(from, to, true);
}

/** With a space for each space symbol if it is a piece. */
function put(from: usize, to: usize, isPiece: bool): bool {
  if (from >= to) return true;
  if (out + (to - from) > room) return false;
  while (from < to) {
    if (isPiece && isSpaceSymbol(from, to)) {
      store<u8>(out++, 0x20);
      from += 3;
    } else store<u8>(out++, load<u8>(from++));
  }
  atStart = false;
  return true;
}

function putByte(byte: u32): bool {
  if (out == room) return false;
  store<u8>(out++, byte);
  atStart = false;
  return true;
}

/** U+2581 is E2 96 81. */
function isSpaceSymbol(at: usize, to: usize): bool {
  return at + 3 <= to && load<u8>(at) == 0xe2 && load<u8>(at, 1) == 0x96 && load<u8>(at, 2) == 0x81;
}

/** Of `<0x0A>`. */
function hexDigit(code: u32): u32 {
  return code < 0x3a ? code - 0x30 : code - 0x37;
}
