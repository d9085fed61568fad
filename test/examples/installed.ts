/**
 * A project outside the tree with the packed client installed, and no network: what the client needs is packed from
 * this project's own installation.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/node/build/project.ts';
import { packClient } from '../../src/node/package/pack-client.ts';

const run = promisify(execFile);
/** The client's peers, and theirs and their dependencies. */
const NEEDED = ['agent', 'candid', 'principal', 'cbor']
  .map((name) => `@dfinity/${name}`)
  .concat('@noble/curves', '@noble/hashes');

/** @returns a folder with copies of the examples, each with the client installed by npm; remove it when done */
export async function installed(examples: readonly string[]): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'stepwise-client-')));
  const client = await packClient();
  const paths = NEEDED.map((name) => `./node_modules/${name}`);
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...paths], {
    cwd: projectRoot,
  });
  const packed: { filename: string }[] = JSON.parse(stdout);
  const files = [client, ...packed.map(({ filename }) => join(folder, filename))];
  const install = async (example: string) => {
    const cwd = join(folder, example);
    await cp(join(projectRoot, 'examples', example), cwd, { recursive: true });
    await withoutTools(join(cwd, 'package.json'));
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...files], { cwd });
  };
  await Promise.all(examples.map(install));
  return folder;
}

/** Its development tools cannot be installed without a network: tests run this project's. */
async function withoutTools(file: string): Promise<void> {
  const { devDependencies: _, ...rest } = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify(rest));
}
