/**
 * What an attacker can take from a canister that is locked: an allow list, and fewer cycles than `min_cycles`. Ingress
 * that `inspect_message` refuses, ingress that it lets through, calls from another canister with small and with large
 * arguments; what each cost the canister, and the sender.
 *   npx tsx test/long/locked-run.ts --refused 100000 --calls 10000
 */
import { setTimeout } from 'node:timers/promises';
import { IDL } from '@dfinity/candid';
import { program } from 'commander';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { allowed, bombs, dearMessage, fromCanister, skipped } from '../canister/dear-arguments.ts';
import { change, install, ok, stranger } from '../canister/llm.ts';
import { randomFrom } from '../random.ts';

program
  .option('--refused <n>', 'ingress calls that inspect_message refuses', Number, 100_000)
  .option('--calls <n>', 'calls from another canister', Number, 10_000)
  .option('--passed <n>', 'ingress calls that inspect_message lets through', Number, 1_000)
  .option('--seed <n>', 'another seed is another run', Number, 1)
  .parse();
const { refused, calls, passed, seed } = program.opts<Record<'refused' | 'calls' | 'passed' | 'seed', number>>();
const random = randomFrom(seed);
const llm = await install({ keptMessages: 1_000 });
const { replica, canisterId } = llm;
const { cost, sender } = await fromCanister(llm);
ok(await llm.as().set_settings(change({ access: { allow_list: null } })));
const canister = replica.canister(canisterId)!;
// what it begins with by itself is over before anything is measured
await llm.as(stranger).status();
await replica.updateCall({ canisterId, method: 'status', arg: skipped[7]!, sender: stranger });
await setTimeout(2_000);
canister.cycles = 400_000_000_000n;
const methods = service._fields;
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const dear = (types: IDL.Type[]): Uint8Array =>
  random() < 0.3 ? pick([...bombs.map(([, bytes]) => bytes), ...skipped]) : dearMessage(types, random);
const fees = { perCall: 5_000_000 + 1_200_000, perByte: 2_000 };
const billion = (n: bigint | number): string => `${(Number(n) / 1e9).toFixed(3)} B`;

/** Does something `times` times; prints what the canister has less. @returns how much it is */
async function measured(what: string, times: number, act: () => Promise<unknown>): Promise<bigint> {
  const before = canister.cycles;
  for (let i = 0; i < times; i++) {
    await act();
    if (i % 500 === 499) process.stderr.write(`\r${what}: ${i + 1} of ${times}   `);
  }
  const took = before - canister.cycles;
  console.log(`\n${what}: ${times}, took ${billion(took)} of 400 B, ${(Number(took) / times / 1e6).toFixed(2)} M each`);
  return took;
}

let letThrough = 0;
await measured('ingress that inspect_message refuses', refused, async () => {
  const method = pick([
    'generate',
    'generate_with',
    'start',
    'resume',
    'set_settings',
    'upload_chunk',
    'set_role',
    'unknown',
  ]);
  const types = methods.find(([name]) => name === method)?.[1].argTypes ?? [IDL.Text];
  const call = { canisterId, method, arg: dear(types), sender: stranger };
  await replica.updateCall(call).then(
    () => (letThrough += 1),
    () => {},
  );
});
console.log(`answered: ${letThrough}`);

// a canister pays for its memory when it next runs, which is nothing that a caller has done
await replica.updateCall({ canisterId, method: 'status', arg: skipped[7]!, sender: stranger });
let [worst, bytes, waits] = [0, 0, 0];
await measured('ingress that inspect_message lets through', passed, async () => {
  const [method, { argTypes }] = pick(
    methods.filter(([name]) => ['status', 'cancel', 'list', 'progress', 'quote'].includes(name)),
  );
  const arg = argTypes.length === 0 ? skipped[7]! : dear(argTypes);
  bytes = arg.length;
  const before = canister.cycles;
  await replica.updateCall({ canisterId, method, arg, sender: stranger }).catch(() => {});
  // what a message may take is set aside while it runs: a timer's, too
  while (before - canister.cycles > 1_000_000_000n && waits++ < 1_000) await setTimeout(5);
  const envelope = 500 + bytes;
  worst = Math.max(worst, Number(before - canister.cycles) / (allowed(bytes) + fees.perCall + fees.perByte * envelope));
});
console.log(`the dearest took ${(worst * 100).toFixed(0)}% of ingress + 5 M + 20 M + 150 a byte`);

worst = 0;
const purse = replica.canister(sender)!;
const paidBefore = purse.cycles;
await measured('calls from another canister', calls, async () => {
  const [method, { argTypes }] = pick(methods);
  const large = random() < 0.02;
  const arg = large ? new Uint8Array(2 ** 20) : dear(argTypes);
  const before = canister.cycles;
  await cost(method, arg, large ? 8 : 1);
  worst = Math.max(worst, Number(before - canister.cycles) / (allowed(arg.length * (large ? 8 : 1)) + 5_000_000));
});
console.log(`the dearest took ${(worst * 100).toFixed(0)}% of 5 M + 20 M + 150 a byte`);
console.log(`the sender paid ${billion(paidBefore - purse.cycles)}`);
