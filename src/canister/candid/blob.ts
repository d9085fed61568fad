/** One `vec nat8` as Candid has it, without the way through Candid's types: rows of numbers are long. */
import { IDL } from '@dfinity/candid';
import { candidEncoder, headOf } from './candid-encoder.ts';

const BLOB = IDL.Vec(IDL.Nat8);
const HEAD = headOf(BLOB);

export const blobInCandid = candidEncoder<Uint8Array>(BLOB);

/** @throws Error for anything else than one `vec nat8` */
export function bytesOfBlob(candid: Uint8Array): Uint8Array {
  let at = HEAD.length;
  let length = 0;
  let factor = 1;
  if (candid.length <= at || HEAD.some((byte, i) => candid[i] !== byte))
    throw new Error('candid: expected one vec nat8, got something else');
  for (; candid[at]! >= 0x80; at++) {
    length += (candid[at]! & 0x7f) * factor;
    factor *= 0x80;
  }
  length += candid[at++]! * factor;
  if (length !== candid.length - at) throw new Error(`candid: expected ${length} bytes, got ${candid.length - at}`);
  return candid.slice(at);
}
