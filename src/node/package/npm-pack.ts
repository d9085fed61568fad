/** What packing any of this project's packages takes. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../build/project.ts';

/**
 * Packs what `write` puts into a fresh folder, by npm.
 * @param name what the folder is called, for people
 * @returns the package's file, `build/<name in package.json>-<version>.tgz`
 */
export async function npmPack(name: string, write: (folder: string) => Promise<void>): Promise<string> {
  const target = join(projectRoot, 'build');
  await mkdir(target, { recursive: true });
  // a folder for each run, as two may pack at once; and not left to npm's `prepack`, as .npmrc has ignore-scripts
  const folder = await mkdtemp(join(target, `${name}-`));
  try {
    await write(folder);
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', target];
    const { stdout } = await promisify(execFile)('npm', pack, { cwd: folder });
    const [{ filename }] = JSON.parse(stdout);
    return join(target, filename);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** TypeScript leaves the sources' names in declarations; not every version of it reads them so. */
export async function importCompiled(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(join(folder, name), text.replace(/(["'])(\.\.?\/[^"'\n]+)\.ts\1/g, '$1$2.js$1'));
  }
}
