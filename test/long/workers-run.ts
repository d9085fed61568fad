/**
 * From one canister to four by snapshots, without a second upload, as docs/deploy.md says; then many callers who ask
 * the least busy of the four. All have to get the answer that the first canister alone gives, and sampled answers
 * without a seed have to differ from canister to canister.
 *   npx tsx test/long/workers-run.ts --callers 200 --canisters 4
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { program } from 'commander';
import { managementTypes } from '../../packages/replica/src/management/idl.ts';
import { together } from '../../src/client/together.ts';
import { buildCanister } from '../../src/node/build/canister.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { actor, change, controller, install, ok, options, upload } from '../canister/llm.ts';

program
  .option('--callers <n>', 'how many', Number, 200)
  .option('--canisters <n>', 'how many', Number, 4)
  .option('--no-upgrade', 'leave out the upgrade that gives each canister a random seed of its own: then the run fails')
  .parse();
const given = program.opts<{ callers: number; canisters: number; upgrade: boolean }>();
const question = 'what color is the sky?';

const { replica, canisterId, as } = await install({ autoTick: true, keptMessages: 10 });
const cyclesOf = (id: Principal) => replica.canister(id)!.cycles;
/** What something takes from a canister, in billions of cycles. */
async function billions(id: Principal, doing: () => Promise<unknown>): Promise<number> {
  const before = cyclesOf(id);
  await doing();
  return Number(before - cyclesOf(id)) / 1e9;
}
async function manage(method: string, value: Record<string, unknown>) {
  const { arg: types, result } = managementTypes[method]!;
  const arg = new Uint8Array(IDL.encode(types, [value]));
  const call = { canisterId: Principal.managementCanister(), method, arg, sender: controller };
  return IDL.decode(result, (await replica.updateCall(call)) as Uint8Array<ArrayBuffer>)[0];
}

const pack = readFileSync((await packFolder('models/little-flan', 'int8')).path);
const uploaded = await billions(canisterId, () => upload(as(), pack));
ok(await as().set_settings(change({ max_active: 8 })));
const { text } = ok(await as().generate(question));

await replica.stopCanister({ canisterId, sender: controller });
const none = { replace_snapshot: [], uninstall_code: [], sender_canister_version: [] };
let snapshot: { id: Uint8Array; total_size: bigint };
const taken = await billions(canisterId, async () => {
  snapshot = (await manage('take_canister_snapshot', {
    canister_id: canisterId,
    ...none,
  })) as unknown as typeof snapshot;
});
await replica.startCanister({ canisterId, sender: controller });

const { gz } = await buildCanister('llm');
const workers = [canisterId];
const loaded: number[] = [];
while (workers.length < given.canisters) {
  const { canisterId: id } = replica.createCanister({ controllers: [controller], cycles: 10n ** 15n });
  await replica.stopCanister({ canisterId: id, sender: controller });
  const load = { canister_id: id, snapshot_id: snapshot!.id, sender_canister_version: [] };
  loaded.push(await billions(id, () => manage('load_canister_snapshot', load)));
  if (given.upgrade) await replica.installCode({ canisterId: id, wasm: gz, mode: 'upgrade', sender: controller });
  await replica.startCanister({ canisterId: id, sender: controller });
  workers.push(id);
}

const started = performance.now();
const answers = await Promise.all(
  Array.from({ length: given.callers }, async (_, i) => {
    const caller = Principal.selfAuthenticating(Uint8Array.of(3, i >> 8, i & 255));
    return ok(await together(workers.map((id) => actor(replica, id, caller))).generate(question)).text;
  }),
);
const seconds = (performance.now() - started) / 1000;
const sampled = await Promise.all(
  workers.map(async (id) => {
    const wild = options({ do_sample: true, temperature: 100, top_k: 0, max_new_tokens: 24 });
    const { seed, text: drawn } = ok(await actor(replica, id, controller).generate_with(question, ...wild));
    return `${seed[0]}: ${drawn}`;
  }),
);
const same = answers.filter((answer) => answer === text).length;
console.log(
  JSON.stringify({
    ...given,
    same,
    seconds,
    snapshotBytes: Number(snapshot!.total_size),
    billionsOfCycles: { uploaded, taken, loaded },
    sampled,
  }),
);
replica.close();
process.exit(same === given.callers && new Set(sampled).size === workers.length ? 0 : 1);
