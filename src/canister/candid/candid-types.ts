/**
 * Candid types as the binary format has them: numbers of types, hashes of names. Source: Candid specification, "Binary
 * Format" and "Records".
 */
import { IDL } from '@dfinity/candid';
import {
  KIND_BOOL,
  KIND_FLOAT32,
  KIND_FLOAT64,
  KIND_INT,
  KIND_INT8,
  KIND_NAT,
  KIND_NAT8,
  KIND_NULL,
  KIND_OPT,
  KIND_PRINCIPAL,
  KIND_RECORD,
  KIND_RESERVED,
  KIND_TEXT,
  KIND_VARIANT,
  KIND_VEC,
} from '../../native/arguments-protocol.ts';

/** A type's number, without the sign. @throws TypeError for types that no method here takes or gives */
export function kindOf(type: IDL.Type): number {
  if (type instanceof IDL.TextClass) return KIND_TEXT;
  if (type instanceof IDL.OptClass) return KIND_OPT;
  if (type instanceof IDL.VecClass) return KIND_VEC;
  if (type instanceof IDL.RecordClass) return KIND_RECORD;
  if (type instanceof IDL.VariantClass) return KIND_VARIANT;
  if (type instanceof IDL.PrincipalClass) return KIND_PRINCIPAL;
  if (type instanceof IDL.FixedNatClass) return KIND_NAT8 + Math.log2(type._bits / 8);
  if (type instanceof IDL.FixedIntClass) return KIND_INT8 + Math.log2(type._bits / 8);
  if (type instanceof IDL.FloatClass) return type._bits === 32 ? KIND_FLOAT32 : KIND_FLOAT64;
  if (type instanceof IDL.NatClass) return KIND_NAT;
  if (type instanceof IDL.IntClass) return KIND_INT;
  if (type instanceof IDL.BoolClass) return KIND_BOOL;
  if (type instanceof IDL.NullClass) return KIND_NULL;
  if (type instanceof IDL.ReservedClass) return KIND_RESERVED;
  throw new TypeError(`candid: expected a type that methods take or give, got ${type.name}`);
}

interface Field {
  hash: number;
  name: string;
  type: IDL.Type;
}

/** Fields of a record, cases of a variant, in the order of their hashes. */
export const fieldsOf = (type: IDL.RecordClass | IDL.VariantClass): Field[] =>
  (type._fields as [string, IDL.Type][]).map(([name, of]) => ({ hash: hashOf(name), name, type: of }));

const hashes = new Map<string, number>();

/** `_7_` is the field of number 7. */
export function hashOf(name: string): number {
  let hash = hashes.get(name);
  if (hash !== undefined) return hash;
  const [, number] = /^_(\d+)_$/.exec(name) ?? [];
  hash = Number(number ?? 0);
  if (number === undefined) for (const letter of name) hash = (Math.imul(hash, 223) + letter.charCodeAt(0)) >>> 0;
  hashes.set(name, hash);
  return hash;
}
