import { Principal } from '@dfinity/principal';
import { expect, it } from 'vitest';
import type { MessageRecord } from '../../../packages/replica/src/index.ts';
import { allUnderWay, endOf, idleShares, layOut } from '../../../src/node/cost/layout.ts';

const [a, b] = [1, 2].map((n) => Principal.fromUint8Array(Uint8Array.of(n)));
/** A message of so many seconds at one instruction a second. */
const message = (canisterId: Principal, total: number, cause?: number) => ({
  record: { canisterId, instructions: { total } } as unknown as MessageRecord,
  ...(cause !== undefined && { cause }),
});
const times = (messages: ReturnType<typeof message>[], round = 0) =>
  layOut(messages, { perSecond: 1, round }).map(({ start, end }) => [start, end]);

it('a canister does one message after the other, canisters work side by side', () => {
  expect(times([message(a!, 2), message(b!, 3), message(a!, 4)])).toEqual([
    [0, 2],
    [0, 3],
    [2, 6],
  ]);
});

it('what a message causes begins when it has ended, whatever stands before it in the record', () => {
  expect(times([message(a!, 2), message(b!, 3, 0), message(a!, 5), message(a!, 1, 1)])).toEqual([
    [0, 2],
    [2, 5],
    [2, 7],
    [7, 8],
  ]);
});

it('a message to another canister arrives at the end of the round, one to the canister itself at once', () => {
  expect(times([message(a!, 2), message(b!, 1, 0), message(a!, 1, 0)], 10)).toEqual([
    [0, 2],
    [10, 11],
    [2, 3],
  ]);
});

it('a canister idles where it executes nothing between two moments', () => {
  const placed = layOut([message(a!, 2), message(b!, 3, 0), message(a!, 1, 1)], { perSecond: 1, round: 0 });
  const ids = [a!.toText(), b!.toText()];
  expect(endOf(placed)).toBe(6);
  expect(idleShares(placed, ids, 0, 6)).toEqual([0.5, 0.5]);
  expect(idleShares(placed, ids, 1, 5)).toEqual([0.75, 0.25]);
});

it('all answers are under way between a round after their first tokens and a round before the end', () => {
  // 5 tokens each, the first ones by 10, the others at 2 a round
  expect(allUnderWay(10, 18, 5)).toEqual([12, 16]);
});
