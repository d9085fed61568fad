/**
 * Taking a pack in: chunks in any order, each as often as one likes; their SHA-256 is worked out as they come, and the
 * pack becomes the model only if hash and head are right. Several packs may be stored, one is active. Controllers and
 * admins only.
 */

import { hex } from '../../interface/hex.ts';
import type {
  ChunkRange,
  StoredModel,
  UploadError,
  UploadResult,
  UploadStartResult,
  UploadStatus,
} from '../../interface/llm.did.ts';
import { HEADER_BYTES } from '../../tensor/assembly/protocol.ts';
import type { HashState } from '../../tensor/sha256.ts';
import type { Opt } from '../candid/opt.ts';
import { receiptBlocks } from '../certification/receipts.ts';
import {
  activate,
  activePack,
  checkOn,
  dropPack,
  isActive,
  keepPack,
  readHead,
  type StoredPack,
  storedPacks,
  updatePack,
} from '../model/model.ts';
import { sha256 as hasher, instructionsNow, MESSAGE_BUDGET } from '../runtime/unit.ts';
import { endAll } from '../sessions/sessions.ts';
import { allotBlocks, lacksStableRoom, readMailbox, writeMailbox } from '../storage/blocks.ts';
import { settings } from '../storage/settings.ts';
import { readRecord, writeRecord } from '../storage/stable.ts';
import { tableBlocks } from '../storage/tables.ts';
import { notAdmin } from './access.ts';
import { candid } from './methods.ts';

/** Well under the 2 MiB of an ingress message, and a multiple of SHA-256's blocks. */
const CHUNK_BYTES = 1 << 20;
/** More than any model whose answers would end: weights that the heap cannot hold are streamed. */
const MAX_PACK_BYTES = 16 * 2 ** 30;
/** A list of them is anybody's for the asking, and takes 0.3 M instructions each. */
const MOST_PACKS = 24;

interface Upload extends StoredPack {
  /** Whether it is a stored pack, of which nothing is needed. */
  known?: boolean;
  /** Chunks that are not there yet, ascending. */
  missing: ChunkRange[];
  /** Chunks from the first on that the hash has taken, and what it has come to. */
  hashed: number;
  words: number[];
}

const chunkCount = (bytes: number): number => Math.ceil(bytes / CHUNK_BYTES);
const isIn = ({ first, last }: ChunkRange, index: number): boolean => first <= index && index <= last;
const isMissing = ({ missing }: Upload, index: number): boolean => missing.some((range) => isIn(range, index));

/** `ranges` without a chunk that is in them. */
const without = (ranges: readonly ChunkRange[], index: number): ChunkRange[] =>
  ranges.flatMap((range) => {
    if (!isIn(range, index)) return [range];
    const [before, after] = [
      { ...range, last: index - 1 },
      { ...range, first: index + 1 },
    ];
    return [before, after].filter(({ first, last }) => first <= last);
  });

/** A chunk as a mailbox has it. */
function readChunk({ blocks, bytes }: Upload, index: number): Uint8Array {
  const offset = index * CHUNK_BYTES;
  return readMailbox(blocks, offset, Math.min(CHUNK_BYTES, bytes - offset));
}

/** Who may not, or what cannot be written down, is told before anything is done. */
function refused(method: string): UploadError | undefined {
  const denied = notController(method);
  if (denied) return denied;
  const full = lacksStableRoom(method);
  return full === undefined ? undefined : { NoRoom: full };
}

const err = (error: UploadError): { Err: UploadError } => ({ Err: error });

function notController(method: string): UploadError | undefined {
  const denied = notAdmin(method);
  return denied === undefined ? undefined : { NotController: denied };
}

function hashState({ hashed, words }: Upload): HashState {
  return { words: Uint32Array.from(words), bytes: hashed * CHUNK_BYTES };
}

/**
 * Takes into the hash what follows without a gap, but the last chunk, which the digest ends with.
 * @param given chunk `index`, if it is at hand
 */
