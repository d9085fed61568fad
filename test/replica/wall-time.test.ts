/**
 * What metering and the page map cost in time: the Azle canister's own init, a billion instructions of QuickJS, run again and again
 * without them, with metering, and with both, turn by turn in one process; the least of each counts.
 */
import { expect, test } from 'vitest';
import { buildCanister } from '../../scripts/build/canister.ts';
import { Replica } from '../../src/replica/index.ts';

test('metered at most 1.7 times the time of unmetered, with the page map at most 2.5 times', async () => {
  const { gz: wasm } = await buildCanister('llm');
  const variants = [{ metering: false, pageChecks: false }, { metering: true, pageChecks: false }, {}].map(
    (instrument) => {
      const replica = new Replica({ autoTick: false, instrument });
      return {
        replica,
        canisterId: replica.createCanister({ cycles: 10n ** 16n }).canisterId,
        least: Number.POSITIVE_INFINITY,
      };
    },
  );
  for (let turn = 0; turn < 12; turn++) {
    for (const variant of variants) {
      const { replica, canisterId } = variant;
      await replica.installCode({ canisterId, wasm, mode: turn === 0 ? 'install' : 'reinstall' });
      const init = replica.messages.findLast(({ kind }) => kind === 'init')!;
      variant.least = Math.min(variant.least, init.wallMilliseconds);
    }
  }
  const [plain, metered, full] = variants.map(({ least }) => least);
  const { total } = variants[2].replica.messages.findLast(({ kind }) => kind === 'init')!.instructions;
  const ratio = (time: number) => (time / plain).toFixed(2);
  console.log(
    `init of ${(total / 1e6).toFixed(0)} M instructions: ${plain.toFixed(0)} ms unmetered, ` +
      `${metered.toFixed(0)} ms metered (${ratio(metered)}), ${full.toFixed(0)} ms with the page map (${ratio(full)})`,
  );
  expect(metered / plain).toBeLessThan(1.7);
  expect(full / plain).toBeLessThan(2.5);
});
