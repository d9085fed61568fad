// What is linked into the canister: the entry of the kernels and of the tokenizers, the reader of arguments, the blocks
// of stable memory that are ours, and what stands around Azle's `generate` and at the end of messages.
import { MAGIC } from '../tensor/assembly/protocol';
import { certified_data_set as kernels } from '../text/assembly/index';
import { argumentsCommand } from './arguments/index';
import { FIRST_ARGUMENTS_COMMAND } from './arguments-protocol';
import { blocks } from './blocks';
import { FIRST_COMMAND } from './blocks-protocol';
import { receipts } from './receipts';
import { COMMAND_RECEIPT, COMMAND_RECEIPT_PATH } from './receipts-protocol';
import { COMMAND_STEPS } from './loop-record';
import { steps } from './native-loop';
import { openSettlement } from './settlement';
import { COMMAND_SETTLE } from './settlement-protocol';

export { msg_method_name_copy, msg_method_name_size } from './arguments/texts';
export { msg_reject } from './native-text';
export { stable64_grow, stable64_read, stable64_size, stable64_write } from './blocks';
export {
  heap_begin, heap_calloc, heap_dlmalloc, heap_free, heap_hot_bytes, heap_internal_memalign, heap_js_def_calloc,
  heap_js_def_free, heap_js_def_malloc, heap_js_def_realloc, heap_list_bytes, heap_mark, heap_realloc, heap_seal,
  heap_traced,
} from './heap/index';
export { call_new, call_on_cleanup, loop_generate, loop_reply, loop_reply_index } from './native-loop';
export { wait_reply, wait_reply_index } from './waiting';
export { settle, settled_callback, settled_callback_index } from './settlement';

/** Stands where Azle imports `ic0.certified_data_set`. */
export function certified_data_set(mailbox: usize, size: usize): void {
  const command: u32 = size > 32 && load<u32>(mailbox) == MAGIC ? load<u32>(mailbox, 4) : 0;
  if (command >= <u32>FIRST_ARGUMENTS_COMMAND) argumentsCommand(mailbox);
  else if (command == <u32>COMMAND_SETTLE) openSettlement(mailbox);
  else if (command == <u32>COMMAND_STEPS) steps(mailbox);
  else if (command == <u32>COMMAND_RECEIPT || command == <u32>COMMAND_RECEIPT_PATH) receipts(mailbox);
  else if (command >= <u32>FIRST_COMMAND) blocks(mailbox);
  else kernels(mailbox, size);
}
