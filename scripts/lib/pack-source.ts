/** A pack file as the client uploads it: read where and when a chunk is needed. */
import { open } from 'node:fs/promises';
import type { PackSource } from '../../src/client/index.ts';

/** Hands the pack to `use`, then closes the file. */
export async function withPackSource<T>(
  { path, bytes, sha256 }: { path: string; bytes: number; sha256: string },
  use: (pack: PackSource) => Promise<T>,
): Promise<T> {
  const file = await open(path);
  try {
    return await use({
      bytes,
      sha256,
      read: async (offset, length) => {
        const { buffer } = await file.read(new Uint8Array(length), 0, length, offset);
        return buffer;
      },
    });
  } finally {
    await file.close();
  }
}
