/** Arguments that are dear to read: refused cheaply by every method. Those that are not: let through. */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkCandid } from '../../src/canister/candid-check.ts';
import { idlService as service } from '../../src/client/llm.did.ts';
import { absurd, randomFrom } from './abuse.ts';
import { type Installed, install } from './llm.ts';

const leb = (n: number): number[] => (n < 128 ? [n] : [(n % 128) | 128, ...leb(Math.floor(n / 128))]);
const endless = (n: number): number[] => Array(n).fill(255);
/** A text, then an argument more of type `type`, with this table before and these bytes of value after. */
const withArgument = (table: number[], type: number, value: number[]): Uint8Array =>
  Uint8Array.from([0x44, 0x49, 0x44, 0x4c, ...table, 2, 0x71, type, 0, ...value]);
const doubling = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => (i === 0 ? [0x6c, 2, 0, 0x7f, 1, 0x7f] : [0x6c, 2, 0, i - 1, 1, i - 1])).flat();

const bombs: [string, Uint8Array][] = [
  ['2^31 nulls', withArgument([1, 0x6d, 0x7f], 0, leb(2 ** 31))],
  ['2^31 reserved', withArgument([1, 0x6d, 0x70], 0, leb(2 ** 31))],
  ['2^31 empty records', withArgument([2, 0x6c, 0, 0x6d, 0], 1, leb(2 ** 31))],
  ['2^40 nulls in records of records', withArgument([40, ...doubling(40)], 39, [])],
  ['a record of itself', withArgument([1, 0x6c, 1, 0, 0], 0, [])],
  ['options in options', withArgument([1, 0x6e, 0], 0, [...Array(100_000).fill(1), 0])],
  ['a number without end', withArgument([0], 0x7d, endless(150_000))],
  ['a length without end', Uint8Array.from([0x44, 0x49, 0x44, 0x4c, 0, 1, 0x71, ...endless(150_000)])],
  ['a table without end', Uint8Array.from([0x44, 0x49, 0x44, 0x4c, ...endless(150_000)])],
  ['100,000 types', withArgument([...leb(50_000), ...Array(50_000).fill([0x6e, 0]).flat()], 0x71, [0])],
];

describe('dear arguments', () => {
  let llm: Installed;
  beforeAll(async () => {
    llm = await install();
  });

  it.each(bombs)('%s: refused by every method, in fewer than 50 M instructions', async (_, arg) => {
    for (const [method, type] of service._fields) {
      llm.newMessages();
      const call = { canisterId: llm.canisterId, method, arg, sender: Principal.anonymous() };
      const isQuery = type.annotations.includes('query');
      const answer = isQuery ? llm.replica.queryCall(call) : llm.replica.updateCall(call);
      await expect(answer, method).rejects.toThrow(/arguments: expected .+, got .+/);
      for (const { instructions } of llm.newMessages()) expect(instructions.total, method).toBeLessThan(50e6);
    }
  });

  it('long ones leave nothing in the heap, which would grow by them until an upgrade', async () => {
    const canister = llm.replica.canister(llm.canisterId)!;
    const stranger = llm.as(Principal.anonymous());
    const long = 'x'.repeat(100_000);
    await stranger.cancel(long);
    const before = canister.instance!.memoryBytes;
    for (let i = 0; i < 100; i++) await stranger.cancel(long);
    expect(canister.instance!.memoryBytes - before).toBeLessThan(2 ** 21);
  });
});

describe('checkCandid', () => {
  it.each(bombs)('refuses %s', (_, bytes) => {
    expect(() => checkCandid(bytes)).toThrow(/^arguments: expected .+, got .+/);
  });

  it("lets through whatever has a method's types", () => {
    const random = randomFrom(1);
    for (const [method, { argTypes }] of service._fields) {
      for (let i = 0; i < 20; i++) {
        const value = argTypes.map((type) => absurd(type, random));
        expect(() => checkCandid(new Uint8Array(IDL.encode(argTypes, value))), method).not.toThrow();
      }
    }
  });

  it('lets through a chunk', () => {
    const bytes = IDL.encode([IDL.Nat32, IDL.Vec(IDL.Nat8)], [1, new Uint8Array(1 << 20)]);
    expect(() => checkCandid(new Uint8Array(bytes))).not.toThrow();
  });

  it('refuses what is cut off, wherever', () => {
    const bytes = new Uint8Array(IDL.encode([IDL.Text, IDL.Opt(IDL.Nat32)], ['hello', [7]]));
    for (let n = 4; n < bytes.length; n++)
      expect(() => checkCandid(bytes.subarray(0, n))).toThrow('arguments: expected');
  });
});
