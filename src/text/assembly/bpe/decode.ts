// Ids to the bytes of their pieces.
import { AT_START, COUNT, DONE, INPUT_BYTES, OUTPUT_MOST, RECORD_BYTES, SPACE_BYTE, SPECIAL, STRIP_SPACE, TOO_MUCH } from '../protocol';
import { begins, flags, size, types } from './tables';

const CONTROL: u32 = 3;

/**
 * COMMAND_BPE_DECODE: ids that no piece has are left out, and special tokens where that is asked for; so is the first
 * space of a text where the model puts one there.
 */
export function decode(record: usize): u32 {
  const end = record + RECORD_BYTES + load<u32>(record + INPUT_BYTES * 4);
  const skipSpecials = load<u32>(record + SPECIAL * 4) != 0;
  let out = end;
  const room = end + load<u32>(record + OUTPUT_MOST * 4);
  let isStart = (flags & STRIP_SPACE) != 0 && load<u32>(record + AT_START * 4) != 0;
  for (let at = record + RECORD_BYTES; at < end; at += 4) {
    const id = load<u32>(at);
    if (id >= size || (skipSpecials && load<u8>(types + id) == CONTROL)) continue;
    let from = begins(id);
    if (from == begins(id + 1)) continue;
    if (isStart && load<u8>(from) == SPACE_BYTE) from++;
    isStart = false;
    const bytes = begins(id + 1) - from;
    if (out + bytes > room) return TOO_MUCH;
    memory.copy(out, from, bytes);
    out += bytes;
  }
  store<u32>(record + AT_START * 4, isStart ? 1 : 0);
  store<u32>(record + COUNT * 4, <u32>(out - end));
  return DONE;
}
