// Text to ids: normalising and searching by turns, a window at a time, until the text ends or there are more ids than
// wanted. Source: SentencePiece, sentencepiece_processor.cc (PopulateSentencePieceText for unknowns and bytes).
import {
  COUNT, DONE, END_BYTE, INPUT_BYTES, MOST_STEPS, NEEDS_ROOM, NOT_UTF8, NUL_BYTE, OUTPUT_MOST, RECORD_BYTES, SPACE_BYTE, STEPS, TOO_DEAR, TOO_MUCH, WORK_BYTES,
} from '../protocol';
import { characterBytes, isUtf8 } from '../utf8';
import { beginText, endText, normalizeNext, withoutLastSpaces } from './normalize';
import { isCut, search } from './search';
import { byteFallback, byteIds, escapeWhitespaces, lengths, unkId } from './tables';
import { last, openWindow, room, setSize, size, steps, text } from './window';

let ids: usize = 0;
let made: u32 = 0;
/** One more than is wanted: the unknown piece that a part begins with may be the one that ends the last part. */
let most: u32 = 0;
let mostSteps: u64 = 0;
/** Of the best path to the window's beginning. */
let score: f32 = 0;

/** Of the input, rounded up to a multiple of 4. */
export function outputOf(record: usize): usize {
  return record + RECORD_BYTES + ((load<u32>(record + INPUT_BYTES * 4) + 3) & ~3);
}

/** COMMAND_UNIGRAM_ENCODE. */
export function encode(record: usize): u32 {
  ids = outputOf(record);
  const wanted = load<u32>(record + OUTPUT_MOST * 4);
  most = wanted + 1;
  mostSteps = <u64>load<u32>(record + MOST_STEPS * 4) * 1000;
  made = 0;
  score = 0;
  openWindow(ids + (<usize>most << 2), load<u32>(record + WORK_BYTES * 4));
  const result = run(record);
  store<u32>(record + COUNT * 4, min(made, wanted));
  store<u32>(record + STEPS * 4, <u32>(steps / 1000));
  return result;
}

function run(record: usize): u32 {
  const from = record + RECORD_BYTES;
  const end = from + load<u32>(record + INPUT_BYTES * 4);
  if (!isUtf8(from, end)) return NOT_UTF8;
  if (room < 16) return NEEDS_ROOM;
  beginText(load<u32>(record + INPUT_BYTES * 4));
  for (let at = from; at < end; ) {
    const next = normalizeNext(at, end);
    if (next != 0) {
      at = next;
      continue;
    }
    // full: what cannot become different is cut up and makes room
    const before = size;
    const result = pass(lastCut());
    if (result != DONE) return result;
    if (size == before) return NEEDS_ROOM;
  }
  endText();
  return pass(size);
}

/** The last place in the window that every path has a boundary at, whatever follows; 0 if there is none. */
function lastCut(): u32 {
  store<u8>(text + size, END_BYTE);
  const end = withoutLastSpaces();
  if (end < 2) return 0;
  for (let at = end - 1; at > 0; at--) if (isCut(at)) return at;
  return 0;
}

/** Cuts up the window's first `bytes`, and takes them out of it. */
function pass(bytes: u32): u32 {
  if (bytes == 0) return DONE;
  store<u8>(text + size, END_BYTE);
  score = search(bytes, score);
  if (mostSteps != 0 && steps > mostSteps) return TOO_DEAR;
  const result = collect(bytes);
  if (result != DONE) return result;
  memory.copy(text, text + bytes, size - bytes);
  setSize(size - bytes);
  return DONE;
}

/** The ids on the best path to `end`. Unknown characters in a row are one unknown piece, or their bytes' pieces. */
function collect(bytes: u32): u32 {
  const before = made;
  let isUnknown = false; // whether the id that follows is the unknown one
  for (let end = bytes; end > 0; ) {
    const id = load<u32>(last + (<usize>end << 2));
    if (id != <u32>unkId) {
      isUnknown = false;
      if (!put(id)) return TOO_MUCH;
      end -= load<u16>(lengths + (<usize>id << 1));
      continue;
    }
    let from = end - 1;
    while (from > 0 && (load<u8>(text + from) & 0xc0) == 0x80) from--;
    if (byteFallback) {
      if (!putBytes(text + from)) return TOO_MUCH;
    } else {
      if (!isUnknown && !put(id)) return TOO_MUCH;
      isUnknown = true;
    }
    end = from;
  }
  reverse(ids + (<usize>before << 2), ids + (<usize>made << 2));
  const first = ids + (<usize>before << 2);
  if (!byteFallback && isUnknown && before > 0 && load<u32>(first - 4) == <u32>unkId) {
    memory.copy(first, first + 4, <usize>(made - before - 1) << 2);
    made--;
  }
  return made == most ? TOO_MUCH : DONE;
}

function put(id: u32): bool {
  if (made == most) return false;
  store<u32>(ids + (<usize>made << 2), id);
  made++;
  return true;
}

/** The pieces of a character's bytes as SentencePiece has them, last first. */
function putBytes(at: usize): bool {
  const lead: u32 = load<u8>(at);
  if (lead == SPACE_BYTE && escapeWhitespaces) return putByte(0x81) && putByte(0x96) && putByte(0xe2);
  if (lead == NUL_BYTE) return putByte(0);
  for (let i = <i32>characterBytes(lead) - 1; i >= 0; i--) if (!putByte(load<u8>(at + i))) return false;
  return true;
}

function putByte(byte: u32): bool {
  return put(load<u32>(byteIds + (<usize>byte << 2)));
}

function reverse(from: usize, to: usize): void {
  to -= 4;
  while (from < to) {
    const id = load<u32>(from);
    store<u32>(from, load<u32>(to));
    store<u32>(to, id);
    from += 4;
    to -= 4;
  }
}

/** COMMAND_UNIGRAM_NORMALIZE: the normalised text begins where ids would. */
export function normalize(record: usize): u32 {
  const from = record + RECORD_BYTES;
  const end = from + load<u32>(record + INPUT_BYTES * 4);
  openWindow(outputOf(record), load<u32>(record + WORK_BYTES * 4));
  if (!isUtf8(from, end)) return NOT_UTF8;
  if (room < 16) return NEEDS_ROOM;
  beginText(load<u32>(record + INPUT_BYTES * 4));
  for (let at = from; at < end; ) {
    at = normalizeNext(at, end);
    if (at == 0) return NEEDS_ROOM;
  }
  endText();
  memory.copy(outputOf(record), text, size);
  store<u32>(record + COUNT * 4, size);
  return DONE;
}
