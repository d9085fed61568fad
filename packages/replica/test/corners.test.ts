/**
 * Corners of calls between canisters: answering twice or not at all, cleanup, long chains, uninstalling and upgrading
 * while calls are open.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import type { Canister } from '../src/canister.ts';
import { Replica } from '../src/index.ts';
import { managementTypes } from '../src/management/idl.ts';
import { agentCallFee, installAgainFee } from './fees.ts';
import {
  accept,
  available,
  burn,
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
import { canister, int, long } from './wat.ts';

const empty = new Uint8Array(0);

/** A replica with programmable canisters `a` and `b`. */
async function two() {
  const replica = new Replica({ autoTick: false });
  const [a, b] = [replica.createCanister(), replica.createCanister()];
  for (const { canisterId } of [a, b]) await replica.installCode({ canisterId, wasm: programmable });
  const run = ({ canisterId }: Canister, ...steps: Program[]) =>
    replica.updateCall({ canisterId, method: 'run', arg: program(...steps) });
  const done = async ({ canisterId }: Canister) =>
    counts(await replica.queryCall({ canisterId, method: 'counts', arg: empty }));
  const kinds = () => replica.messages.map(({ kind }) => kind).filter((kind) => !/init|query/i.test(kind));
  return { replica, a, b, run, done, kinds };
}

describe('an answer', () => {
  test('is given once; a second one traps, and undoes the first', async () => {
    const { a, run, done } = await two();
    for (const again of [reply, reject])
      await expect(run(a, mark, reply, again)).rejects.toMatchObject({ errorCode: 'IC0504' });
    expect((await done(a)).marks).toBe(0);
  });

  test('that was forgotten is a reject, and what was done stays', async () => {
    const { a, run, done } = await two();
    await expect(run(a, mark)).rejects.toMatchObject({ errorCode: 'IC0506', rejectCode: 5 });
    expect((await done(a)).marks).toBe(1);
  });

  test('is undone by a trap after it', async () => {
    const { a, run } = await two();
    await expect(run(a, reply, trap)).rejects.toMatchObject({ errorCode: 'IC0502' });
  });

  test('of the first message is not given again by a callback: that traps, its changes are undone', async () => {
    const { a, b, run, done } = await two();
    const calling = call({ to: b.canisterId, arg: reply, onReply: program(mark, reply) });
    expect(await run(a, mark, calling, reply)).toEqual(empty);
    expect((await done(a)).marks).toBe(1);
  });

  test('sends back the cycles that were not accepted before it', async () => {
    const { a, b, run, replica } = await two();
    const before = b.cycles;
    await run(
      a,
      call({ to: b.canisterId, cycles: 10n ** 9n, arg: program(accept(7n), reply, accept(10n ** 9n)), onReply: reply }),
    );
    const { instructions } = replica.messages.find(({ canisterId }) => canisterId.toText() === b.text)!;
    expect(b.cycles - before).toBe(7n - 5_000_000n - BigInt(instructions.total));
  });
});

describe('cleanup', () => {
  const calling = (b: Canister, onCleanup: Program) =>
    call({ to: b.canisterId, arg: reply, onReply: program(mark, trap), onCleanup });

  test('keeps its changes, those of the callback are undone', async () => {
    const { a, b, run, done, kinds } = await two();
    await expect(run(a, calling(b, program(mark, mark)))).rejects.toMatchObject({ errorCode: 'IC0502' });
    expect((await done(a)).marks).toBe(2);
    expect(kinds()).toEqual(['update', 'update', 'replyCallback', 'cleanup']);
  });

  test('may not call: it traps, and nothing of it stays', async () => {
    const { a, b, run, done, replica } = await two();
    const onCleanup = program(mark, call({ to: b.canisterId, arg: mark }));
    await expect(run(a, calling(b, onCleanup))).rejects.toMatchObject({ errorCode: 'IC0502' });
    expect([(await done(a)).marks, (await done(b)).marks]).toEqual([0, 0]);
    const { outcome } = replica.messages.find(({ kind }) => kind === 'cleanup')!;
    expect(outcome).toMatchObject({ status: 'trapped', errorCode: 'IC0504' });
  });

  test('cannot burn what the callback must be paid from', async () => {
    const { a, b, run } = await two();
    a.settings.freezingThreshold = 0n;
    await expect(run(a, calling(b, burn(2n ** 62n)))).rejects.toMatchObject({ errorCode: 'IC0502' });
    expect(a.cycles).toBeGreaterThanOrEqual(0n);
    expect(a.cycles).toBeLessThan(41_000_000_000n);
  });
});

