/** The queue run with fewer sessions; test/long/queue-run.ts has as many as are asked for. */
import { expect, it } from 'vitest';
import { queueRun } from './queue.ts';

it('many that wait: upgrades, a cleared queue and other models take no more of a message than few', async () => {
  const dearest = await queueRun(30, 15, 20, 24);
  expect(Math.max(...Object.values(dearest))).toBeLessThan(2e9);
  // none of these reads or writes what waits
  expect(dearest['clear_queue: update']).toBeLessThan(30e6);
  expect(dearest['cancel of the last that waits: update']).toBeLessThan(150e6);
});
