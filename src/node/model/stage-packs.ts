/** A model's pack cut into the packs of its stages, which are kept beside it. */
import { createHash } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { cutOf, cutStage } from '../../model/pack/cut.ts';
import { beside } from '../build/incremental.ts';
import { describePack, type PackFile } from './model-folder.ts';

/**
 * Cuts a pack, or takes what was cut before.
 * @throws RangeError where the model has too few layers
 */
export async function stagePacks(pack: PackFile, stages: number): Promise<PackFile[]> {
  const parts = cutOf(pack.head, stages);
  const packs: PackFile[] = [];
  for (let i = 0; i < stages; i++) {
    const path = pack.path.replace(/(\.pack)?$/, `-stage-${i + 1}-of-${stages}.pack`);
    const there = (await stat(path).catch(() => undefined)) ? await describePack(path) : undefined;
    const { stage } = there?.head ?? {};
    const isSame = stage?.model === pack.head.sha256 && JSON.stringify(stage.parts) === JSON.stringify(parts);
    if (!isSame) await writeStage(pack, parts, i, path);
    packs.push(there && isSame ? there : await describePack(path));
  }
  return packs;
}

async function writeStage(pack: PackFile, parts: ReturnType<typeof cutOf>, index: number, path: string): Promise<void> {
  const partial = `${beside(path)}.partial`;
  const [from, to] = [await open(pack.path), await open(partial, 'w')];
  try {
    const read = async (offset: number, bytes: number): Promise<Uint8Array> =>
      (await from.read(new Uint8Array(bytes), 0, bytes, offset)).buffer;
    const write = async (at: number, bytes: Uint8Array): Promise<void> =>
      void (await to.write(bytes, 0, bytes.length, at));
    await cutStage(pack.head, parts, index, read, { write }, createHash('sha256'));
    await to.close();
    await rename(partial, path);
  } catch (error) {
    await to.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  } finally {
    await from.close();
  }
}
