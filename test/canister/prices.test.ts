import { expect, it } from 'vitest';
import { MESSAGE_CYCLES, PAGE_INSTRUCTIONS } from '../../src/canister/prices.ts';
import { pageTouchCost } from '../../src/replica/costs.ts';
import { fees } from '../../src/replica/cycles.ts';

it('are what the replica charges', () => {
  expect(BigInt(MESSAGE_CYCLES)).toBe(fees.execution);
  expect(PAGE_INSTRUCTIONS).toBe(pageTouchCost);
});
