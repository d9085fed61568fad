// Text to bytes by Azle's own code, where a loop in the interpreter takes 2,000 to 8,000 instructions a character:
// who wants the bytes of a text says where they go,
// and hands the text to `msg_reject`.
import { HEADER_BYTES, RESULT } from '../tensor/assembly/protocol';

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'msg_reject')
declare function reject(from: usize, bytes: usize): void;

/** The mailbox whose payload the next text's bytes are, and what room it has; 0: the next text is a reject's. */
let mailbox: usize = 0;
let room: u32 = 0;

/** COMMAND_UTF8, COMMAND_NO_UTF8 */
export function expectText(to: usize, bytes: u32): void {
  mailbox = to;
  room = bytes;
}

/** Stands where Azle imports `ic0.msg_reject`. */
export function msg_reject(from: usize, bytes: usize): void {
  if (mailbox == 0) return reject(from, bytes);
  if (bytes > <usize>room) unreachable();
  memory.copy(mailbox + HEADER_BYTES, from, bytes);
  store<u32>(mailbox + RESULT * 4, <u32>bytes);
  mailbox = 0;
}
