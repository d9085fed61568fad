/** A small fault run; test/long/fault-run.ts has the long one. */
import { expect, it } from 'vitest';
import { faultRun } from './faults.ts';

it('through traps, stops, upgrades and shortages every session comes to the text of an undisturbed run', async () => {
  const seed = 1;
  const { wrong, finished, failedAndResumed, faults, arenaBytes, heapBytes } = await faultRun(seed, 50);
  console.log(`fault run, seed ${seed}: ${finished} finished, ${failedAndResumed} failed and resumed`, faults);
  expect(wrong).toEqual([]);
  expect(finished + failedAndResumed).toBeGreaterThan(25);
  expect(Object.values(faults).reduce((a, b) => a + b, 0)).toBeGreaterThan(10);
  // no more than the model and a few sessions, after however much
  expect(arenaBytes).toBeLessThan(12 * 2 ** 20);
  expect(heapBytes).toBeLessThan(64 * 2 ** 20);
}, 120_000);
