/**
 * An example copied out of the tree, without a network: its vendored packages unpacked, all others this project's own.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/node/build/project.ts';

const run = promisify(execFile);
const MADE = /(^|\/)(node_modules|build|\.azle)$/;

/** @returns a folder with a copy of the example, ready to build; remove it when done */
export async function copiedOut(example: string): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), `stepwise-${example}-`)));
  await cp(join(projectRoot, 'examples', example), folder, { recursive: true, filter: (file) => !MADE.test(file) });
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const vendored = Object.entries<string>({ ...dependencies, ...devDependencies }).filter(([, where]) =>
    where.startsWith('file:'),
  );
  const modules = join(folder, 'node_modules');
  await mkdir(modules);
  for (const name of await readdir(join(projectRoot, 'node_modules'))) {
    if (vendored.some(([own]) => own === name)) continue;
    await symlink(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  for (const [name, where] of vendored) {
    await mkdir(join(modules, name));
    await run('tar', ['xzf', join(folder, where.slice(5)), '--strip-components=1', '-C', join(modules, name)]);
  }
  return folder;
}
