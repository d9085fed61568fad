// The kernels' one entry. In the canister it stands where Azle imports `ic0.certified_data_set`; in Node it is called
// directly. Certified data has at most 32 bytes; a longer array that starts with MAGIC is a mailbox (protocol.ts).
import { firstWrong } from './check';
import { hasOp } from './generated/dispatch';
import { COMMAND_CHECK, COMMAND_GROW, COMMAND_HAS, COMMAND_HASH, COMMAND_READ, COMMAND_RUN, COMMAND_WRITE, HEADER_BYTES, INSTRUCTIONS, MAGIC, RESULT } from './protocol';
import { performanceCounter, run } from './machine';
import { hashBlocks } from './sha256';

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'certified_data_set')
declare function certifiedDataSet(source: usize, size: usize): void;

function grow(bytes: u32): usize {
  const pages = <i32>((bytes + 0xffff) >>> 16);
  const before = memory.grow(pages);
  return before < 0 ? 0 : (<usize>before) << 16;
}

export function certified_data_set(mailbox: usize, size: usize): void {
  if (size <= 32 || load<u32>(mailbox) != MAGIC) return certifiedDataSet(mailbox, size);
  const command = load<u32>(mailbox, 4);
  const a = load<u32>(mailbox, 8);
  const b = load<u32>(mailbox, 12);
  const payload = mailbox + HEADER_BYTES;
  let result: u32 = 0;
  if (command == COMMAND_GROW) result = <u32>grow(a);
  else if (command == COMMAND_WRITE) memory.copy(a, payload, b);
  else if (command == COMMAND_READ) memory.copy(payload, a, b);
  else if (command == COMMAND_RUN) {
    const before = performanceCounter(0);
    result = run(a, b, load<u32>(mailbox, 16), load<u64>(mailbox, 20), mailbox + 28);
    store<u64>(mailbox + INSTRUCTIONS * 4, performanceCounter(0) - before);
  }
  else if (command == COMMAND_CHECK) result = firstWrong(a, payload, b);
  else if (command == COMMAND_HASH) hashBlocks(a, payload, b, load<u32>(mailbox, 16));
  else if (command == COMMAND_HAS) result = hasOp(a) ? 1 : 0;
  else unreachable();
  store<u32>(mailbox + RESULT * 4, result);
}
