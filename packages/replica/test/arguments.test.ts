/**
 * Every system call with arguments at the edges of their range, out of it, and at random: it answers or traps, is
 * charged, and the replica goes on.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import api from '../src/system-api.json' with { type: 'json' };
import { canister, int } from './wat.ts';

type Name = keyof typeof api.imports;
const names = Object.keys(api.imports) as Name[];

/** A method for each system call: takes its arguments from the message's, eight bytes each. */
const method = (name: Name, kind: string) => {
  const { params, results } = api.imports[name];
  const load = (type: string, i: number) =>
    type === 'i64' ? `(i64.load offset=${8 * i}` : `(i32.load offset=${8 * i}`;
  const args = params.map((type, i) => `${load(type, i)} (i32.const 1024))`).join(' ');
  const call = `(call $${name} ${args})`;
  return `(func (export "${kind} ${kind.at(-1)} ${name}") (call $take) ${results.length > 0 ? `(drop ${call})` : call})`;
};
const caller = canister(`
  (table 1 funcref) (elem (i32.const 0) $nothing) (func $nothing (param i32))
  (func $take
    (call $msg_arg_data_copy (i32.const 1024) (i32.const 0) (i32.const 64))
    (drop (call $stable64_grow (i64.const 1))))
  (func (export "canister_query alive") (call $replyInt (i32.const 7)))
  ${names.map((name) => `${method(name, 'canister_update')} ${method(name, 'canister_query')}`).join('\n')}`);

const edges = [
  0n,
  1n,
  2n,
  29n,
  30n,
  32n,
  33n,
  100n,
  65_535n,
  65_536n,
  65_537n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
];
const wide = [2n ** 32n, 2n ** 33n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 2n, 2n ** 64n - 1n];
const number = fc.oneof(
  fc.constantFrom(...edges),
  fc.constantFrom(...edges, ...wide),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

test('each system call answers or traps, whatever its arguments', async () => {
  const replica = new Replica({ autoTick: false });
  const target = replica.createCanister();
  const { canisterId } = target;
  await replica.installCode({ canisterId, wasm: caller });
  const ended = new Map<string, number>();
  const run = async (name: Name, args: bigint[]) => {
    const arg = new Uint8Array(BigUint64Array.from(args).buffer);
    const before = target.cycles;
    await replica.updateCall({ canisterId, method: `e ${name}`, arg }).catch(() => undefined);
    await replica.queryCall({ canisterId, method: `y ${name}`, arg }).catch(() => undefined);
    const [update, query] = replica.messages.slice(-2);
    for (const { instructions, outcome } of [update!, query!]) {
      const { total, pages, systemCalls, rest } = instructions;
      expect(total).toBeGreaterThan(0);
      expect(total).toBe(pages + systemCalls + rest);
      expect(systemCalls).toBeGreaterThan(0);
      const how = outcome.status === 'trapped' ? outcome.errorCode : outcome.status;
      ended.set(how, (ended.get(how) ?? 0) + 1);
    }
    expect(target.cycles).toBeGreaterThan(0n);
    expect(target.cycles).toBeLessThan(before);
    replica.messages.length = 0;
    target.cycles = 10n ** 14n;
  };
  await fc.assert(fc.asyncProperty(fc.constantFrom(...names), fc.array(number, { minLength: 8, maxLength: 8 }), run), {
    numRuns: 500,
    examples: [['stable64_read', [0n, 0n, 2n ** 63n + 384n, 0n, 0n, 0n, 0n, 0n]]],
  });
  expect(int(await replica.queryCall({ canisterId, method: 'alive', arg: new Uint8Array(0) }))).toBe(7);
  console.log(`system calls at random ended: ${[...ended].map(([how, times]) => `${how} ${times}`).join(', ')}`);
});
