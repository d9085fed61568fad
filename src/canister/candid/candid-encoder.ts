/**
 * Candid's encoding of replies of one type: what stands before the value, "DIDL" and the table of types, is made once a
 * type, when the module is loaded. The library works it out at each call, for 20 M instructions.
 */
import { IDL } from '@dfinity/candid';
import { KIND_NAT8 } from '../../native/arguments-protocol.ts';
import { join } from '../storage/bytes.ts';
import { fieldsOf, kindOf } from './candid-types.ts';

/** Encodes values of `type`, each as a reply of one value. */
export function candidEncoder<T>(type: IDL.Type): (value: T) => Uint8Array {
  const head = headOf(type);
  if (!(type instanceof IDL.RecordClass)) return (value) => join(head, ...partsOf(type, value));
  const fields = fieldsOf(type);
  return (value) => {
    const record = value as Record<string, unknown>;
    return join(head, ...fields.flatMap(({ name, type: of }) => partsOf(of, record[name])));
  };
}

/** A blob as it is: the library would copy it three times, and each page of a copy takes 80,000 instructions. */
function partsOf(type: IDL.Type, value: unknown): Uint8Array[] {
  if (!(value instanceof Uint8Array && type instanceof IDL.VecClass && kindOf(type._type) === KIND_NAT8))
    return [type.encodeValue(value)];
  return [Uint8Array.from(unsigned(value.length)), value];
}

/**
 * The same for a variant of which one case is a record, and tells where numbers of 64 bits in that record lie, in the
 * order of their names.
 */
export function openEncoder<T>(type: IDL.VariantClass, open: string, numbers: readonly string[]) {
  const head = headOf(type);
  const cases = fieldsOf(type);
  const record = cases.find(({ name }) => name === open)!.type as IDL.RecordClass;
  const place = unsigned(cases.findIndex(({ name }) => name === open));
  const fields = fieldsOf(record);
  return (value: T): { bytes: Uint8Array; places: number[] } => {
    const ok = (value as Record<string, Record<string, unknown> | undefined>)[open];
    if (!ok) return { bytes: join(head, type.encodeValue(value as never)), places: [] };
    const parts = [head, Uint8Array.from(place)];
    const places = new Map<string, number>();
    let length = head.length + place.length;
    for (const { name, type: of } of fields) {
      const part = new Uint8Array(of.encodeValue(ok[name]));
      places.set(name, length);
      length += part.length;
      parts.push(part);
    }
    return { bytes: join(...parts), places: numbers.map((name) => places.get(name)!) };
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