function hashOn(upload: Upload, index?: number, given?: Uint8Array): void {
  const last = chunkCount(upload.bytes) - 1;
  while (upload.hashed < last && !isMissing(upload, upload.hashed) && instructionsNow() < MESSAGE_BUDGET) {
    const chunk = upload.hashed === index ? given! : readChunk(upload, upload.hashed);
    upload.words = Array.from(hasher().update(hashState(upload), chunk).words);
    upload.hashed += 1;
  }
}

export class UploadMethods {
  /**
   * Begins an upload of so many bytes with this SHA-256 in hexadecimal, or goes on with the same one. Update;
   * controllers and admins; 1 M instructions.
   */
  @candid()
  upload_start(bytes: bigint, hash: string): UploadStartResult {
    const denied = refused('upload_start');
    if (denied) return err(denied);
    if (bytes < 64n || bytes > BigInt(MAX_PACK_BYTES)) {
      return err({ InvalidSize: `upload_start: expected 64 to ${MAX_PACK_BYTES} bytes, got ${bytes}` });
    }
    const wanted = hash.toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(wanted)) {
      return err({
        InvalidHash: `upload_start: expected 64 hexadecimal digits, got ${JSON.stringify(hash.slice(0, 80))}`,
      });
    }
    const plan = { chunk_bytes: CHUNK_BYTES, chunks: chunkCount(Number(bytes)) };
    const under = readRecord<Upload>('upload');
    if (under?.sha256 === wanted && under.bytes === Number(bytes)) return { Ok: plan };
    const packs = storedPacks();
    const known = packs.find(({ sha256 }) => sha256 === wanted);
    if (known) {
      writeRecord('upload', { ...known, known: true, missing: [], hashed: plan.chunks, words: [] } satisfies Upload);
      return { Ok: plan };
    }
    if (packs.length >= MOST_PACKS) {
      const expected = `expected at most ${MOST_PACKS} stored packs`;
      return err({ NoRoom: `upload_start: ${expected}, got one more; delete a model` });
    }
    const stored = packs.reduce((sum, { bytes }) => sum + bytes, 0);
    const most = settings().model_bytes;
    if (stored + Number(bytes) > most) {
      return err({
        NoRoom: `upload_start: expected packs of at most ${most} bytes, got ${stored} and ${bytes} more; delete a model`,
      });
    }
    let blocks: number[];
    try {
      blocks = allotBlocks(Number(bytes), [...packs.map((pack) => pack.blocks), tableBlocks(), receiptBlocks()]);
    } catch (error) {
      if (error instanceof RangeError) return err({ NoRoom: `upload_start: ${error.message}; delete a model` });
      throw error;
    }
    const words = Array.from(hasher().begin().words);
    const missing = [{ first: 0, last: plan.chunks - 1 }];
    const upload: Upload = { blocks, bytes: Number(bytes), sha256: wanted, name: '', missing, hashed: 0, words };
    writeRecord('upload', upload);
    console.log(`upload of ${bytes} bytes begun, SHA-256 ${wanted}`);
    return { Ok: plan };
  }

  /**
   * Takes chunk `index`; one whose SHA-256 in hexadecimal is given and another is refused at once, not at the end with
   * the whole. Update; controllers and admins. A trap leaves the chunk out.
   */
  @candid()
  upload_chunk(index: number, bytes: Uint8Array, sha256: Opt<string>): UploadResult {
    return takeChunk(index, bytes, sha256);
  }

  /**
   * Makes the uploaded pack the model, if all of it is there and right; sessions of the old model end. Update;
   * controllers and admins.
   */
  @candid()
  upload_commit(): UploadResult {
    const stored = store('upload_commit');
    if ('Err' in stored) return stored;
    switchTo(stored.Ok);
    return { Ok: null };
  }

  /** As `upload_commit`, but leaves the active model alone. Update; controllers and admins. */
  @candid()
  upload_store(): UploadResult {
    const stored = store('upload_store');
    return 'Err' in stored ? stored : { Ok: null };
  }

  /** Forgets an upload under way. Update; controllers and admins. */
  @candid()
  upload_abort(): UploadResult {
    const denied = notController('upload_abort');
    if (denied) return err(denied);
    forget();
    return { Ok: null };
  }

  /** What of an upload under way is there, and what is not. Query; everyone. */
  @candid()
  upload_status(): Opt<UploadStatus> {
    const upload = readRecord<Upload>('upload');
    if (!upload) return [];
    const { sha256, bytes, missing } = upload;
    const chunks = chunkCount(bytes);
    const received = missing.reduce((left, { first, last }) => left - (last - first + 1), chunks);
    return [{ sha256, bytes: BigInt(bytes), chunk_bytes: CHUNK_BYTES, chunks, received, missing }];
  }

  /** The packs stored. Query; everyone. */
  @candid()
  models(): StoredModel[] {
    const active = activePack();
    return storedPacks().map(({ name, sha256, bytes }) => ({
      name,
      sha256,
      bytes: BigInt(bytes),
      active: sha256 === active,
    }));
  }

  /**
   * Makes a stored pack the model that answers; sessions of the old one end. Update; controllers and admins. Traps, and
   * changes nothing, without room.
   */
  @candid()
  model_activate(sha256: string): UploadResult {
    const found = checkedPack('model_activate', sha256);
    if ('Err' in found) return found;
    const full = lacksStableRoom('model_activate');
    if (full !== undefined) return err({ NoRoom: full });
    switchTo(found.Ok);
    return { Ok: null };
  }

  /** Deletes a stored pack that is not active; its room is used by the next. Update; controllers and admins. */
  @candid()
  model_delete(sha256: string): UploadResult {
    const found = storedPack('model_delete', sha256);
    if ('Err' in found) return found;
    const upload = readRecord<Upload>('upload');
    if (isActive(found.Ok))
      return err({ NoSuchModel: 'model_delete: expected a model that is not active, got the active one' });
    if (upload?.sha256 === sha256) forget();
    dropPack(found.Ok);
    console.log(`model deleted: ${found.Ok.name}, ${sha256}`);
    return { Ok: null };
  }
}

