import { expect, it } from 'vitest';
import { fees } from '../../packages/replica/src/cycles.ts';
import { pageTouchCost } from '../../packages/replica/src/wasm/costs.ts';
import * as prices from '../../src/service/prices.ts';

it('are what the replica charges', () => {
  expect(BigInt(prices.MESSAGE_CYCLES)).toBe(fees.execution);
  expect(BigInt(prices.CALL_CYCLES)).toBe(fees.call);
  expect(BigInt(prices.CALL_BYTE_CYCLES)).toBe(fees.callByte);
  expect(BigInt(prices.INGRESS_CYCLES)).toBe(fees.ingress);
  expect(BigInt(prices.INGRESS_BYTE_CYCLES)).toBe(fees.ingressByte);
  expect(prices.PAGE_INSTRUCTIONS).toBe(pageTouchCost);
});
