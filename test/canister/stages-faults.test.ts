/**
 * Generations over three canisters, in any of which all goes wrong that may: none is lost, none is stuck, none wrong.
 */
import { expect, it } from 'vitest';
import { faultRun } from './faults.ts';

it('comes to what an undisturbed run comes to, whichever stage traps, stops or is upgraded', async () => {
  const seed = 5;
  const { wrong, finished, failedAndResumed, faults } = await faultRun(seed, 12, { stages: 3 });
  const where = `seed ${seed}: ${JSON.stringify(faults)}`;
  expect(wrong, where).toEqual([]);
  expect(finished + failedAndResumed, where).toBeGreaterThan(6);
  expect(faults.trapAtInstruction + faults.trapAtSystemCall, where).toBeGreaterThan(3);
});
