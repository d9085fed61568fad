/**
 * What outlives an upgrade: three maps in stable memory, and beside them blocks (blocks.ts) with packs and tables
 * (tables.ts). Memory ids are for ever: a map keeps its number. Values are bytes as we lay them out; Azle's own
 * serialisers, made for small JSON, are not used.
 */
import { type Serializable, StableBTreeMap } from 'azle';
import { reserveFor } from './blocks.ts';
import { fromJsonBytes, toJsonBytes, utf8 } from './bytes.ts';

const raw: Serializable = { toBytes: (bytes: Uint8Array) => bytes, fromBytes: (bytes: Uint8Array) => bytes };

/** Settings and the state of an upload, as JSON by name. */
export const records = new StableBTreeMap<Uint8Array, Uint8Array>(0, raw, raw);
/**
 * Up to layout 3, packs in chunks; a map that is made is a map that takes 8 MiB, so only a migration makes this one.
 */
export const chunksOfLayout3 = (): StableBTreeMap<Uint8Array, Uint8Array> => new StableBTreeMap(1, raw, raw);
/** The generation cache: session id -> session-record.ts. */
export const sessionRecords = new StableBTreeMap<Uint8Array, Uint8Array>(2, raw, raw);
/** The embedding cache: SHA-256 of model and prompt ids -> float32 [S, D padded]. */
export const encodings = new StableBTreeMap<Uint8Array, Uint8Array>(3, raw, raw);
/** Up to layout 4: of each entry of the embedding cache, key -> [bytes u32, number of its last use f64]. */
export const usesOfLayout4 = (): StableBTreeMap<Uint8Array, Uint8Array> => new StableBTreeMap(4, raw, raw);

const key = utf8;

export function readRecord<T>(name: string): T | undefined {
  const bytes = records.get(key(name));
  return bytes ? fromJsonBytes<T>(bytes) : undefined;
}

/**
 * Puts a value in a map, for which there is room: the map itself would panic.
 * @throws NoStableRoom with nothing changed
 */
export function put(map: StableBTreeMap<Uint8Array, Uint8Array>, key: Uint8Array, value: Uint8Array): void {
  reserveFor(value.length);
  map.insert(key, value);
}

export const readBytes = (name: string): Uint8Array | undefined => records.get(key(name)) ?? undefined;

/** @throws NoStableRoom with nothing changed */
export const writeBytes = (name: string, bytes: Uint8Array): void => put(records, key(name), bytes);

/** @throws NoStableRoom with nothing changed */
export function writeRecord(name: string, value: unknown): void {
  if (value === undefined) records.remove(key(name));
  else put(records, key(name), toJsonBytes(value));
}

/**
 * Writes a record that is shorter than the one there was, which needs no room: what gives room back has to go where
 * there is none.
 */
export const shortenRecord = (name: string, value: unknown): unknown => records.insert(key(name), toJsonBytes(value));
