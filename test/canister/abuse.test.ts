/**
 * Whatever bytes come to whatever method: an answer, an `Err` or a reject with a text, never a broken canister.
 * test/long/abuse-run.ts has the long run.
 */
import { expect, it } from 'vitest';
import { abuse } from './abuse.ts';

it('survives fuzzed arguments on every method, from strangers', async () => {
  const report = await abuse(3, 130);
  console.log('abuse, seed 3:', report);
  expect(report.unexpected).toEqual([]);
  expect(report.answered + report.refused + report.rejected).toBe(130);
}, 120_000);
