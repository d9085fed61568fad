/**
 * Candid's encoding of replies of one type: what stands before the value, "DIDL" and the table of types, is made once a
 * type, when the module is loaded, and so is what encodes each part. The library works the former out at each call, for
 * 20 M instructions, and takes some 0.25 M for each number or text of the latter.
 */
import { IDL } from '@dfinity/candid';
import { KIND_BOOL, KIND_NAT8, KIND_NAT64, KIND_NULL, KIND_TEXT } from '../../native/arguments-protocol.ts';
import { join, utf8 } from '../storage/bytes.ts';
import { fieldsOf, kindOf } from './candid-types.ts';

/** Encodes values of `type`, each as a reply of one value. */
export function candidEncoder<T>(type: IDL.Type): (value: T) => Uint8Array {
  const head = headOf(type);
  const parts = partsOf(type);
  return (value) => join(head, ...parts(value));
}

/** Makes the bytes of a value, in parts. */
type Parts = (value: never) => Uint8Array[];

function partsOf(type: IDL.Type): (value: unknown) => Uint8Array[] {
  const library = (value: unknown): Uint8Array[] => [type.encodeValue(value)];
  return (partsOfPlain(type) ?? partsOfMade(type) ?? library) as (value: unknown) => Uint8Array[];
}

/** Little-endian, as all machines are that run this. */
function partsOfPlain(type: IDL.Type): Parts | undefined {
  const kind = kindOf(type);
  if (kind === KIND_NULL) return () => [];
  if (kind === KIND_BOOL || kind === KIND_NAT8) return (n: number | boolean) => [Uint8Array.of(Number(n))];
  if (kind === KIND_NAT8 + 2) return (n: number) => [new Uint8Array(Uint32Array.of(n).buffer)];
  if (kind === KIND_NAT64) return (n: bigint) => [new Uint8Array(BigUint64Array.of(BigInt(n)).buffer)];
  if (kind === KIND_TEXT)
    return (text: string) => {
      const bytes = utf8(text);
      return [lengthOf(bytes), bytes];
    };
  return undefined;
}

function partsOfMade(type: IDL.Type): Parts | undefined {
  if (type instanceof IDL.OptClass) {
    const parts = partsOf(type._type);
    return (value: [] | [unknown]) => (value.length === 0 ? [NO] : [YES, ...parts(value[0])]);
  }
  if (type instanceof IDL.VecClass) return partsOfVec(type);
  // a tuple is a list, and a record in the binary format
  if (type instanceof IDL.RecordClass && !(type instanceof IDL.TupleClass)) {
    const fields = fieldsOf(type).map(({ name, type: of }) => ({ name, parts: partsOf(of) }));
    return (value: Record<string, unknown>) => fields.flatMap(({ name, parts }) => parts(value[name]));
  }
  return undefined;
}

const lengthOf = ({ length }: Uint8Array | Uint32Array): Uint8Array => Uint8Array.from(unsigned(length));
const NO = Uint8Array.of(0);
const YES = Uint8Array.of(1);

/** Typed arrays as they lie: the library would copy them three times, and each page takes 80,000 instructions. */
function partsOfVec(type: IDL.VecClass<unknown>): Parts {
  const kind = kindOf(type._type);
  if (type._type instanceof IDL.RecordClass) {
    const parts = partsOf(type._type);
    return (value: unknown[]) => [Uint8Array.from(unsigned(value.length)), ...value.flatMap((each) => parts(each))];
  }
  return (value: Uint8Array | Uint32Array | unknown[]) => {
    const isAsItLies =
      (value instanceof Uint8Array && kind === KIND_NAT8) || (value instanceof Uint32Array && kind === KIND_NAT8 + 2);
    if (!isAsItLies) return [type.encodeValue(value as unknown[])];
    const { buffer, byteOffset, byteLength } = value;
    return [lengthOf(value), new Uint8Array(buffer, byteOffset, byteLength)];
  };
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
  const fields = fieldsOf(record).map(({ name, type: of }) => ({ name, partsOfField: partsOf(of) }));
  return (value: T): { bytes: Uint8Array; places: number[] } => {
    const ok = (value as Record<string, Record<string, unknown> | undefined>)[open];
    if (!ok) return { bytes: join(head, type.encodeValue(value as never)), places: [] };
    const parts = [head, Uint8Array.from(place)];
    const places = new Map<string, number>();
    let length = head.length + place.length;
    for (const { name, partsOfField } of fields) {
      places.set(name, length);
      for (const part of partsOfField(ok[name])) {
        length += part.length;
        parts.push(part);
      }
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
