// node --import tsx build.js NAME…: builds canisters of dfx.json into build/NAME.wasm.gz and build/NAME.did, `mnist`
// with its page.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { link } from 'stepwise-tensor/link';
import { nodeUnit } from 'stepwise-tensor/node';
import { buildPage } from './build-page.js';
import { digits } from './net.ts';

/** What each canister runs, recorded here as there: the linker leaves all other kernels out. */
const programs = {
  mnist: () => [digits(nodeUnit()).program],
  bench: () => [digits(nodeUnit()).program, digits(nodeUnit(), 'float32').program],
};

mkdirSync('build', { recursive: true });
for (const name of process.argv.slice(2)) {
  if (!(name in programs))
    throw new Error(`build: expected one of ${Object.keys(programs).join(', ')}, as in dfx.json, got ${name}`);
  if (name === 'mnist') await buildPage('page-data.js');
  // azle's own command goes through npx, which may want the network; this is what that would start
  const args = ['--import', 'tsx', 'node_modules/azle/src/build.ts', 'build', name];
  const env = { ...process.env, CANISTER_CANDID_PATH: `build/${name}.did` };
  const { status } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
  const metadata = { 'candid:service': readFileSync(`build/${name}.did`, 'utf8') };
  const wasm = await link(readFileSync(`.azle/${name}/${name}.wasm`), { programs: programs[name](), metadata });
  writeFileSync(`build/${name}.wasm.gz`, gzipSync(wasm, { level: 9 }));
  console.log(`build/${name}.wasm.gz`);
}
