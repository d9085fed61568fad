/** Uploading a pack file with its progress shown; the file is read where and when a chunk is needed. */
import { open } from 'node:fs/promises';
import type { Client } from '../../client/index.ts';
import { showProgress } from '../terminal/terminal.ts';
import type { PackFile } from './model-folder.ts';

/** @throws what `Client.uploadPack` throws */
export async function uploadWithProgress(client: Client, pack: PackFile, retries?: number): Promise<void> {
  const { path, bytes, sha256, head } = pack;
  const file = await open(path);
  const progress = showProgress(`Uploading ${head.name}, ${head.weights}`, bytes);
  try {
    const read = async (offset: number, length: number): Promise<Uint8Array> =>
      (await file.read(new Uint8Array(length), 0, length, offset)).buffer;
    await client.uploadPack(
      { bytes, sha256, read },
      { retries, onProgress: ({ uploaded }) => progress.update(uploaded) },
    );
  } finally {
    progress.stop();
    await file.close();
  }
}
