// A byte-level BPE tokenizer over ready-made tables. The face is src/text/bpe/bpe.ts.
import { COMMAND_BPE_CHECK, COMMAND_BPE_DECODE, COMMAND_BPE_ENCODE } from '../protocol';
import { check } from './check';
import { decode } from './decode';
import { encode } from './encode';
import { open } from './tables';

/**
 * @param tables where they lie, but for a check
 * @param record the payload
 * @returns one of the results in protocol.ts
 */
export function bpe(command: u32, tables: usize, record: usize): u32 {
  if (command == COMMAND_BPE_CHECK) return check(record);
  open(tables);
  if (command == COMMAND_BPE_ENCODE) return encode(record);
  if (command == COMMAND_BPE_DECODE) return decode(record);
  return unreachable();
}
