import { expect, it } from 'vitest';
import { pageTouchCost } from '../../packages/replica/src/costs.ts';
import { fees } from '../../packages/replica/src/cycles.ts';
import { MESSAGE_CYCLES, PAGE_INSTRUCTIONS } from '../../src/canister/prices.ts';

it('are what the replica charges', () => {
  expect(BigInt(MESSAGE_CYCLES)).toBe(fees.execution);
  expect(PAGE_INSTRUCTIONS).toBe(pageTouchCost);
});
