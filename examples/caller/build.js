// node build.js NAME…: builds canisters of dfx.json with Azle into build/NAME.wasm.gz and build/NAME.did.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const listed = Object.keys(JSON.parse(readFileSync('dfx.json', 'utf8')).canisters);
mkdirSync('build', { recursive: true });
for (const name of process.argv.slice(2)) {
  if (!listed.includes(name))
    throw new Error(`build: expected one of ${listed.join(', ')}, as in dfx.json, got ${name}`);
  // azle's own command goes through npx, which may want the network; this is what that would start
  const args = ['--import', 'tsx', 'node_modules/azle/src/build.ts', 'build', name];
  const env = { ...process.env, CANISTER_CANDID_PATH: `build/${name}.did` };
  const { status } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(`build/${name}.wasm.gz`, gzipSync(readFileSync(`.azle/${name}/${name}.wasm`), { level: 9 }));
  console.log(`build/${name}.wasm.gz`);
}
