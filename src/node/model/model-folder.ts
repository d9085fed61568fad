/**
 * Models on this machine, folders as Hugging Face has them and GGUF files: opened, and made into packs that are kept in
 * build/packs/ until the model or the converter changes.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { GenerationConfig } from '../../model/checkpoint/generation-config.ts';
import type { Source } from '../../model/checkpoint/tensor-file.ts';
import type { Folder } from '../../model/checkpoint/weights.ts';
import { type Checkpoint, openCheckpoint, openGgufCheckpoint } from '../../model/families/checkpoint.ts';
import { convert } from '../../model/pack/convert.ts';
import { decodePackHead, type OpenedHead, PACK_VERSION, packHeadBytes } from '../../model/pack/pack.ts';
import type { WeightsKind } from '../../model/tensor-table.ts';
import {
  readFolderTokenizer,
  TOKENIZER_FILES,
  type TokenizerFiles,
} from '../../model/tokenizer/files/folder-tokenizer.ts';
import { readGgufTokenizer } from '../../model/tokenizer/files/gguf-tokenizer.ts';
import type { PackTokenizer } from '../../model/tokenizer/pack-tokenizer.ts';
import { beside } from '../build/incremental.ts';
import { projectRoot } from '../build/project.ts';
import { fetchedId } from '../fetch/fetch-model.ts';

/** The files of a folder, read where and when they are asked for. */
export function localFolder(dir: string): Folder & { close(): Promise<void> } {
  const handles: Awaited<ReturnType<typeof open>>[] = [];
  return {
    async open(name: string): Promise<Source | undefined> {
      const handle = await open(join(dir, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw new Error(`model folder: expected to read ${join(dir, name)}, got ${error.message}`);
      });
      if (!handle) return undefined;
      handles.push(handle);
      return await sourceOf(handle);
    },
    close: async () => {
      await Promise.all(handles.splice(0).map((handle) => handle.close()));
    },
  };
}

async function sourceOf(handle: FileHandle): Promise<Source> {
  const { size } = await handle.stat();
  return {
    size,
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await handle.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    },
  };
}

/** A checkpoint, and its tokenizer where it has one. */
export interface LocalCheckpoint extends Checkpoint {
  /** Where a tokenizer is sought, for errors. */
  tokenizerIn: string;
  readTokenizer(): Promise<PackTokenizer | undefined>;
}

/**
 * Opens the checkpoint that is a folder or a GGUF file, hands it to `use`, and closes its files.
 * @throws Error where there is neither, or no model in it
 */
export async function withCheckpoint<T>(path: string, use: (checkpoint: LocalCheckpoint) => Promise<T>): Promise<T> {
  const found = await stat(path).catch(() => undefined);
  if (!found) {
    throw new Error(
      `model: expected a folder with config.json and model.safetensors, or a GGUF file, got ${path}, which is not there`,
    );
  }
  return found.isDirectory() ? await withFolder(path, use) : await withGguf(path, use);
}

async function withFolder<T>(dir: string, use: (checkpoint: LocalCheckpoint) => Promise<T>): Promise<T> {
  const folder = localFolder(dir);
  try {
    // a fetched model's folder is named after its revision
    const name = basename((await fetchedId(dir)) ?? resolve(dir));
    const checkpoint = await openCheckpoint(folder, name);
    const tokenizerIn = 'spiece.model or tokenizer.json in the folder';
    return await use({
      ...checkpoint,
      tokenizerIn,
      readTokenizer: () => readTokenizer(dir, checkpoint.config.vocabularySize),
    });
  } finally {
    await folder.close();
  }
}

async function withGguf<T>(file: string, use: (checkpoint: LocalCheckpoint) => Promise<T>): Promise<T> {
  const handle = await open(file);
  try {
    const where = basename(file);
    const { metadata, ...checkpoint } = await openGgufCheckpoint(await sourceOf(handle), where);
    const tokenizerIn = 'tokenizer.ggml.model in its metadata';
    return await use({ ...checkpoint, tokenizerIn, readTokenizer: async () => readGgufTokenizer(metadata, where) });
  } finally {
    await handle.close();
  }
}

/**
 * The tokenizer of a folder with what was added to it; undefined where the folder has none.
 * @param rows of the model's embedding
 */
export async function readTokenizer(dir: string, rows: number | undefined): Promise<PackTokenizer | undefined> {
  return readFolderTokenizer(await readTokenizerFiles(dir, TOKENIZER_FILES), rows);
}

