/**
 * Doing work only when its inputs changed: by content, not by date, so that a fresh clone, a branch switch and a copied
 * folder all behave. A stamp file keeps the hash of what went in and of what came out; a lock keeps two processes from
 * writing the same outputs. Not a build system: each caller knows its own inputs.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** `entry` and every file it reaches by relative imports, TypeScript's with extension and AssemblyScript's without. */
export async function reachable(entry: string): Promise<string[]> {
  const found = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (found.has(file)) return;
    found.add(file);
    if (!file.endsWith('.ts')) return;
    for (const [, specifier] of (await readFile(file, 'utf8')).matchAll(
      /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g,
    )) {
      const target = resolve(dirname(file), specifier);
      const imported = [target, `${target}.ts`, join(target, 'index.ts')].find(
        (path) => /\.\w+$/.test(path) && existsSync(path),
      );
      if (imported !== undefined) await visit(imported);
    }
  };
  await visit(resolve(entry));
  return [...found].sort();
}

/** One hash for the contents of `files` (their names relative to `root`) and `settings`. */
async function hashInputs(root: string, files: readonly string[], settings: string): Promise<string> {
  const lines = await Promise.all(files.map(async (file) => `${relative(root, file)} ${sha256(await readFile(file))}`));
  return sha256([settings, ...lines].join('\n'));
}

async function hashOutputs(files: readonly string[]): Promise<string | undefined> {
  if (!files.every((file) => existsSync(file))) return undefined;
  return sha256((await Promise.all(files.map(async (file) => sha256(await readFile(file))))).join());
}

export interface Work {
  /** Folder that input names are relative to: the same work in two folders has the same stamp. */
  root: string;
  inputs: readonly string[];
  /** What else decides the outputs: options, versions. */
  settings: string;
  outputs: readonly string[];
  /** File that remembers the last run; beside it lies the lock while work is done. */
  stamp: string;
  force?: boolean;
}

/**
 * Runs `make` unless the stamp says that `outputs` came from these very inputs and are still as they were made.
 * @returns whether `make` ran
 */
export async function incrementally(work: Work, make: () => Promise<void>): Promise<boolean> {
  await mkdir(dirname(work.stamp), { recursive: true });
  return await exclusively(`${work.stamp}.lock`, async () => {
    const inputs = await hashInputs(work.root, work.inputs, work.settings);
    const last = await readFile(work.stamp, 'utf8').catch(() => '');
    if (!work.force && last === `${inputs} ${await hashOutputs(work.outputs)}\n`) return false;
    await rm(work.stamp, { force: true });
    await make();
    await writeFile(work.stamp, `${inputs} ${await hashOutputs(work.outputs)}\n`);
    return true;
  });
}

/** A name beside `path` that nobody else writes to: no other process, and no other thread of this one. */
export const beside = (path: string): string => `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;

/** Runs `work` while no other process holds `lockFile`; the lock of a process that is gone is taken over. */
export async function exclusively<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const mine = beside(lockFile);
  await writeFile(mine, String(process.pid));
  try {
    // A link appears with its content at once: nobody reads a lock without its holder.
    while (!(await link(mine, lockFile).then(() => true, isTaken))) {
      const holder = Number(await readFile(lockFile, 'utf8').catch(() => process.pid));
      if (isRunning(holder)) await sleep(100);
      else await rm(lockFile, { force: true });
    }
    try {
      return await work();
    } finally {
      await rm(lockFile, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

function isTaken(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false;
  throw error;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
