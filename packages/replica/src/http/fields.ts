/** Reads typed fields out of a decoded CBOR map; what does not fit is refused by the field's name. */
import { Principal } from '@dfinity/principal';
import { RequestError } from './answer.ts';

export type Fields = ReadonlyMap<unknown, unknown>;

const MAX_PRINCIPAL_BYTES = 29;

/** A value in a few characters, for messages. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Uint8Array) return `a blob of ${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Map) return `a map of ${value.size}`;
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return String(value);
}

function unfit(where: string, expected: string, value: unknown): RequestError {
  return new RequestError(400, `${where}: expected ${expected}, got ${describe(value)}`);
}

export function asMap(value: unknown, where: string): Fields {
  if (value instanceof Map) return value;
  throw unfit(where, 'a map', value);
}

export function asArray(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw unfit(where, 'an array', value);
}

export function asBlob(value: unknown, where: string, maxBytes = Number.POSITIVE_INFINITY): Uint8Array {
  if (value instanceof Uint8Array && value.length <= maxBytes) return value;
  throw unfit(where, maxBytes === Number.POSITIVE_INFINITY ? 'a blob' : `a blob of at most ${maxBytes} bytes`, value);
}

export function asText(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw unfit(where, 'text', value);
}

/** A natural number of at most 64 bits: CBOR decodes it to a number or, where that is too small, a bigint. */
export function asNat(value: unknown, where: string): bigint {
  const integer = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (integer && value >= 0) return BigInt(value);
  throw unfit(where, 'a natural number', value);
}

export function asPrincipal(value: unknown, where: string): Principal {
  return Principal.fromUint8Array(asBlob(value, where, MAX_PRINCIPAL_BYTES));
}

/** `read` where there is a value, else undefined: null, as some clients write what they leave out, is none. */
export function optional<T>(value: unknown, where: string, read: (value: unknown, where: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value, where);
}

/** A map without the fields that are null: they stand for absent ones, and are no part of a request's id. */
export const withoutNulls = (fields: Fields): Fields => new Map([...fields].filter(([, value]) => value !== null));
