/**
 * The representation-independent hash of structured data: request ids, delegations and query answers are signed by it.
 * Source: interface specification, "Representation-independent hashing of structured data".
 */
import { bytes, sha256 } from './hash-tree.ts';

/** What can be hashed: naturals, text, blobs, arrays and maps of these. An `undefined` field is an absent one. */
export type Hashable = number | bigint | string | Uint8Array | readonly Hashable[] | ReadonlyMap<string, Hashable>;

/** Unsigned LEB128 in its shortest form. */
export function leb128(value: number | bigint): Uint8Array {
  const out: number[] = [];
  let rest = BigInt(value);
  if (rest < 0n) throw new RangeError(`leb128: expected a natural number, got ${rest}`);
  do {
    out.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(out);
}

/**
 * The hash of a map, 32 bytes; of a request's `content` it is the request id.
 * @throws {TypeError} for a value of another kind (null, boolean, fraction).
 */
export function hashOfMap(map: ReadonlyMap<string, Hashable>): Uint8Array {
  const fields = Array.from(map, ([key, value]) => Buffer.concat([sha256(bytes(key)), hashOfValue(value)]));
  return sha256(...fields.sort(Buffer.compare));
}

function hashOfValue(value: Hashable): Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return sha256(bytes(value));
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return sha256(leb128(value as number | bigint));
  if (Array.isArray(value)) return sha256(...value.map(hashOfValue));
  if (value instanceof Map) return hashOfMap(value);
  throw new TypeError(`request id: expected text, blob, natural, array or map, got ${String(value)}`);
}
