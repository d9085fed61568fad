/** The metadata of a GGUF file on disk. */
import { open } from 'node:fs/promises';
import { Gguf } from '../../src/model/checkpoint/gguf.ts';

export async function ggufMetadata(path: string): Promise<Gguf['metadata']> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const read = async (offset: number, length: number) =>
      (await handle.read(new Uint8Array(length), 0, length, offset)).buffer;
    return (await Gguf.open({ size, read }, path)).metadata;
  } finally {
    await handle.close();
  }
}
