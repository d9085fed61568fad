/**
 * CBOR as the interface specification uses it: with the self-describing tag 55799 in front, maps keyed by text, no
 * floats, no undefined. Decoding gives Maps, so that a key such as `__proto__` is a key like any other.
 */
import { decode as decodeCbor, encode as encodeCbor } from 'cborg';

const SELF_DESCRIBING = Uint8Array.of(0xd9, 0xd9, 0xf7);

/** Encodes plain objects, arrays, text, naturals (up to 64 bits) and blobs, tag first. */
export function encode(value: unknown): Uint8Array {
  const item = encodeCbor(value);
  const out = new Uint8Array(SELF_DESCRIBING.length + item.length);
  out.set(SELF_DESCRIBING);
  out.set(item, SELF_DESCRIBING.length);
  return out;
}

/**
 * Decodes one CBOR item, with or without the tag.
 * @throws {Error} for malformed CBOR, other tags and repeated keys; {RangeError} for nesting deeper than the stack.
 */
export function decode(data: Uint8Array): unknown {
  const tagged = SELF_DESCRIBING.every((byte, at) => data[at] === byte);
  const item = tagged ? data.subarray(SELF_DESCRIBING.length) : data;
  return decodeCbor(item, { useMaps: true, rejectDuplicateMapKeys: true, allowUndefined: false, tags: {} });
}
