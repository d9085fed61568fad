/**
 * `npm run release`: one folder, build/release/stepwise-<version>/, with all that others need who have no clone: the
 * canister's module and Candid file, a pack of little-flan, the client and the replica as packages, the notes of this
 * version, and the SHA-256 of each. The same sources, Node and npm give the same bytes.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { buildCanister } from '../src/node/build/canister.ts';
import { projectRoot } from '../src/node/build/project.ts';
import { packFolder } from '../src/node/model/model-folder.ts';
import { packClient } from '../src/node/package/pack-client.ts';
import { packReplica } from '../src/node/package/pack-replica.ts';
import { notesOf } from '../src/node/package/release-notes.ts';
import { runCommand } from '../src/node/terminal/command.ts';

const program = new Command('npm run release --')
  .description(
    'Writes build/release/stepwise-<version>/: what a canister, its callers and their tests need, without a clone.',
  )
  .action(release);

async function release(): Promise<void> {
  const { version } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
  const folder = join(projectRoot, 'build/release', `stepwise-${version}`);
  const notes = notesOf(await readFile(join(projectRoot, 'CHANGELOG.md'), 'utf8'), version);
  const { gz, did } = await buildCanister('llm', { onProgress: (step) => console.log(`llm: ${step} …`) });
  const { path: pack } = await packFolder(join(projectRoot, 'models/little-flan'), 'int8');
  // what an earlier run left, of another version of npm perhaps, is no part of this one
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'llm.wasm.gz'), gz);
  await writeFile(join(folder, 'llm.did'), did);
  await writeFile(join(folder, 'NOTES.md'), notes);
  await copyFile(pack, join(folder, 'little-flan-int8.pack'));
  for (const file of [await packClient(), await packReplica()]) await copyFile(file, join(folder, basename(file)));
  await writeFile(join(folder, 'SHA256SUMS'), await sums(folder));
  console.log(await readFile(join(folder, 'SHA256SUMS'), 'utf8'));
  console.log(`${folder}\nsha256sum -c SHA256SUMS checks it; docs/deploy.md deploys from it.`);
}

/** As sha256sum writes and reads them, by name. */
async function sums(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name !== 'SHA256SUMS').sort();
  const lines = names.map(async (name) => {
    const hash = createHash('sha256').update(await readFile(join(folder, name)));
    return `${hash.digest('hex')}  ${name}\n`;
  });
  return (await Promise.all(lines)).join('');
}

await runCommand(program);
