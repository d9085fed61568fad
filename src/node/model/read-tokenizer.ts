/** The tokenizer of a model on this machine: of a folder, or of a GGUF file, whose metadata has it. */
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Gguf } from '../../model/checkpoint/gguf.ts';
import { readGgufTokenizer } from '../../model/tokenizer/files/gguf-tokenizer.ts';
import type { PackTokenizer } from '../../model/tokenizer/pack-tokenizer.ts';
import { readTokenizer } from './model-folder.ts';

/**
 * Reads a tokenizer; undefined where there is none.
 * @throws Error naming the file that is missing or wrong
 */
export async function readModelTokenizer(path: string): Promise<PackTokenizer | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Error(`model: expected a folder or a GGUF file, got ${path}, which is not there`);
  return found.isDirectory() ? await readTokenizer(path, undefined) : await readGgufFile(path);
}

async function readGgufFile(path: string): Promise<PackTokenizer | undefined> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    };
    const { metadata } = await Gguf.open({ size, read }, basename(path));
    return readGgufTokenizer(metadata, basename(path));
  } finally {
    await file.close();
  }
}
