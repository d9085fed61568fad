/** The replica as a package: what its own `build.js` makes of packages/replica, packed by npm. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../build/project.ts';
import { runNode } from '../build/run.ts';

/** @returns the package's file, `build/stepwise-replica-<version>.tgz` */
export async function packReplica(): Promise<string> {
  const source = join(projectRoot, 'packages/replica');
  const target = join(projectRoot, 'build');
  await mkdir(target, { recursive: true });
  // a folder for each run, as two may pack at once; and not left to npm's `prepack`, as .npmrc has ignore-scripts
  const folder = await mkdtemp(join(target, 'replica-'));
  try {
    await runNode('build of the replica', [join(source, 'build.js'), join(folder, 'dist')], { cwd: source });
    for (const file of ['package.json', 'README.md', 'LICENSE']) await cp(join(source, file), join(folder, file));
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', target];
    const { stdout } = await promisify(execFile)('npm', pack, { cwd: folder });
    const [{ filename }] = JSON.parse(stdout);
    return join(target, filename);
  } finally {
    await rm(folder, { recursive: true });
  }
}
