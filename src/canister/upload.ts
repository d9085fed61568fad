/**
 * Taking a pack in: chunks in any order, each as often as one likes; their SHA-256 is worked out as they come, and the pack becomes the model only
 * if hash and head are right. Controllers only.
 */
import { IDL, update } from 'azle';
import { HEADER_BYTES } from '../tensor/assembly/protocol.ts';
import type { HashState } from '../tensor/sha256.ts';
import { notAdmin } from './access.ts';
import { hex } from './bytes.ts';
import { type UploadError, UploadResult, UploadStartResult } from './candid.ts';
import { activate, CHUNK_BYTES, chunkCount, readHead, removePack, type StoredPack } from './model.ts';
import { finishAll } from './scheduler.ts';
import { hasChunk, readChunk, readRecord, writeChunk, writeRecord } from './stable.ts';
import { instructionsNow, MESSAGE_BUDGET, sha256 } from './unit.ts';

/** More than flan-t5-xl in int8, and what a 32-bit heap could hold at the very most. */
const MAX_PACK_BYTES = 3 * 2 ** 30;

interface Upload extends StoredPack {
  /** Chunks from the first on that the hash has taken, and what it has come to. */
  hashed: number;
  words: number[];
}

const err = (error: UploadError): { Err: UploadError } => ({ Err: error });

function notController(method: string): UploadError | undefined {
  const denied = notAdmin(method);
  return denied === undefined ? undefined : { NotController: denied };
}

function hashState({ hashed, words }: Upload): HashState {
  return { words: Uint32Array.from(words), bytes: hashed * CHUNK_BYTES };
}

/** Takes into the hash what follows without a gap, but the last chunk, which the digest ends with. */
function hashOn(upload: Upload): void {
  const last = chunkCount(upload.bytes) - 1;
  while (upload.hashed < last && instructionsNow() < MESSAGE_BUDGET) {
    const chunk = readChunk(upload.pack, upload.hashed);
    if (!chunk) return;
    upload.words = Array.from(sha256().update(hashState(upload), chunk).words);
    upload.hashed += 1;
  }
}

export class UploadMethods {
  /** Begins an upload of so many bytes with this SHA-256 in hexadecimal, or goes on with the same one. Update; controllers; 1 M instructions. */
  @update([IDL.Nat64, IDL.Text], UploadStartResult)
  upload_start(bytes: bigint, hash: string): UploadStartResult {
    const denied = notController('upload_start');
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
    if (under) removePack(under);
    const pack = (readRecord<number>('packs') ?? 0) + 1;
    writeRecord('packs', pack);
    const words = Array.from(sha256().begin().words);
    writeRecord('upload', { pack, bytes: Number(bytes), sha256: wanted, hashed: 0, words } satisfies Upload);
    return { Ok: plan };
  }

  /** Takes chunk `index`. Update; controllers; about 95 instructions a byte, most of them for the hash. A trap leaves the chunk out. */
  @update([IDL.Nat32, IDL.Vec(IDL.Nat8)], UploadResult)
  upload_chunk(index: number, bytes: Uint8Array): UploadResult {
    const denied = notController('upload_chunk');
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
    writeChunk(upload.pack, index, bytes);
    hashOn(upload);
    writeRecord('upload', upload);
    return { Ok: null };
  }

  /** Makes the uploaded pack the model, if all of it is there and right; sessions of the old model end. Update; controllers. */
  @update([], UploadResult)
  upload_commit(): UploadResult {
    const denied = notController('upload_commit');
    if (denied) return err(denied);
    const upload = readRecord<Upload>('upload');
    if (!upload) return err({ NotStarted: 'upload_commit: no upload under way; call upload_start first' });
    const count = chunkCount(upload.bytes);
    const missing: number[] = [];
    for (let i = upload.hashed; i < count && missing.length < 100; i++) if (!hasChunk(upload.pack, i)) missing.push(i);
    if (missing.length > 0) {
      return err({ Incomplete: { missing, message: `upload_commit: expected ${count} chunks, some are missing` } });
    }
    hashOn(upload);
    writeRecord('upload', upload);
    if (upload.hashed < count - 1) {
      const message = `upload_commit: ${upload.hashed} of ${count} chunks are hashed; call again to go on`;
      return err({ Incomplete: { missing: [], message } });
    }
    const last = readChunk(upload.pack, count - 1)!.slice(HEADER_BYTES);
    const found = hex(sha256().digest(hashState(upload), last));
    if (found !== upload.sha256) {
      this.discard(upload);
      return err({
        WrongHash: `upload_commit: expected SHA-256 ${upload.sha256}, got ${found}; upload the pack again`,
      });
    }
    const stored: StoredPack = { pack: upload.pack, bytes: upload.bytes, sha256: upload.sha256 };
    try {
      readHead(stored);
    } catch (error) {
      this.discard(upload);
      return err({ InvalidPack: `upload_commit: ${(error as Error).message}` });
    }
    finishAll('the model was replaced');
    activate(stored);
    writeRecord('upload', undefined);
    return { Ok: null };
  }

  private discard(upload: Upload): void {
    removePack(upload);
    writeRecord('upload', undefined);
  }
}
