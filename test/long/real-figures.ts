/**
 * What this project's canisters were found to cost in the Internet Computer's own execution environment (dfinity/ic,
 * tree of 2025-10-31, rules of 2025), against the replica. The figures are those of one commit's modules, so that it
 * takes a checkout of it:
 *   git worktree add ../then 7b6c704 && (cd ../then && npm ci && npm run build)
 *   npx tsx test/long/real-figures.ts ../then
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IDL } from '@dfinity/candid';
import { Replica } from '../../packages/replica/src/index.ts';

const [folder = '.'] = process.argv.slice(2);
const moduleOf = (name: string) => new Uint8Array(readFileSync(join(folder, 'build', name, `${name}.wasm.gz`)));
let wrong = 0;
function check(what: string, got: number, expected: number): void {
  console.log(`${got === expected ? 'equal ' : 'UNLIKE'} ${what}: there ${expected}, here ${got}`);
  if (got !== expected) wrong++;
}

for (const [name, compile] of [
  ['llm', 9_633_726_000],
  ['caller', 8_909_394_000],
] as const) {
  const replica = new Replica({ autoTick: false, seed: 1, pageRules: '2025' });
  const { canisterId } = replica.createCanister();
  await replica
    .installCode({ canisterId, wasm: moduleOf(name) })
    .catch((error) => console.log(`${name}: ${error.message}`));
  const { compileInstructions } =
    replica.canister(canisterId)!.code ??
    (await import('../../packages/replica/src/modules.ts')).loadCode(moduleOf(name));
  check(`compiling ${name}`, compileInstructions, compile);
  if (name === 'caller')
    check('installing caller without arguments', replica.messages.at(-1)!.instructions.total, 117_893_690);
  else {
    await replica.queryCall({ canisterId, method: 'model_info', arg: new Uint8Array(IDL.encode([], [])) });
    console.log(
      `model_info before there is a model: ${replica.messages.at(-1)!.instructions.total} (there 11,276,589, with one)`,
    );
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
