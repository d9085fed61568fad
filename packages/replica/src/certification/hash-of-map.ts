/**
 * The representation-independent hash of structured data: request ids, delegations and query answers are signed by it.
 * Source: interface specification, "Representation-independent hashing of structured data".
 */
import { bytes, sha256 } from './hash-tree.ts';
import { Refused } from './refused.ts';

/** How deep maps and arrays may lie in each other; requests need four levels. */
const MAX_DEPTH = 32;

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
 * @throws {Refused} for a name that is not text, a value of another kind (null, boolean, fraction, negative), or too
 * deep a one
 */
export function hashOfMap(map: ReadonlyMap<string, Hashable>, depth = 1): Uint8Array {
  const fields = Array.from(map, ([key, value]) => {
    if (typeof key !== 'string') throw new Refused(`request id: expected fields named by text, got ${String(key)}`);
    return Buffer.concat([sha256(bytes(key)), hashOfValue(value, depth)]);
  });
  return sha256(...fields.sort(Buffer.compare));
}

function hashOfValue(value: Hashable, depth: number): Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return sha256(bytes(value));
  if ((typeof value === 'bigint' || Number.isSafeInteger(value)) && (value as number) >= 0) {
    return sha256(leb128(value as number | bigint));
  }
  if (depth > MAX_DEPTH) throw new Refused(`request id: expected at most ${MAX_DEPTH} levels of nesting, got more`);
  if (Array.isArray(value)) return sha256(...value.map((element) => hashOfValue(element, depth + 1)));
  if (value instanceof Map) return hashOfMap(value, depth + 1);
  throw new Refused(`request id: expected text, blob, natural, array or map, got ${String(value)}`);
}
