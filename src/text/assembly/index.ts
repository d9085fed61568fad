// The kernels' entry with the tokenizers beside it: what Node runs as it is, and what the canister's own (src/native)
// goes on to.
import { certified_data_set as kernels } from '../../tensor/assembly/index';
import { HEADER_BYTES, MAGIC, RESULT } from '../../tensor/assembly/protocol';
import { bpe } from './bpe/index';
import { COMMAND_BPE_ENCODE, FIRST_COMMAND, LAST_COMMAND } from './protocol';
import { unigram } from './unigram/index';

/** Stands where Azle imports `ic0.certified_data_set`. */
export function certified_data_set(mailbox: usize, size: usize): void {
  if (size > 32 && load<u32>(mailbox) == MAGIC) {
    const command = load<u32>(mailbox, 4);
    if (command >= <u32>FIRST_COMMAND && command <= <u32>LAST_COMMAND) {
      const tables = load<u32>(mailbox, 8);
      const record = mailbox + HEADER_BYTES;
      store<u32>(mailbox + RESULT * 4, command < <u32>COMMAND_BPE_ENCODE ? unigram(command, tables, record) : bpe(command, tables, record));
      return;
    }
  }
  kernels(mailbox, size);
}
