/** One `vec nat8` as Candid has it, without the way through Candid's types: rows of numbers are long. */

// DIDL, one type: vec nat8; one value, of that type
const HEAD = Uint8Array.of(0x44, 0x49, 0x44, 0x4c, 1, 0x6d, 0x7b, 1, 0);

export function blobInCandid(bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  const candid = new Uint8Array(HEAD.length + length.length + bytes.length);
  candid.set(HEAD);
  candid.set(length, HEAD.length);
  candid.set(bytes, HEAD.length + length.length);
  return candid;
}

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
