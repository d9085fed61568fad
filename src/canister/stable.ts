/**
 * What outlives an upgrade: five maps in stable memory. Memory ids are for ever: a map keeps its number.
 * Values are bytes as we lay them out; Azle's own serialisers, made for small JSON, are not used.
 */
import { type Serializable, StableBTreeMap } from 'azle';
import { HEADER_BYTES } from '../tensor/assembly/protocol.ts';
import { fromJsonBytes, toJsonBytes, utf8 } from './bytes.ts';

const raw: Serializable = { toBytes: (bytes: Uint8Array) => bytes, fromBytes: (bytes: Uint8Array) => bytes };

/** Settings and the state of an upload, as JSON by name. */
export const records = new StableBTreeMap<Uint8Array, Uint8Array>(0, raw, raw);
/** Packs in chunks: [pack u32, index u32], big-endian -> HEADER_BYTES of room for a mailbox, then the bytes. */
const chunks = new StableBTreeMap<Uint8Array, Uint8Array>(1, raw, raw);
/** The generation cache: session id -> session-record.ts. */
export const sessionRecords = new StableBTreeMap<Uint8Array, Uint8Array>(2, raw, raw);
/** The embedding cache: SHA-256 of model and prompt ids -> float32 [S, D padded]. */
export const encodings = new StableBTreeMap<Uint8Array, Uint8Array>(3, raw, raw);
/** Of each entry of the embedding cache: key -> [bytes u32, number of its last use f64], read without the encodings. */
export const encodingUses = new StableBTreeMap<Uint8Array, Uint8Array>(4, raw, raw);

const key = utf8;

export function readRecord<T>(name: string): T | undefined {
  const bytes = records.get(key(name));
  return bytes ? fromJsonBytes<T>(bytes) : undefined;
}

export function writeRecord(name: string, value: unknown): void {
  if (value === undefined) records.remove(key(name));
  else records.insert(key(name), toJsonBytes(value));
}

function chunkKey(pack: number, index: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, pack);
  view.setUint32(4, index);
  return bytes;
}

/** A chunk behind HEADER_BYTES of room, a copy of its own. */
export const readChunk = (pack: number, index: number): Uint8Array | undefined =>
  chunks.get(chunkKey(pack, index)) ?? undefined;

export const hasChunk = (pack: number, index: number): boolean => chunks.containsKey(chunkKey(pack, index));

export function writeChunk(pack: number, index: number, bytes: Uint8Array): void {
  const withRoom = new Uint8Array(HEADER_BYTES + bytes.length);
  withRoom.set(bytes, HEADER_BYTES);
  chunks.insert(chunkKey(pack, index), withRoom);
}

export function removeChunk(pack: number, index: number): void {
  chunks.remove(chunkKey(pack, index));
}
