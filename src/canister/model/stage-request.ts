/** A request to a stage as a call carries it: which model it is for and how that is cut, then the request (wire.ts). */
import { utf8 } from '../storage/bytes.ts';

/** [bytes of the text u32, text, request] */
export function withCut(cut: string, request: Uint8Array): Uint8Array {
  const text = utf8(cut);
  const bytes = new Uint8Array(4 + text.length + request.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(request, 4 + text.length);
  return bytes;
}

/** The request, if it is for this model and cut the same way; else why not. */
export function requestFor(cut: string, bytes: Uint8Array): Uint8Array | string {
  const text = utf8(cut);
  const length = bytes.length < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const isSame = length === text.length && text.every((byte, i) => bytes[4 + i] === byte);
  if (isSame) return bytes.slice(4 + length);
  return `expected a call for the model and cut ${cut}, got one for others; upload all stages again`;
}
