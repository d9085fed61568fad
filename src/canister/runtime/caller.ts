/**
 * Who called, as text. To write a principal out takes the interpreter 800,000 instructions, and a message asks for its
 * caller's text several times.
 */
import { msgCaller } from 'azle';

let last: { bytes: Uint8Array; text: string } = { bytes: new Uint8Array(0), text: '' };

export function callerText(): string {
  const caller = msgCaller();
  const bytes = caller.toUint8Array();
  const isLast = bytes.length === last.bytes.length && bytes.every((byte, i) => byte === last.bytes[i]);
  if (!isLast || last.text === '') last = { bytes, text: caller.toText() };
  return last.text;
}
