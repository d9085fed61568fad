/**
 * Uploading a pack: the canister is asked what it lacks, gets that, and is asked again, until it lacks nothing. So an
 * upload that was broken off goes on where it was, and nothing is sent twice without need.
 */

import { hex } from '../../interface/hex.ts';
import type { _SERVICE } from '../../interface/llm.did.ts';
import { unwrap } from '../errors.ts';
import { mayPass } from '../patience.ts';
import { sha256Of } from '../sha256.ts';
import { sleep } from '../wait.ts';
import { uploadError } from './upload-errors.ts';

/** A pack that need not be in memory as a whole. */
export interface PackSource {
  bytes: number;
  /** Of the whole file, in hexadecimal. */
  sha256: string;
  /** The `length` bytes at `offset`. */
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>;
}

export interface UploadProgress {
  /** Bytes that the canister has, those of an earlier upload included. */
  uploaded: number;
  /** Bytes of the pack. */
  bytes: number;
}

export interface UploadOptions {
  onProgress?: (progress: UploadProgress) => void;
  /** How often a call is tried again that got lost; default: 5. */
  retries?: number;
  /** Chunks on their way at once; default: 4. */
  parallel?: number;
  /** Before a call is tried again, in milliseconds; twice as long each time, 8,000 at most; default: 500. */
  pause?: number;
  signal?: AbortSignal;
}

/** The canister names at most so many missing chunks at a time; from the last one named on, all may be missing. */
const NAMED_AT_ONCE = 100;

/** @throws UploadError where the canister refuses; AgentError where a call got lost more often than `retries` */
export async function uploadPack(
  actor: _SERVICE,
  pack: PackSource | Uint8Array,
  options: UploadOptions,
): Promise<void> {
  const { onProgress = () => {}, retries = 5, parallel = 4, pause = 500, signal } = options;
  const source = pack instanceof Uint8Array ? await fromBytes(pack) : pack;
  const { bytes, sha256 } = source;
  const send = <T>(call: () => Promise<T>): Promise<T> => withRetries(call, retries, pause, signal);

  const isActive = async () => (await send(() => actor.model_info()))[0]?.sha256 === sha256;
  const isThere = async (index: number): Promise<boolean> => {
    const [status] = await actor.upload_status();
    return status !== undefined && !status.missing.some(({ first, last }) => first <= index && index <= last);
  };
  const done = () => onProgress({ uploaded: bytes, bytes });

  if (await isActive()) return done();
  const plan = unwrap(await send(() => actor.upload_start(BigInt(bytes), sha256)), uploadError);
  const { chunk_bytes: chunkBytes, chunks } = plan;
  for (;;) {
    const committed = await send(() => actor.upload_commit());
    // a commit whose answer was lost has ended the upload
    if ('Ok' in committed || ('NotStarted' in committed.Err && (await isActive()))) return done();
    if (!('Incomplete' in committed.Err)) throw uploadError(committed.Err);
    const missing = Array.from(committed.Err.Incomplete.missing);
    const unnamed = missing.length < NAMED_AT_ONCE ? 0 : chunks - 1 - missing.at(-1)!;
    let uploaded = Math.max(bytes - (missing.length + unnamed) * chunkBytes, 0);
    onProgress({ uploaded, bytes });
    await inParallel(parallel, missing, async (index) => {
      const offset = index * chunkBytes;
      const chunk = await source.read(offset, Math.min(chunkBytes, bytes - offset));
      const digest = hex(await sha256Of(chunk));
      let sent = false;
      const sendChunk = async () => {
        // where only the answer was lost, the canister has it
        if (sent && (await isThere(index))) return { Ok: null };
        sent = true;
        return actor.upload_chunk(index, chunk, [digest]);
      };
      unwrap(await send(sendChunk), uploadError);
      uploaded = Math.min(uploaded + chunkBytes, bytes);
      onProgress({ uploaded, bytes });
    });
  }
}

async function fromBytes(pack: Uint8Array): Promise<PackSource> {
  return {
    bytes: pack.length,
    sha256: hex(await sha256Of(pack)),
    read: (offset, length) => pack.subarray(offset, offset + length),
  };
}

/** Calls of an upload may be repeated. */
async function withRetries<T>(
  call: () => Promise<T>,
  retries: number,
  pause: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let tried = 0; ; tried++) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!mayPass(error) || tried >= retries) throw error;
      await sleep(Math.min(pause * 2 ** tried, 8_000), signal);
    }
  }
}

/** Runs `work` on all items, `width` at a time; ends with the first error. */
async function inParallel<T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let broken = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !broken) {
      try {
        await work(items[next++]!);
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}
