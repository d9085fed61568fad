/** The replica as a package: what its own `build.js` makes of packages/replica, packed by npm. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../build/project.ts';
import { runNode } from '../build/run.ts';
import { npmPack } from './npm-pack.ts';

const source = join(projectRoot, 'packages/replica');

/** @returns the package's file, `build/stepwise-replica-<version>.tgz` */
export const packReplica = (): Promise<string> =>
  npmPack('replica', async (folder) => {
    await runNode('build of the replica', [join(source, 'build.js'), join(folder, 'dist')], { cwd: source });
    for (const file of ['package.json', 'README.md', 'LICENSE']) await cp(join(source, file), join(folder, file));
  });
