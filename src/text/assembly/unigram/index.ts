// A SentencePiece unigram tokenizer over ready-made tables. The faces are src/model/tokenizer/unigram/tokenizer.ts and
// tokenizer-check.ts.
import { COMMAND_UNIGRAM_CHECK, COMMAND_UNIGRAM_DECODE, COMMAND_UNIGRAM_ENCODE, COMMAND_UNIGRAM_NORMALIZE } from '../protocol';
import { check } from './check';
import { decode } from './decode';
import { encode, normalize } from './encode';
import { open } from './tables';

/**
 * @param tables where they lie, but for a check
 * @param record the payload
 * @returns one of the results in protocol.ts
 */
export function unigram(command: u32, tables: usize, record: usize): u32 {
  if (command == COMMAND_UNIGRAM_CHECK) return check(record);
  open(tables);
  if (command == COMMAND_UNIGRAM_ENCODE) return encode(record);
  if (command == COMMAND_UNIGRAM_NORMALIZE) return normalize(record);
  if (command == COMMAND_UNIGRAM_DECODE) return decode(record);
  return unreachable();
}
