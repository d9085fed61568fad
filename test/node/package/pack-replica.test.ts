/**
 * The replica as others have it: packed, installed by npm in a project outside the tree, run by plain Node, its types
 * read by TypeScript.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { canister } from '../../../packages/replica/test/wat.ts';
import { projectRoot } from '../../../src/node/build/project.ts';
import { packReplica } from '../../../src/node/package/pack-replica.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'stepwise-replica-')));
  // no network: what the package needs is packed from this project's own installation
  const needed = [...(await dependenciesOf('stepwise-replica'))].map((name) => `./node_modules/${name}`);
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', [...pack, ...needed], { cwd: projectRoot });
  const files = (JSON.parse(stdout) as { filename: string }[]).map(({ filename }) => join(folder, filename));
  await writeFile(join(folder, 'package.json'), '{ "name": "own", "type": "module" }');
  const install = ['install', '--offline', '--no-audit', '--no-fund', await packReplica(), ...files];
  await run('npm', install, { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true }));

/** Names of all packages that `name` needs, itself not among them. */
async function dependenciesOf(name: string, found = new Set<string>()): Promise<Set<string>> {
  const file = join(projectRoot, 'node_modules', name, 'package.json');
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(await readFile(file, 'utf8'));
  for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (found.has(needed)) continue;
    found.add(needed);
    await dependenciesOf(needed, found);
  }
  return found;
}

const SCRIPT = `
import { readFile } from 'node:fs/promises';
import { Principal } from '@dfinity/principal';
import { RejectError, Replica } from 'stepwise-replica';
import { serve, type Server } from 'stepwise-replica/http';

const replica: Replica = new Replica({ autoTick: false, seed: 1 });
const { canisterId }: { canisterId: Principal } = replica.createCanister();
await replica.installCode({ canisterId, wasm: await readFile('hello.wasm') });
const reply: Uint8Array = await replica.updateCall({ canisterId, method: 'hello', arg: new Uint8Array() });
const server: Server = await serve(replica, { port: 0 });
const answer = await fetch(server.url + '/api/v2/status');
await server.close();
const refused: unknown = await replica.updateCall({ canisterId, method: 'no', arg: new Uint8Array() }).catch((error) => error);
const { total } = replica.messages.at(-1)!.instructions;
console.log(new TextDecoder().decode(reply), total > 0, answer.status, refused instanceof RejectError);
`;

it('runs in plain Node, without warnings', async () => {
  const hello =
    '(func (export "canister_update hello") (call $msg_reply_data_append (i32.const 0) (i32.const 5)) (call $msg_reply))';
  await writeFile(join(folder, 'hello.wasm'), canister(`(data (i32.const 0) "hello")${hello}`));
  const { code } = await transform(SCRIPT, { loader: 'ts' });
  await writeFile(join(folder, 'try.js'), code);
  const { stdout, stderr } = await run(process.execPath, ['try.js'], { cwd: folder });
  expect({ stdout, stderr }).toEqual({ stdout: 'hello true 200 true\n', stderr: '' });
});

it('has types for each module resolution', async () => {
  await writeFile(join(folder, 'try.ts'), SCRIPT);
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const types = ['--typeRoots', join(projectRoot, 'node_modules/@types'), '--types', 'node', '--lib', 'ES2022,DOM'];
  for (const module of ['nodenext', 'preserve'])
    await run(
      process.execPath,
      [tsc, 'try.ts', '--noEmit', '--strict', '--target', 'es2022', '--module', module, ...types],
      {
        cwd: folder,
      },
    ).catch(({ stdout }) => expect(`${module}: ${stdout}`).toBe(''));
});

it('holds what it says and no sources', async () => {
  const installed = join(folder, 'node_modules/stepwise-replica');
  const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  expect(version).toBe(JSON.parse(await readFile('package.json', 'utf8')).version);
  for (const name of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/http/serve.js'])
    expect([name, existsSync(join(installed, name))]).toEqual([name, true]);
  for (const name of ['src', 'test', 'build.js'])
    expect([name, existsSync(join(installed, name))]).toEqual([name, false]);
});