test('a chain of fifty calls, each inside the one before, comes all the way back', async () => {
  const { a, b, run, done } = await two();
  let chain: Program = program(mark, reply);
  for (let depth = 0; depth < 50; depth++)
    chain = program(
      mark,
      call({ to: (depth % 2 === 0 ? b : a).canisterId, arg: chain, onReply: program(mark, reply) }),
    );
  await run(a, chain);
  expect((await done(a)).marks + (await done(b)).marks).toBe(101);
});

describe('while a call is open', () => {
  const management = Principal.managementCanister();
  const encode = (method: string, value: object) =>
    new Uint8Array(IDL.encode(managementTypes[method]!.arg, [{ sender_canister_version: [], ...value }]));

  test('uninstalling answers callers; what comes back brings its cycles, and runs nothing, in new code neither', async () => {
    const { a, b, run, done, replica, kinds } = await two();
    const [before, beforeB] = [a.cycles, b.cycles];
    const calling = call({ to: b.canisterId, cycles: 10n ** 9n, arg: program(accept(3n), reply), onReply: mark });
    const going = run(a, calling);
    const uninstalled = replica.uninstallCode({ canisterId: a.canisterId });
    await expect(going).rejects.toMatchObject({ errorCode: 'IC0406', rejectCode: 4 });
    await uninstalled;
    await replica.installCode({ canisterId: a.canisterId, wasm: programmable });
    while ((await replica.tick()) > 0);
    expect(kinds()).toEqual(['update', 'update']);
    expect((await done(a)).marks).toBe(0);
    expect([a.callContexts.size, a.callbacks.size, b.callContexts.size]).toEqual([0, 0, 0]);
    const first = replica.messages[0]!.instructions.total;
    const uninstall = encode('uninstall_code', { canister_id: a.canisterId });
    const ingress =
      agentCallFee({ canisterId: a.canisterId, methodName: 'run', arg: calling }) +
      agentCallFee({ canisterId: management, methodName: 'uninstall_code', arg: uninstall });
    const sent = 260_000 + 1_000 * (program(accept(3n), reply).length + 3);
    expect(b.cycles).toBeLessThan(beforeB);
    expect(before - a.cycles).toBe(BigInt(ingress + 5_000_000 + first + sent + 3) + installAgainFee(programmable));
  });

  test('stopping waits until the calls of uninstalled code have come back', async () => {
    const { a, b, run, replica, kinds } = await two();
    const going = run(a, call({ to: b.canisterId, arg: reply }));
    const uninstalled = replica.uninstallCode({ canisterId: a.canisterId });
    const stopped = replica.stopCanister({ canisterId: a.canisterId });
    await expect(going).rejects.toMatchObject({ errorCode: 'IC0406' });
    await uninstalled;
    await stopped;
    expect([a.status, kinds()]).toEqual(['stopped', ['update', 'update']]);
  });

  test('an upgrade goes through, and the callback runs in the new code', async () => {
    const { a, b, run, replica, done, kinds } = await two();
    const going = run(a, mark, call({ to: b.canisterId, arg: program(available, reply), onReply: reply }));
    const arg = encode('install_code', {
      mode: { upgrade: [] },
      canister_id: a.canisterId,
      wasm_module: programmable,
      arg: empty,
    });
    const upgrading = replica.updateCall({ canisterId: management, method: 'install_code', arg });
    // Its program was on the heap, which the upgrade dropped: the callback counts eight bytes and does no more.
    await expect(going).rejects.toMatchObject({ errorCode: 'IC0506' });
    await upgrading;
    expect(await done(a)).toMatchObject({ marks: 0, calls: 0, responseBytes: 8 });
    expect(kinds()).toEqual(['update', 'update', 'replyCallback']);
  });
});

test('a deadline is seen by update methods, not by query methods', async () => {
  const replica = new Replica({ autoTick: false });
  const { canisterId } = replica.createCanister();
  const ask = (name: string, at: number) => `
    (data (i32.const ${at}) "${name}")
    (func (export "canister_update ask ${name}")
      (call $canister_self_copy (i32.const 0) (i32.const 0) (call $canister_self_size))
      (call $call_new (i32.const 0) (call $canister_self_size) (i32.const ${at}) (i32.const ${name.length})
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (call $call_with_best_effort_response (i32.const 1000000))
      (drop (call $call_perform)))`;
  await replica.installCode({
    canisterId,
    wasm: canister(`
      (table 1 funcref) (elem (i32.const 0) $pass)
      (func $pass (param i32)
        (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (i32.const 8))
        (call $msg_reply_data_append (i32.const 0) (i32.const 8)) (call $msg_reply))
      (func (export "canister_update u") (call $replyLong (call $msg_deadline)))
      (func (export "canister_query q") (call $replyLong (call $msg_deadline)))
      ${ask('u', 512)} ${ask('q', 520)}`),
  });
  const asked = async (name: string) =>
    long(await replica.updateCall({ canisterId, method: `ask ${name}`, arg: empty }));
  const before = Number(replica.time());
  // At most five minutes, whatever was asked for.
  expect((await asked('u')) - before).toBeGreaterThanOrEqual(300_000_000_000 - 1_000);
  expect((await asked('u')) - before).toBeLessThan(301_000_000_000);
  expect(await asked('q')).toBe(0);
});

