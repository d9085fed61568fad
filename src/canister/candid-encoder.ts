/**
 * Candid's encoding of replies of one type: what stands before the value, "DIDL" and the table of types, is made once a type, when the module is loaded. The library
 * works it out at each call, for 20 M instructions.
 */
import { IDL } from '@dfinity/candid';
import { fieldsOf, kindOf } from './candid-types.ts';

/** Encodes values of `type`, each as a reply of one value. */
export function candidEncoder<T>(type: IDL.Type): (value: T) => Uint8Array {
  const head = headOf(type);
  return (value) => {
    const body = type.encodeValue(value);
    const bytes = new Uint8Array(head.length + body.length);
    bytes.set(head);
    bytes.set(body, head.length);
    return bytes;
  };
}

/** "DIDL", the table and the type. */
export function headOf(type: IDL.Type): Uint8Array {
  const table: number[][] = [];
  const number = numberOf(type, table, new Map());
  return Uint8Array.from([0x44, 0x49, 0x44, 0x4c, ...unsigned(table.length), ...table.flat(), 1, ...signed(number)]);
}

/** A type's number: of one that is made of others, its place in the table, behind these. */
function numberOf(type: IDL.Type, table: number[][], places: Map<IDL.Type, number>): number {
  const place = places.get(type);
  if (place !== undefined) return place;
  const kind = kindOf(type);
  let parts: number[];
  if (type instanceof IDL.OptClass || type instanceof IDL.VecClass) {
    parts = signed(numberOf(type._type, table, places));
  } else if (type instanceof IDL.RecordClass || type instanceof IDL.VariantClass) {
    const fields = fieldsOf(type);
    parts = unsigned(fields.length);
    for (const { hash, type: of } of fields) parts.push(...unsigned(hash), ...signed(numberOf(of, table, places)));
  } else return -kind;
  places.set(type, table.length);
  return table.push([...signed(-kind), ...parts]) - 1;
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

/** SLEB128. */
const signed = (value: number): number[] =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
