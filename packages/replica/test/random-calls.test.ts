/**
 * Random graphs of calls between three canisters, which reply, reject, trap, forget to answer, send, accept and burn
 * cycles: every call has one answer, nothing stays open, no cycle is made or lost, and what a trap undid is not there.
 */
import type { Principal } from '@dfinity/principal';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { agentCallFee } from './fees.ts';
import {
  accept,
  burn,
  type Counts,
  call,
  counts,
  mark,
  type Program,
  program,
  programmable,
  reject,
  reply,
  trap,
} from './programmable.ts';

/** What a canister does in a message: effects, and how it ends. Callees are numbers of canisters. */
interface Doing {
  effects: ('mark' | { accept: bigint } | { burn: bigint } | Calling)[];
  end: 'nothing' | 'reply' | 'reject' | 'trap';
}
interface Calling {
  to: number;
  cycles: bigint;
  does: Doing;
  onReply: Doing;
  onReject: Doing;
  onCleanup?: Doing;
}

const few = fc.bigInt({ min: 0n, max: 2_000_000_000n });
const plainEffect = fc.oneof(fc.constant('mark' as const), fc.record({ accept: few }), fc.record({ burn: few }));
/** A callback may find its call answered already: answering again traps, so rejected calls' callbacks do not answer. */
const doing = (depth: number): fc.Arbitrary<Doing> =>
  fc.record({
    effects: fc.array(depth === 0 ? plainEffect : fc.oneof(plainEffect, calling(depth - 1)), { maxLength: 3 }),
    end: fc.constantFrom('nothing' as const, 'reply' as const, 'reply' as const, 'reject' as const, 'trap' as const),
  });
const calling = (depth: number): fc.Arbitrary<Calling> =>
  fc.record({
    to: fc.nat({ max: 2 }),
    cycles: few,
    does: doing(depth),
    onReply: doing(depth),
    onReject: fc.record({ effects: fc.array(plainEffect, { maxLength: 2 }), end: fc.constant('nothing' as const) }),
    onCleanup: fc.option(
      fc.record({
        effects: fc.array(fc.oneof(fc.constant('mark' as const), fc.record({ burn: few })), { maxLength: 2 }),
        end: fc.constantFrom('nothing' as const, 'trap' as const),
      }),
      { nil: undefined },
    ),
  });

function compile({ effects, end }: Doing, ids: Principal[]): Program {
  const steps = effects.map((effect) => {
    if (effect === 'mark') return mark;
    if ('accept' in effect) return accept(effect.accept);
    if ('burn' in effect) return burn(effect.burn);
    const { to, cycles, does, onReply, onReject, onCleanup } = effect;
    return call({
      to: ids[to]!,
      cycles,
      arg: compile(does, ids),
      onReply: compile(onReply, ids),
      onReject: compile(onReject, ids),
      onCleanup: onCleanup && compile(onCleanup, ids),
    });
  });
  const ends = { nothing: program(), reply, reject, trap };
  return program(...steps, ends[end]);
}

test('random graphs of calls keep the books', async () => {
  let [messages, calls] = [0, 0];
  const books = async (graphs: { at: number; does: Doing }[]) => {
    const replica = new Replica({ autoTick: false });
    const canisters = [0, 1, 2].map(() => replica.createCanister());
    const ids = canisters.map(({ canisterId }) => canisterId);
    for (const canisterId of ids) await replica.installCode({ canisterId, wasm: programmable });
    replica.messages.length = 0;
    const total = () => canisters.reduce((sum, { cycles }) => sum + cycles, 0n);
    const before = total();

    const args = graphs.map(({ at, does }) => ({ canisterId: ids[at]!, method: 'run', arg: compile(does, ids) }));
    const requests = [];
    for (const arg of args) requests.push(await replica.submitCall(arg));
    while ((await replica.tick()) > 0);

    const statuses = requests.map((id) => replica.requestStatus(id)!.status);
    expect(statuses.filter((status) => status !== 'replied' && status !== 'rejected')).toEqual([]);
    for (const { callContexts, callbacks, openCallsTo } of canisters) {
      expect([callContexts.size, callbacks.size]).toEqual([0, 0]);
      expect([...openCallsTo.values()].filter((open) => open !== 0)).toEqual([]);
    }

    const records = replica.messages.slice();
    const done: Counts[] = [];
    for (const canisterId of ids)
      done.push(counts(await replica.queryCall({ canisterId, method: 'counts', arg: new Uint8Array(0) })));
    const sum = (of: (count: Counts) => number) => done.reduce((all, count) => all + of(count), 0);
    const callbacks = records.filter(({ kind }) => kind.endsWith('Callback')).length;
    expect(callbacks).toBe(sum((count) => count.calls));

    // Fees: ingress, each message but for a cleanup, which is part of its callback, instructions, calls; and what was
    // burned. Replies are empty, and callbacks of rejects do not trap, so that no count of response bytes was undone.
    const ingress = args.reduce((all, { method, ...call }) => all + agentCallFee({ methodName: method, ...call }), 0);
    const executions = records.filter(({ kind }) => kind !== 'cleanup').length * 5_000_000;
    const instructions = records.reduce((all, record) => all + record.instructions.total, 0);
    const transport = sum(
      ({ calls, callBytes, responseBytes }) => 260_000 * calls + 1_000 * (callBytes + responseBytes),
    );
    const burned = sum((count) => count.burned);
    expect(before - total()).toBe(BigInt(ingress + executions + instructions + transport + burned));
    messages += records.length;
    calls += callbacks;
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ at: fc.nat({ max: 2 }), does: doing(3) }), { minLength: 1, maxLength: 4 }),
      books,
    ),
    { numRuns: 100 },
  );
  console.log(`${messages} messages, ${calls} calls between canisters: the books are even`);
  expect(calls).toBeGreaterThan(100);
});
