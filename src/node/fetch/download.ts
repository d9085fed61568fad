/**
 * Downloads one file: into `<file>.part`, on from where that ends, and only under its own name once size and hash are
 * those that were declared. Whatever the server does, what stands under the file's name is right.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { RemoteFile } from './hub.ts';
import { checkStatus, Final, type Patience, persist, StallTimer } from './request.ts';
import { authorized, type Credentials } from './token.ts';

/** How often a whole file with a wrong hash is fetched anew: once may be the line, twice is not. */
const MAX_WRONG_HASHES = 2;
/** As often, where a redirect leads to is refused. */
const MAX_REFUSALS = 2;

/** 403 from where a redirect led to. */
class Refused extends Final {}

/**
 * @param path where the file is to stand; its folder must exist
 * @param onBytes bytes that are there by now, each time that changes
 * @throws Error, Final saying what the server did, if it does not come right within the patience
 */
export async function download(
  url: string,
  file: RemoteFile,
  path: string,
  patience: Patience,
  onBytes: (bytes: number) => void = () => {},
  who?: Credentials,
): Promise<void> {
  if (await isComplete(file, path)) return onBytes(file.size);
  const part = `${path}.part`;
  let reached = 0;
  let wrongHashes = 0;
  let refusals = 0;
  await persist(
    patience,
    () => reached,
    async () => {
      const had = await sizeOf(part);
      if (had > file.size) await rm(part);
      reached = had > file.size ? 0 : had;
      onBytes(reached);
      if (reached < file.size || had === 0) {
        const noted = (bytes: number) => {
          reached = bytes;
          onBytes(bytes);
        };
        const headers = authorized(url, {}, who);
        await append({ url, headers, stallMs: patience.stallMs }, part, reached, file.size, noted).catch((error) => {
          // a signed address that a redirect led to may have run out: the next attempt gets a fresh one
          if (error instanceof Refused && ++refusals < MAX_REFUSALS) throw new Error(error.message);
          throw error;
        });
      }
      const found = await hashOf(file, part);
      if (found !== file.hash.hex) {
        await rm(part);
        reached = 0;
        const message = `${url}: expected ${file.hash.algorithm} ${file.hash.hex}, got ${found}`;
        throw ++wrongHashes < MAX_WRONG_HASHES
          ? new Error(message)
          : new Final(`${message}, twice; nothing was kept of it`);
      }
    },
  );
  await rename(part, path);
}

/** Whether the file stands at `path` with the size and hash it should have. */
export async function isComplete(file: RemoteFile, path: string): Promise<boolean> {
  return (await exists(path)) && (await sizeOf(path)) === file.size && (await hashOf(file, path)) === file.hash.hex;
}

/** Asks for the file from byte `from` on and appends what comes to `part`, up to `size` bytes in all. */
async function append(
  { url, headers: own, stallMs }: { url: string; headers: Record<string, string>; stallMs: number },
  part: string,
  from: number,
  size: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const timer = new StallTimer(url, stallMs);
  let out: FileHandle | undefined;
  try {
    // Not compressed: sizes and ranges are those of the file itself.
    const headers: Record<string, string> = { ...own, 'accept-encoding': 'identity' };
    if (from > 0) headers['range'] = `bytes=${from}-`;
    const response = await fetch(url, { signal: timer.signal, headers });
    const discard = async () => {
      await rm(part, { force: true });
      onBytes(0);
    };
    if (response.status === 416) {
      await discard();
      throw new Error(`${url}: expected bytes from ${from} on, got 416 (no such range)`);
    }
    if (response.status === 403 && response.redirected) {
      throw new Refused(`${url}: expected ${from > 0 ? 206 : 200}, got 403 from where it was redirected to`);
    }
    checkStatus(response, url, from > 0 ? [206, 200] : [200]);
    // A server that knows no ranges sends the whole file again.
    let at = response.status === 206 ? startOfRange(response, url, from) : 0;
    out = await open(part, at > 0 ? 'r+' : 'w');
    for await (const chunk of bytesOf(response)) {
      timer.heard();
      if (at + chunk.length > size) {
        await discard();
        throw new Error(`${url}: expected ${size} bytes, got more`);
      }
      await out.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      onBytes(at);
    }
    if (at < size) throw new Error(`${url}: expected ${size} bytes, got ${at}`);
    await out.sync();
  } finally {
    timer.stop();
    await out?.close();
  }
}

/** The body's chunks; it is asynchronously iterable in Node, which the web's types do not say. */
const bytesOf = (response: Response): AsyncIterable<Uint8Array> =>
  (response.body ?? new Blob([]).stream()) as unknown as AsyncIterable<Uint8Array>;

function startOfRange(response: Response, url: string, from: number): number {
  const range = response.headers.get('content-range') ?? '';
  if (Number(/^bytes (\d+)-/.exec(range)?.[1] ?? Number.NaN) !== from) {
    throw new Error(`${url}: expected bytes from ${from} on, got content-range ${JSON.stringify(range)}`);
  }
  return from;
}

async function hashOf({ hash, size }: RemoteFile, path: string): Promise<string> {
  let hasher: Hash;
  if (hash.algorithm === 'sha256') hasher = createHash('sha256');
  else hasher = createHash('sha1').update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path)) hasher.update(chunk as Uint8Array);
  return hasher.digest('hex');
}

async function sizeOf(path: string): Promise<number> {
  return (await exists(path)) ? (await stat(path)).size : 0;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
