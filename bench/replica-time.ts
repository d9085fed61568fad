/**
 * `npx tsx bench/replica-time.ts`: what metering and the page map cost in time. The Azle canister's own init, a billion
 * instructions of QuickJS, is run again and again without them, with metering, and with both, turn by turn in one
 * process; the least processor time of each counts, which other work on the machine lengthens less than the clock's.
 * Targets: 1.7 and 2.5 times.
 */
import { cpus } from 'node:os';
import { Replica } from '../packages/replica/src/index.ts';
import { buildCanister } from '../src/node/build/canister.ts';

const { gz: wasm } = await buildCanister('llm');
const variants = [{ metering: false, pageChecks: false }, { metering: true, pageChecks: false }, {}].map(
  (instrument) => {
    const replica = new Replica({ autoTick: false, instrument });
    const { canisterId } = replica.createCanister({ cycles: 10n ** 16n });
    return { replica, canisterId, least: Number.POSITIVE_INFINITY };
  },
);
for (let turn = 0; turn < 12; turn++) {
  for (const variant of variants) {
    const { replica, canisterId } = variant;
    const before = process.cpuUsage();
    await replica.installCode({ canisterId, wasm, mode: turn === 0 ? 'install' : 'reinstall' });
    const { user, system } = process.cpuUsage(before);
    variant.least = Math.min(variant.least, (user + system) / 1_000);
  }
}
const [plain, metered, full] = variants.map(({ least }) => least) as [number, number, number];
const { total } = variants[2]!.replica.messages.findLast(({ kind }) => kind === 'init')!.instructions;
const ratio = (time: number): string => (time / plain).toFixed(2);
console.log(`${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}`);
console.log(
  `init of ${(total / 1e6).toFixed(0)} M instructions: ${plain.toFixed(0)} ms unmetered, ` +
    `${metered.toFixed(0)} ms metered (${ratio(metered)}), ${full.toFixed(0)} ms with the page map (${ratio(full)})`,
);