test('a canister takes no call with fewer cycles than its settings say, but its own and those from outside', async () => {
  const { a, b, run, done } = await two();
  b.settings.minimumIncomingCanisterCallCycles = 1_000n;
  const give = (cycles: bigint) =>
    call({
      to: b.canisterId,
      cycles,
      arg: program(mark, accept(cycles), reply),
      onReply: reply,
      onReject: program(mark, reply),
    });
  const before = b.cycles;
  await run(a, give(999n));
  expect([(await done(a)).marks, (await done(b)).marks, b.cycles]).toEqual([1, 0, before]);
  await run(a, give(1_000n));
  await run(b, call({ to: b.canisterId, arg: program(mark, reply), onReply: reply }));
  expect([(await done(a)).marks, (await done(b)).marks]).toEqual([1, 2]);
});

test('no more cycles can be sent than keep the canister from freezing', async () => {
  const { a, b, run } = await two();
  a.settings.freezingThreshold = 5n * 10n ** 9n;
  const liquid = a.liquidCycles;
  expect(liquid).toBeGreaterThan(10n ** 12n);
  expect(liquid).toBeLessThan(a.cycles - 10n ** 11n);
  const give = (cycles: bigint) => call({ to: b.canisterId, cycles, arg: reply, onReply: reply });
  await expect(run(a, give(a.cycles - 10n ** 11n))).rejects.toMatchObject({
    errorCode: 'IC0504',
    rejectMessage: expect.stringContaining(`: Canister ${a.canisterId.toText()} is out of cycles. `),
  });
  await run(a, give(liquid - 10n ** 11n));
});

test('on_low_wasm_memory goes before what waits, once until there is room again', async () => {
  const replica = new Replica({ autoTick: false });
  const { canisterId, settings } = replica.createCanister();
  const wasm = canister(`
    (func (export "canister_on_low_wasm_memory") (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))))
    (func (export "canister_query hooks") (call $replyInt (i32.load (i32.const 0))))
    (func (export "canister_update grow") (drop (memory.grow (i32.const 1))) (call $msg_reply))
    (func (export "canister_update go") (call $msg_reply))`);
  await replica.installCode({ canisterId, wasm });
  const hooks = async () => int(await replica.queryCall({ canisterId, method: 'hooks', arg: empty }));
  Object.assign(settings, { wasmMemoryLimit: 4n * 65_536n, wasmMemoryThreshold: 3n * 65_536n });
  for (const method of ['go', 'grow', 'go', 'grow']) await replica.submitCall({ canisterId, method, arg: empty });
  await replica.tick();
  const kinds = replica.messages.slice(-5).map(({ kind, method }) => method || kind);
  expect(kinds).toEqual(['go', 'grow', 'onLowWasmMemory', 'go', 'grow']);
  expect(await hooks()).toBe(1);
  // Stopped, it is not run, and not forgotten.
  settings.wasmMemoryThreshold = 0n;
  await replica.updateCall({ canisterId, method: 'go', arg: empty });
  await replica.stopCanister({ canisterId });
  const none = Object.fromEntries(settingsNames().map((name) => [name, []]));
  const value = { canister_id: canisterId, settings: { ...none, wasm_memory_threshold: [3n * 65_536n] } };
  const arg = new Uint8Array(
    IDL.encode(managementTypes['update_settings']!.arg, [{ ...value, sender_canister_version: [] }]),
  );
  await replica.updateCall({ canisterId: Principal.managementCanister(), method: 'update_settings', arg });
  expect(await replica.tick()).toBe(0);
  await replica.startCanister({ canisterId });
  await replica.tick();
  expect(await hooks()).toBe(2);
});

function settingsNames(): string[] {
  const [record] = managementTypes['update_settings']!.arg as IDL.RecordClass[];
  const fields = (record as unknown as { _fields: [string, IDL.Type][] })._fields;
  const settings = fields.find(([name]) => name === 'settings')![1] as unknown as { _fields: [string, IDL.Type][] };
  return settings._fields.map(([name]) => name);
}
