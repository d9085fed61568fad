/**
 * What a canister's settings may be, and what they do: visibility, memory limit, log; and the life of a canister
 * without cycles.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { managementTypes } from '../src/management/idl.ts';
import { installFee } from './fees.ts';
import { canister, int, long } from './wat.ts';

const management = Principal.managementCanister();
const empty = new Uint8Array(0);
const [alice, bob] = [1, 2].map((byte) => Principal.selfAuthenticating(new Uint8Array([byte])));

// biome-ignore lint/suspicious/noExplicitAny: values of Candid
type Value = any;
type Ask = 'updateCall' | 'queryCall';

const unchanged = {
  controllers: [],
  compute_allocation: [],
  memory_allocation: [],
  freezing_threshold: [],
  reserved_cycles_limit: [],
  log_visibility: [],
  log_memory_limit: [],
  snapshot_visibility: [],
  status_visibility: [],
  minimum_incoming_canister_call_cycles: [],
  wasm_memory_limit: [],
  wasm_memory_threshold: [],
  environment_variables: [],
};

async function setUp(wasm?: Uint8Array, cycles?: bigint) {
  const replica = new Replica({ autoTick: false });
  const target = replica.createCanister({ controllers: [alice], cycles });
  const { canisterId } = target;
  if (wasm) await replica.installCode({ canisterId, wasm });
  const manage = async (sender: Principal, method: string, more: Value = {}, ask: Ask = 'updateCall') => {
    const { arg: types, result } = managementTypes[method];
    const value = { canister_id: canisterId, sender_canister_version: [], ...more };
    const arg = new Uint8Array(IDL.encode(types, [value]));
    const reply = await replica[ask]({ canisterId: management, method, arg, sender });
    return IDL.decode(result, reply as Uint8Array<ArrayBuffer>)[0] as Value;
  };
  const set = (settings: Value) => manage(alice, 'update_settings', { settings: { ...unchanged, ...settings } });
  const update = (method: string) => replica.updateCall({ canisterId, method, arg: empty });
  const logs = async (filter: Value = []) => {
    const { canister_log_records: records } = await manage(alice, 'fetch_canister_logs', { filter }, 'queryCall');
    return records.map(({ content }: Value) => new TextDecoder().decode(Uint8Array.from(content)));
  };
  return { replica, target, canisterId, manage, set, update, logs };
}

describe('update_settings', () => {
  test.each<[string, Value]>([
    ['eleven controllers', { controllers: [Array.from({ length: 11 }, () => alice)] }],
    ['compute of 101', { compute_allocation: [101n] }],
    ['memory of 2^64', { memory_allocation: [1n << 64n] }],
    ['a freezing threshold of 2^64', { freezing_threshold: [1n << 64n] }],
    ['a Wasm memory limit above 2^48', { wasm_memory_limit: [(1n << 48n) + 1n] }],
    ['a log of 4,095 bytes', { log_memory_limit: [4_095n] }],
    ['a log above 2 MiB', { log_memory_limit: [2_097_153n] }],
    ['a name twice', { environment_variables: [['a', 'a'].map((name) => ({ name, value: '' }))] }],
    ['eleven viewers', { status_visibility: [{ allowed_viewers: Array.from({ length: 11 }, () => bob) }] }],
  ])('refuses %s, and changes nothing', async (_, settings) => {
    const { set, target } = await setUp();
    const before = { ...target.settings };
    await expect(set({ ...settings, reserved_cycles_limit: [5n] })).rejects.toThrow(/expected .*, got /);
    expect(target.settings).toEqual(before);
  });

  test('a status is shown to whom it is visible, by call and by query', async () => {
    const { set, manage } = await setUp();
    const seen = async (ask: Ask) => (await manage(bob, 'canister_status', {}, ask)).status;
    for (const ask of ['updateCall', 'queryCall'] as const)
      await expect(seen(ask)).rejects.toMatchObject({ errorCode: 'IC0512' });
    await set({ status_visibility: [{ allowed_viewers: [bob] }] });
    expect([await seen('updateCall'), await seen('queryCall')]).toEqual([{ running: null }, { running: null }]);
  });

  test('0 is no Wasm memory limit, and is shown as that', async () => {
    const { set, manage } = await setUp();
    await set({ wasm_memory_limit: [0n] });
    expect((await manage(alice, 'canister_status')).settings.wasm_memory_limit).toBe(0n);
  });
});

describe('wasm_memory_limit', () => {
  const grower = canister(
    `(func (export "canister_update grow") (call $replyInt (memory.grow (i32.const 1))))
    (func (export "canister_query size") (drop (memory.grow (i32.const 1))) (call $replyInt (memory.size)))
    (func (export "canister_update go") (call $msg_reply))
    (func (export "canister_global_timer") (drop (memory.grow (i32.const 1))))
    (func (export "canister_update set") (drop (call $global_timer_set (i64.const 1))) (call $msg_reply))`,
    2,
  );

  test('holds for updates, not for queries and timers; over it, an update does not begin', async () => {
    const { set, update, replica, canisterId, target } = await setUp(grower);
    await set({ wasm_memory_limit: [3n * 65_536n] });
    expect(int(await update('grow'))).toBe(2);
    await expect(update('grow')).rejects.toMatchObject({ errorCode: 'IC0539' });
    expect(int(await replica.queryCall({ canisterId, method: 'size', arg: empty }))).toBe(4);
    await update('set');
    await replica.tick();
    expect(target.instance!.memoryBytes).toBe(4 * 65_536);
    await expect(update('go')).rejects.toMatchObject({ errorCode: 'IC0539' });
    await set({ wasm_memory_limit: [0n] });
    expect(int(await update('grow'))).toBe(4);
  });

  test('holds for installing', async () => {
    const { set, replica, canisterId } = await setUp();
    await set({ wasm_memory_limit: [65_536n] });
    const wasm = canister('(func (export "canister_init"))', 2);
    await expect(replica.installCode({ canisterId, wasm })).rejects.toMatchObject({ errorCode: 'IC0539' });
  });
});

describe('the log', () => {
  const printer = canister(`
    (data (i32.const 0) "hello")
    (func $say (call $debug_print (i32.const 0) (i32.const 5)))
    (func (export "canister_update say") (call $say) (call $msg_reply))
    (func (export "canister_query ask") (call $say) (call $msg_reply))
    (func (export "canister_update trap") (call $say) (call $trap (i32.const 1) (i32.const 4)))
    (func (export "canister_update divide") (drop (i32.div_u (i32.const 1) (i32.const 0))))
    (func (export "canister_update beyond") (call $debug_print (i32.const 65530) (i32.const 100)) (call $msg_reply))
    (func (export "canister_update trapBeyond") (call $trap (i32.const 65530) (i32.const 100)))
    (func (export "canister_update much") (call $debug_print (i32.const 1024) (i32.const 5000)) (call $msg_reply))`);

  test('has what replicated messages print and trap with, though they are undone; of queries it has nothing', async () => {
    const { update, replica, canisterId, logs } = await setUp(printer);
    await update('say');
    for (const method of ['trap', 'divide']) await expect(update(method)).rejects.toThrow();
    await replica.queryCall({ canisterId, method: 'ask', arg: empty });
    expect(await logs()).toEqual(['hello', 'hello', '[TRAP]: ello', '[TRAP]: integer division by 0']);
    await update('ask');
    expect((await logs()).length).toBe(5);
    expect(await logs([{ by_idx: { start: 1n, end: 3n } }])).toEqual(['hello', '[TRAP]: ello']);
    expect(await logs([{ by_timestamp_nanos: { start: 0n, end: 1n } }])).toEqual([]);
  });

  test('has nothing of a call whose answer nobody waits for: its callback is none', async () => {
    const { update, replica, logs } = await setUp(
      canister(`
        (table 1 1 funcref)
        (data (i32.const 0) "say")
        (func (export "canister_update say") (call $debug_print (i32.const 0) (i32.const 3)) (call $msg_reply))
        (func (export "canister_update tell")
          (call $canister_self_copy (i32.const 16) (i32.const 0) (call $canister_self_size))
          (call $call_new (i32.const 16) (call $canister_self_size) (i32.const 0) (i32.const 3)
            (i32.const -1) (i32.const -1) (i32.const -1) (i32.const -1))
          (drop (call $call_perform))
          (call $msg_reply))`),
    );
    await update('tell');
    while ((await replica.tick()) > 0);
    const { outcome } = replica.messages.findLast(({ kind }) => kind === 'replyCallback')!;
    expect(outcome).toMatchObject({ status: 'trapped', errorCode: 'IC0513' });
    expect(await logs()).toEqual(['say']);
  });

  test('printing never traps, wherever the bytes are', async () => {
    const { update, logs } = await setUp(printer);
    await update('beyond');
    await expect(update('trapBeyond')).rejects.toMatchObject({ errorCode: 'IC0503' });
    expect((await logs())[0]).toMatch(/out of memory bounds/);
  });

  test('outlives an upgrade, not a reinstallation and not uninstalling', async () => {
    const { update, logs, replica, canisterId } = await setUp(printer);
    const install = (mode: 'upgrade' | 'reinstall' | 'install') =>
      replica.installCode({ canisterId, wasm: printer, mode });
    await update('say');
    await install('upgrade');
    expect(await logs()).toEqual(['hello']);
    await install('reinstall');
    expect(await logs()).toEqual([]);
    await update('say');
    await replica.uninstallCode({ canisterId });
    expect(await logs()).toEqual([]);
  });

  test('is as long as the settings say, 4 KiB by default', async () => {
    const { update, logs, set } = await setUp(printer);
    await update('much');
    expect((await logs()).map((text: string) => text.length)).toEqual([4_096]);
    await set({ log_memory_limit: [10_000n] });
    await update('much');
    await update('say');
    expect((await logs()).map((text: string) => text.length)).toEqual([4_096, 5_000, 5]);
    await update('much');
    expect((await logs()).map((text: string) => text.length)).toEqual([5, 5_000]);
    await set({ log_memory_limit: [0n] });
    await update('say');
    expect(await logs()).toEqual([]);
  });
});

describe('without cycles', () => {
  test('a canister is refused what costs, can be looked at and topped up, and never owes', async () => {
    const { replica, target, canisterId, manage } = await setUp(undefined, 0n);
    await expect(manage(alice, 'stop_canister')).rejects.toMatchObject({ errorCode: 'IC0207', rejectCode: 2 });
    expect((await replica.canisterStatus({ canisterId })).cycles).toBe(0n);
    const wasm = canister('(func (export "canister_init"))');
    await expect(replica.installCode({ canisterId, wasm })).rejects.toMatchObject({ errorCode: 'IC0207' });
    expect([target.code, target.cycles]).toEqual([undefined, 0n]);
    await manage(bob, 'provisional_top_up_canister', { amount: 10n ** 12n });
    await manage(alice, 'stop_canister');
    expect(target.cycles).toBeLessThan(10n ** 12n);
    await replica.installCode({ canisterId, wasm });
  });

  test('what was let in is not paid with cycles that are not there', async () => {
    const wasm = canister('(func (export "canister_update go") (call $msg_reply))');
    const { replica, target, canisterId } = await setUp(wasm);
    target.settings.freezingThreshold = 0n;
    target.cycles = 40_005_000_000n + 3_000_000n;
    const ids = [];
    for (let i = 0; i < 10; i++) ids.push(await replica.submitCall({ canisterId, method: 'go', arg: empty }));
    target.cycles = 3_000_000n;
    await replica.tick();
    expect(target.cycles).toBe(0n);
    expect(ids.map((id) => replica.requestStatus(id)!.status)).toEqual(ids.map(() => 'rejected'));
  });

  test('a failed upgrade gives back what pre_upgrade burned, and costs its instructions', async () => {
    const wasm = canister(`(func (export "canister_pre_upgrade")
      (call $cycles_burn128 (i64.const 0) (i64.const 1000000000000) (i32.const 0)))`);
    const { replica, target, canisterId } = await setUp(wasm);
    const before = target.cycles;
    const broken = canister('(func (export "canister_post_upgrade") (unreachable))');
    await expect(replica.installCode({ canisterId, wasm: broken, mode: 'upgrade' })).rejects.toThrow('unreachable');
    const spent = replica.messages.reduce((sum, { instructions }) => sum + instructions.total, 0);
    expect(before - target.cycles).toBe(installFee(broken) + BigInt(spent));
  });
});

test('a timer that comes due while the canister is stopped runs when it is started', async () => {
  const { replica, canisterId, update } = await setUp(
    canister(`(func (export "canister_update set") (drop (call $global_timer_set (i64.const 1))) (call $msg_reply))
    (func (export "canister_global_timer") (i32.store (i32.const 0) (i32.const 1)))
    (func (export "canister_query ran") (call $replyInt (i32.load (i32.const 0))))`),
  );
  await update('set');
  // The timer was due at once: it is queued by the next tick, and the canister is stopped before.
  const stopped = replica.stopCanister({ canisterId });
  await stopped;
  await replica.startCanister({ canisterId });
  await replica.tick();
  expect(int(await replica.queryCall({ canisterId, method: 'ran', arg: empty }))).toBe(1);
});

test('the version counts from 0, up with every change; post_upgrade sees the new one', async () => {
  const wasm = canister(`
    (global $seen (mut i64) (i64.const -1))
    (func $see (global.set $seen (call $canister_version)))
    (export "canister_init" (func $see)) (export "canister_post_upgrade" (func $see))
    (func (export "canister_query seen") (call $replyLong (global.get $seen)))
    (func (export "canister_update now") (call $replyLong (call $canister_version)))
    (func (export "canister_update trap") (unreachable))`);
  const { replica, canisterId, target, update } = await setUp();
  const seen = async () => long(await replica.queryCall({ canisterId, method: 'seen', arg: empty }));
  expect(target.version).toBe(0n);
  await replica.installCode({ canisterId, wasm });
  expect([await seen(), target.version]).toEqual([1, 1n]);
  expect(long(await update('now'))).toBe(1);
  await expect(update('trap')).rejects.toThrow();
  expect(target.version).toBe(2n);
  await replica.installCode({ canisterId, wasm, mode: 'upgrade' });
  expect([await seen(), target.version]).toEqual([3, 3n]);
  await replica.stopCanister({ canisterId });
  expect(target.version).toBe(5n);
});

test('canister_metadata is for canisters, private sections for controllers', async () => {
  const { replica, canisterId, manage } = await setUp();
  await expect(manage(alice, 'canister_metadata', { name: 'x' })).rejects.toThrow('only be called by a canister');
  expect(replica.canister(canisterId)!.metadata.size).toBe(0);
});
