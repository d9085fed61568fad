// Ids to the bytes of their pieces.
import { COUNT, DONE, INPUT_BYTES, OUTPUT_MOST, RECORD_BYTES, SPECIAL, TOO_MUCH } from '../protocol';
import { begins, size, types } from './tables';

const CONTROL: u32 = 3;

/** COMMAND_BPE_DECODE: ids that no piece has are left out, and special tokens where that is asked for. */
export function decode(record: usize): u32 {
  const end = record + RECORD_BYTES + load<u32>(record + INPUT_BYTES * 4);
  const skipSpecials = load<u32>(record + SPECIAL * 4) != 0;
  let out = end;
  const room = end + load<u32>(record + OUTPUT_MOST * 4);
  for (let at = record + RECORD_BYTES; at < end; at += 4) {
    const id = load<u32>(at);
    if (id >= size || (skipSpecials && load<u8>(types + id) == CONTROL)) continue;
    const bytes = begins(id + 1) - begins(id);
    if (out + bytes > room) return TOO_MUCH;
    memory.copy(out, begins(id), bytes);
    out += bytes;
  }
  store<u32>(record + COUNT * 4, <u32>(out - end));
  return DONE;
}
