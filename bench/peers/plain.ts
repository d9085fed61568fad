/**
 * Builds the plain TypeScript canister and counts, on the replica, what a multiply-add costs in it: two lengths, the
 * difference by the difference.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IDL } from '@dfinity/candid';
import { Replica } from '../../packages/replica/src/index.ts';
import { projectRoot } from '../../src/node/build/project.ts';
import { runNode } from '../../src/node/build/run.ts';
import { withoutPages } from '../measure-unit.ts';

const [SHORT, LONG] = [1_000, 101_000];

async function build(): Promise<Uint8Array> {
  const root = import.meta.dirname;
  await mkdir(join(root, '.azle'), { recursive: true });
  const args = ['--import', 'tsx', join(projectRoot, 'node_modules/azle/src/build.ts'), 'build', 'plain'];
  const env = { ...process.env, CANISTER_CANDID_PATH: join(root, '.azle/plain.did') };
  await runNode('azle build plain', args, { cwd: root, env });
  return await readFile(join(root, '.azle/plain/plain.wasm'));
}

/** Instructions, pages apart, and milliseconds a multiply-add. */
export async function measurePlain(): Promise<{ instructions: number; milliseconds: number }> {
  const replica = new Replica({ autoTick: false, seed: 1 });
  const { canisterId } = replica.createCanister();
  await replica.installCode({
    canisterId,
    wasm: await build(),
    arg: new Uint8Array(IDL.encode([], [])),
    mode: 'install',
  });
  const dot = async (count: number) => {
    const reply = await replica.updateCall({
      canisterId,
      method: 'dot',
      arg: new Uint8Array(IDL.encode([IDL.Nat32], [count])),
    });
    const [sum] = IDL.decode([IDL.Float64], reply);
    if (sum !== count) throw new Error(`plain: expected the sum ${count}, got ${sum}`);
    return replica.messages.at(-1)!;
  };
  await dot(SHORT);
  const [short, long] = [await dot(SHORT), await dot(LONG)];
  return {
    instructions: (withoutPages(long.instructions) - withoutPages(short.instructions)) / (LONG - SHORT),
    milliseconds: (long.wallMilliseconds - short.wallMilliseconds) / (LONG - SHORT),
  };
}
