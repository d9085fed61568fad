// The tensors of a model folder, be they in one safetensors file or in shards that an index lists.
// Source: Hugging Face, `model.safetensors` and `model.safetensors.index.json` (weight_map).

import { Fields, parseJson, show } from '../json/json.ts';
import { Safetensors } from './safetensors.ts';
import type { Source, TensorInfo } from './tensor-file.ts';

/** A folder's files by name; `undefined` for a file that is not there. */
export interface Folder {
  open(name: string): Source | undefined | Promise<Source | undefined>;
}

export const WEIGHTS_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/** Tensors of one or several files. */
export interface Weights {
  where: string;
  tensors: ReadonlyMap<string, TensorInfo>;
  read(name: string): Promise<Float32Array<ArrayBuffer>>;
  readBytes(name: string): Promise<Uint8Array>;
}

/**
 * Opens a folder's weights.
 * @param spare names that an index and its shards need not agree on: tensors of which copies may be stored, or that
 * nobody reads.
 * @throws Error if there are none; what Safetensors throws if they are broken.
 */
export async function openWeights(folder: Folder, spare: ReadonlySet<string>): Promise<Weights> {
  const single = await folder.open(WEIGHTS_FILE);
  if (single !== undefined) return await Safetensors.open(single, WEIGHTS_FILE);
  const index = await folder.open(INDEX_FILE);
  if (index === undefined) {
    throw new Error(
      `model folder: expected ${WEIGHTS_FILE} or ${INDEX_FILE}, got neither; a pytorch_model.bin must be saved as safetensors first`,
    );
  }
  return await openShards(folder, spare, parseJson(INDEX_FILE, await readAll(index)));
}

/** All of a small file. @throws RangeError if it has more than 64 MiB. */
export async function readAll(source: Source): Promise<Uint8Array> {
  const most = 64 << 20;
  if (source.size > most)
    throw new RangeError(`model folder: expected a file of at most ${most} bytes, got ${source.size}`);
  return await source.read(0, source.size);
}

/**
 * The shards' tensors. An index may name spare tensors that no shard has, and shards may have some that it does not
 * name, as transformers saved them. Which tensors there have to be is the family's check, as for a single file.
 */
async function openShards(folder: Folder, spare: ReadonlySet<string>, json: unknown): Promise<Weights> {
  const map: Fields = new Fields(`${INDEX_FILE}: weight_map`, new Fields(INDEX_FILE, json).get('weight_map'));
  const shardOf = new Map(map.names().map((name) => [name, map.string(name)]));
  const shards = new Map<string, Safetensors>();
  for (const file of new Set(shardOf.values())) {
    // A name with a path in it would read outside the folder.
    if (!/^[\w-][\w.-]*\.safetensors$/.test(file))
      map.wrong(Error, 'a shard', 'a plain name ending in .safetensors', file);
    const source = await folder.open(file);
    if (source === undefined) throw new Error(`${INDEX_FILE}: expected the shard ${file} in the folder, got none`);
    shards.set(file, await Safetensors.open(source, file));
  }

  const tensors = new Map<string, TensorInfo>();
  for (const [name, file] of shardOf) {
    const info = shards.get(file)!.tensors.get(name);
    if (info !== undefined) tensors.set(name, info);
    else if (!spare.has(name)) map.wrong(Error, name, `a shard that has it`, file);
  }
  for (const [file, shard] of shards) {
    for (const [name, info] of shard.tensors) {
      if (tensors.get(name) === info || (spare.has(name) && shardOf.get(name) !== file && tensors.has(name))) continue;
      if (!spare.has(name)) {
        throw new Error(`${INDEX_FILE}: expected tensor "${name}" of ${file} in it, got ${show(shardOf.get(name))}`);
      }
      shardOf.set(name, file);
      tensors.set(name, info);
    }
  }
  const shard = (name: string): Safetensors => {
    const file = shardOf.get(name);
    if (file === undefined) throw new Error(`${INDEX_FILE}: expected a tensor "${name}", got none of that name`);
    return shards.get(file)!;
  };
  return {
    where: INDEX_FILE,
    tensors,
    read: (name) => shard(name).read(name),
    readBytes: (name) => shard(name).readBytes(name),
  };
}
