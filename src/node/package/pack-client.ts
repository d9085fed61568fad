/**
 * The client as a package: TypeScript's own output of src/client, one module for each of its files, with types; packed
 * by npm.
 */
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { projectRoot } from '../build/project.ts';
import { runNode } from '../build/run.ts';
import { importCompiled, npmPack } from './npm-pack.ts';

const source = join(projectRoot, 'src/client');

/** @returns the package's file, `build/stepwise-client-<version>.tgz` */
export const packClient = (): Promise<string> =>
  npmPack('client', async (folder) => {
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    await runNode('tsc', [tsc, '-p', source, '--outDir', folder], { cwd: projectRoot });
    await importCompiled(folder);
    for (const file of [join(source, 'package.json'), join(source, 'README.md'), join(projectRoot, 'LICENSE')])
      await cp(file, join(folder, basename(file)));
  });