function takeChunk(index: number, bytes: Uint8Array, [given]: Opt<string>): UploadResult {
  const denied = refused('upload_chunk');
  if (denied) return err(denied);
  const upload = readRecord<Upload>('upload');
  if (!upload) return err({ NotStarted: 'upload_chunk: no upload under way; call upload_start first' });
  const count = chunkCount(upload.bytes);
  if (index >= count) {
    return err({ InvalidChunk: `upload_chunk: expected an index from 0 to ${count - 1}, got ${index}` });
  }
  const wanted = Math.min(CHUNK_BYTES, upload.bytes - index * CHUNK_BYTES);
  if (bytes.length !== wanted) {
    return err({ InvalidChunk: `upload_chunk: expected ${wanted} bytes for chunk ${index}, got ${bytes.length}` });
  }
  // what the hash has taken stands; a chunk that comes again changes nothing
  if (index < upload.hashed) return { Ok: null };
  const chunk = new Uint8Array(HEADER_BYTES + bytes.length);
  chunk.set(bytes, HEADER_BYTES);
  const found = given === undefined ? undefined : hex(digestOf(chunk));
  if (found !== given?.toLowerCase()) {
    const message = `upload_chunk: expected SHA-256 ${given!.slice(0, 80)} for chunk ${index}, got ${found}; send it again`;
    return err({ InvalidChunk: message });
  }
  writeMailbox(upload.blocks, index * CHUNK_BYTES, chunk);
  upload.missing = without(upload.missing, index);
  hashOn(upload, index, chunk);
  writeRecord('upload', upload);
  return { Ok: null };
}

/** SHA-256 of a chunk as a mailbox has it. */
function digestOf(chunk: Uint8Array): Uint8Array {
  const begun = hasher().begin();
  const whole = (chunk.length - HEADER_BYTES) % 64 === 0;
  return whole
    ? hasher().digest(hasher().update(begun, chunk), new Uint8Array())
    : hasher().digest(begun, chunk.subarray(HEADER_BYTES));
}

