/** The client as a package: TypeScript's own output of src/client, one module for each of its files, with types; packed by npm. */
import { execFile } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../build/project.ts';
import { runNode } from '../build/run.ts';

/** @returns the package's file, `build/stepwise-client-<version>.tgz` */
export async function packClient(): Promise<string> {
  const source = join(projectRoot, 'src/client');
  const folder = join(projectRoot, 'build/client');
  await rm(folder, { recursive: true, force: true });
  await runNode('tsc', [createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', source], {
    cwd: projectRoot,
  });
  await importCompiled(folder);
  for (const file of [join(source, 'package.json'), join(source, 'README.md'), join(projectRoot, 'LICENSE')])
    await cp(file, join(folder, basename(file)));
  const { stdout } = await promisify(execFile)('npm', ['pack', '--json', '--pack-destination', '..'], { cwd: folder });
  const [{ filename }] = JSON.parse(stdout);
  return join(projectRoot, 'build', filename);
}

/** In declarations, TypeScript leaves the names that files have as sources; not every version reads them so. */
async function importCompiled(folder: string): Promise<void> {
  for (const name of (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.d.ts'))) {
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(join(folder, name), text.replace(/( from '\.{1,2}\/[^']+)\.ts'/g, "$1.js'"));
  }
}
