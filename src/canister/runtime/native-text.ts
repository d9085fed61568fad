/**
 * Bytes of text by native code (src/native/native-text.ts), which Azle's `msgReject` is the way to: it takes a text
 * and gives its bytes to the system.
 */
import { certifiedDataSet, msgReject } from 'azle';
import { COMMAND_NO_UTF8, COMMAND_UTF8 } from '../../native/arguments-protocol.ts';
import { HEADER_BYTES, MAGIC, RESULT } from '../../tensor/assembly/protocol.ts';
import { useNativeUtf8, utf8Of } from '../../text/utf8.ts';

/** Called when the program begins: not where modules are run, which the build does too. */
export function prepareText(): void {
  useNativeUtf8(encode);
  // the library that makes replies, too: an interpreter takes 2,500 instructions a character
  TextEncoder.prototype.encode = (text = '') => utf8Of(text).slice();
}

function encode(text: string, most: number): Uint8Array | undefined {
  const mailbox = new Uint8Array(HEADER_BYTES + most);
  const header = new Uint32Array(mailbox.buffer, 0, HEADER_BYTES / 4);
  header[0] = MAGIC;
  header[1] = COMMAND_UTF8;
  header[3] = most;
  certifiedDataSet(mailbox);
  try {
    msgReject(text);
  } catch {
    // Rust has no text with a lone surrogate
    header[1] = COMMAND_NO_UTF8;
    certifiedDataSet(mailbox);
    return undefined;
  }
  return mailbox.subarray(HEADER_BYTES, HEADER_BYTES + header[RESULT]!);
}