function storedPack(method: string, sha256: string): { Ok: StoredPack } | { Err: UploadError } {
  const denied = notController(method);
  if (denied) return err(denied);
  const stored = storedPacks().find((pack) => pack.sha256 === sha256);
  if (stored) return { Ok: stored };
  return err({
    NoSuchModel: `${method}: expected the SHA-256 of a stored pack, got ${JSON.stringify(sha256.slice(0, 80))}`,
  });
}

/** A stored pack that may become the model. */
function checkedPack(method: string, sha256: string): { Ok: StoredPack } | { Err: UploadError } {
  const found = storedPack(method, sha256);
  if ('Err' in found) return found;
  const refused = notChecked(method, found.Ok, () => updatePack(found.Ok));
  return refused ? err(refused) : found;
}

function switchTo(stored: StoredPack): void {
  if (isActive(stored)) return;
  endAll('replaced', true);
  activate(stored);
  console.log(`model active: ${stored.name}, ${stored.bytes} bytes, SHA-256 ${stored.sha256}`);
}

/**
 * Why a pack may not become the model, or not yet: its check goes on with the next call.
 * @param keep writes down how far it is
 */
function notChecked(method: string, stored: StoredPack, keep: () => void): UploadError | undefined {
  const before = stored.checked;
  try {
    const [checked, parts] = checkOn(stored, Number(MESSAGE_BUDGET));
    if (stored.checked !== before) keep();
    if (checked === parts) return undefined;
    return {
      Incomplete: {
        missing: new Uint32Array(),
        message: `${method}: ${checked} of ${parts} parts are checked; call again to go on`,
      },
    };
  } catch (error) {
    return { InvalidPack: `${method}: ${(error as Error).message}` };
  }
}

/** Checks an upload and adds it to the stored packs. */
function store(method: string): { Ok: StoredPack } | { Err: UploadError } {
  const denied = refused(method);
  if (denied) return err(denied);
  const upload = readRecord<Upload>('upload');
  if (!upload) return err({ NotStarted: `${method}: no upload under way; call upload_start first` });
  if (upload.known) return storeKnown(method, upload);
  const wrong = notHashed(method, upload);
  if (wrong) {
    if ('WrongHash' in wrong) forget();
    return err(wrong);
  }
  const unfit = notChecked(method, upload, () => writeRecord('upload', upload));
  if (unfit) {
    if ('InvalidPack' in unfit) forget();
    return err(unfit);
  }
  const { blocks, bytes, sha256, checked } = upload;
  const stored: StoredPack = { blocks, bytes, sha256, name: readHead(upload).name, checked };
  keepPack(stored);
  forget();
  return { Ok: stored };
}

/** A pack that is stored already; an earlier version may not have checked it. */
function storeKnown(method: string, { sha256 }: Upload): { Ok: StoredPack } | { Err: UploadError } {
  const found = checkedPack(method, sha256);
  if ('Ok' in found) forget();
  return found;
}

/** Why an upload is not whole, or not yet known to be; from its last hash on nothing in it changes. */
function notHashed(method: string, upload: Upload): UploadError | undefined {
  const count = chunkCount(upload.bytes);
  if (upload.hashed === count) return undefined;
  const missing: number[] = [];
  for (const { first, last } of upload.missing)
    for (let i = first; i <= last && missing.length < 100; i++) missing.push(i);
  if (missing.length > 0)
    return {
      Incomplete: {
        missing: Uint32Array.from(missing),
        message: `${method}: expected ${count} chunks, some are missing`,
      },
    };
  hashOn(upload);
  writeRecord('upload', upload);
  if (upload.hashed < count - 1) {
    const message = `${method}: ${upload.hashed} of ${count} chunks are hashed; call again to go on`;
    return { Incomplete: { missing: new Uint32Array(), message } };
  }
  const last = readChunk(upload, count - 1).subarray(HEADER_BYTES);
  const found = hex(hasher().digest(hashState(upload), last));
  if (found !== upload.sha256)
    return { WrongHash: `${method}: expected SHA-256 ${upload.sha256}, got ${found}; upload the pack again` };
  upload.hashed = count;
  writeRecord('upload', upload);
  return undefined;
}

/** Ends the upload; its blocks are free unless they are a stored pack's. */
function forget(): void {
  writeRecord('upload', undefined);
}
