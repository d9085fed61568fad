/**
 * Packages of this repository that lie in examples as files, so that a copied folder is whole: keeping them as this
 * repository has them.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../build/project.ts';

/** A packed file's contents, by name: two versions of npm may pack the same differently. */
export async function contentsOf(tgz: string): Promise<Map<string, string>> {
  const run = promisify(execFile);
  const { stdout } = await run('tar', ['tzf', tgz]);
  const names = stdout.trim().split('\n').sort();
  const hashOf = async (name: string): Promise<string> => {
    const options = { encoding: 'buffer', maxBuffer: 1 << 26 } as const;
    const file = await run('tar', ['xzOf', tgz, name], options);
    return createHash('sha256').update(file.stdout).digest('hex');
  };
  return new Map(await Promise.all(names.map(async (name) => [name, await hashOf(name)] as const)));
}

/**
 * Copies the packed file to every example that has one of its name, with its hash in the example's lock file.
 * @returns the examples that changed
 */
export async function vendor(tgz: string): Promise<string[]> {
  const file = basename(tgz);
  const bytes = await readFile(tgz);
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  const changed: string[] = [];
  for (const example of await readdir(join(projectRoot, 'examples'))) {
    const folder = join(projectRoot, 'examples', example);
    const old = await readFile(join(folder, 'vendor', file)).catch(() => undefined);
    if (!old || bytes.equals(old)) continue;
    await copyFile(tgz, join(folder, 'vendor', file));
    const lock = join(folder, 'package-lock.json');
    const { packages, ...rest } = JSON.parse(await readFile(lock, 'utf8'));
    for (const entry of Object.values<{ resolved?: string; integrity?: string }>(packages))
      if (entry.resolved === `file:vendor/${file}`) entry.integrity = integrity;
    await writeFile(lock, `${JSON.stringify({ ...rest, packages }, null, 2)}\n`);
    changed.push(example);
  }
  return changed;
}
