/**
 * 20 steps of a client that is not ours, against llm with little-flan on a served replica: Python's icp-py-core 2.3, or
 * Rust's ic-agent. By hand, as each wants its own tools and the Rust one takes minutes to build:
 *   npx tsx test/long/clients/run.ts python3 test/long/clients/steps.py        (pip install icp-py-core==2.3.1)
 *   npx tsx test/long/clients/run.ts cargo run --release --manifest-path test/long/clients/rust/Cargo.toml
 * The client is told by environment variables where the replica is and which canister it is about; it prints a line a
 * step.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { serve } from '../../../packages/replica/src/http/serve.ts';
import { packFolder } from '../../../src/node/model/model-folder.ts';
import { install, upload } from '../../canister/llm.ts';

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('expected the command of a client, got none; see the top of this file');

const llm = await install();
await upload(llm.as(), readFileSync((await packFolder('models/little-flan', 'int8')).path));
const server = await serve(llm.replica, { port: 0 });
const env = {
  ...process.env,
  REPLICA_URL: server.url,
  ROOT_KEY: Buffer.from(server.authority.rootKey).toString('hex'),
  CANISTER_ID: llm.canisterId.toText(),
};
const client = spawn(command, args, { env, stdio: 'inherit' });
const code = await new Promise<number>((resolve, reject) => {
  client.once('error', reject);
  client.once('exit', (code) => resolve(code ?? 1));
});
await server.close();
process.exit(code);