/** Those of these files that a folder has. */
export async function readTokenizerFiles(
  dir: string,
  names: readonly (keyof TokenizerFiles)[],
): Promise<TokenizerFiles> {
  const files: TokenizerFiles = {};
  for (const name of names) {
    const bytes = await readFile(join(dir, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new Error(`model folder: expected to read ${join(dir, name)}, got ${error.message}`);
    });
    if (bytes) files[name] = new Uint8Array(bytes);
  }
  return files;
}

export interface PackFile {
  path: string;
  bytes: number;
  /** Of the whole file, lowercase hex. */
  sha256: string;
  head: OpenedHead;
}

/** What of a model's files is asked for by default and not applied, as a line for people; undefined where all is. */
export function notAppliedLine({ notApplied }: GenerationConfig, name: string): string | undefined {
  if (notApplied.length === 0) return undefined;
  return `${name}: its files ask for ${notApplied.join(', ')} by default, which is not applied here; answers may differ from transformers'`;
}

/** What a pack is made of and by: if this is the same, so is the pack. */
async function fingerprint(model: string, weights: WeightsKind): Promise<string> {
  const hash = createHash('sha256').update(`${PACK_VERSION} ${CONVERTER} ${weights} ${resolve(model)}`);
  // a GGUF file is all there is
  for (const name of ['', ...FILES]) {
    const info = await stat(join(model, name)).catch(() => undefined);
    if (info?.isFile()) hash.update(`${name} ${info.size} ${info.mtimeMs}`);
  }
  return hash.digest('hex').slice(0, 16);
}
/** Changes where the same folder makes another pack. */
const CONVERTER = 2;
const FILES = [
  'about.json',
  'config.json',
  'generation_config.json',
  'model.safetensors',
  'model.safetensors.index.json',
  ...TOKENIZER_FILES,
];

interface Packing {
  onProgress?: (done: number, all: number) => void;
}

/**
 * Makes a model's pack in build/packs/, or takes the one that is there.
 * @param model a folder or a GGUF file @throws Error naming the file that is missing or wrong
 */
export async function packFolder(model: string, weights: WeightsKind, packing: Packing = {}): Promise<PackFile> {
  return await withCheckpoint(model, async (checkpoint) => {
    const folder = join(projectRoot, 'build/packs');
    const named = checkpoint.name.replace(/[^\w.-]+/g, '-');
    const path = join(folder, `${named}-${weights}-${await fingerprint(model, weights)}.pack`);
    if (!(await stat(path).catch(() => undefined))) {
      await mkdir(folder, { recursive: true });
      await writePack(checkpoint, model, weights, path, packing);
    }
    return await describePack(path);
  });
}

/**
 * Makes a model's pack at a place of its own.
 * @param model a folder or a GGUF file
 * @throws Error naming the file that is missing or wrong
 */
export async function packTo(
  model: string,
  weights: WeightsKind,
  path: string,
  packing: Packing = {},
): Promise<PackFile> {
  await withCheckpoint(model, (checkpoint) => writePack(checkpoint, model, weights, path, packing));
  return await describePack(path);
}

async function writePack(
  checkpoint: LocalCheckpoint,
  model: string,
  weights: WeightsKind,
  path: string,
  { onProgress = () => {} }: Packing,
): Promise<void> {
  const tokenizer = await checkpoint.readTokenizer();
  if (!tokenizer) throw new Error(`${model}: expected ${checkpoint.tokenizerIn}, got none`);
  // written beside, then renamed: a conversion that breaks off leaves no half pack
  const partial = `${beside(path)}.partial`;
  const file = await open(partial, 'w');
  try {
    const sink = {
      write: async (at: number, bytes: Uint8Array) => void (await file.write(bytes, 0, bytes.length, at)),
    };
    const { tables, ...inHead } = tokenizer;
    await convert(checkpoint, weights, tables, sink, createHash('sha256'), onProgress, inHead);
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
}

/** What a pack that is there is. @throws Error for one that is none */
export async function describePack(path: string): Promise<PackFile> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256');
    const piece = new Uint8Array(1 << 20);
    let head: OpenedHead | undefined;
    for (let at = 0; at < size; at += piece.length) {
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (at === 0) head = decodePackHead(piece.subarray(0, packHeadBytes(piece.subarray(0, bytesRead))), size);
      hash.update(piece.subarray(0, bytesRead));
    }
    return { path, bytes: size, sha256: hash.digest('hex'), head: head! };
  } finally {
    await file.close();
  }
}
