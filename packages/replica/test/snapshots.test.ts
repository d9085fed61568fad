/** Snapshots: what they hold, who may do what with them, what they cost. */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { managementTypes } from '../src/management/idl.ts';
import { agentCallFee, installAgainFee } from './fees.ts';
import { canister, int } from './wat.ts';

const management = Principal.managementCanister();
const empty = new Uint8Array(0);
const [alice, bob] = [1, 2].map((byte) => Principal.selfAuthenticating(new Uint8Array([byte])));
const GiB = 2 ** 30;

// biome-ignore lint/suspicious/noExplicitAny: values of Candid
type Value = any;

/** State everywhere: globals of all types, heap, stable memory, certified data. `inc` changes all of it. */
const stateful = canister(
  `
  (global $n (export "n") (mut i32) (i32.const 10))
  (global $long (mut i64) (i64.const -5))
  (global $half (mut f32) (f32.const 0.5))
  (global $quarter (mut f64) (f64.const 0.25))
  (global $vector (mut v128) (v128.const i64x2 3 -4))
  (global $fixed (export "fixed") i32 (i32.const 77))
  ;; a page of its own, of which nothing is left once $all has run
  (data (i32.const 140000) "\\7f")
  (func (export "canister_init") (drop (call $stable64_grow (i64.const 3))) (call $all))
  (func $all
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (global.set $long (i64.sub (global.get $long) (i64.const 1)))
    (global.set $half (f32.add (global.get $half) (f32.const 1)))
    (global.set $quarter (f64.add (global.get $quarter) (f64.const 1)))
    (global.set $vector (i64x2.add (global.get $vector) (v128.const i64x2 1 1)))
    (i32.store (i32.const 140000) (i32.const 0))
    (i32.store (i32.const 70000) (global.get $n))
    (call $stable64_write (i64.const 65534) (i64.const 70000) (i64.const 4))
    (call $certified_data_set (i32.const 70000) (i32.const 4)))
  (func (export "canister_update inc") (call $all) (call $replyInt (global.get $n)))
  (func (export "canister_update trap") (call $all) (unreachable))
  (func (export "canister_update grow") (drop (memory.grow (i32.const 1))) (call $replyInt (memory.size)))
  (func (export "canister_query pages") (call $replyInt (memory.size)))
  (func (export "canister_query sum")
    (call $stable64_read (i64.const 70008) (i64.const 65534) (i64.const 4))
    (call $replyInt (i32.add (i32.add (i32.add (global.get $n) (i32.add (i32.load (i32.const 140000)) (i32.load (i32.const 70000))))
        (i32.add (i32.load (i32.const 70008)) (i32.wrap_i64 (global.get $long))))
      (i32.add (i32.trunc_f64_s (f64.add (f64.promote_f32 (global.get $half)) (global.get $quarter)))
        (i32.add (i32.wrap_i64 (i64x2.extract_lane 0 (global.get $vector)))
          (i32.wrap_i64 (i64x2.extract_lane 1 (global.get $vector))))))))
  (func (export "canister_update arm") (drop (call $global_timer_set (i64.const 9000000000000000000))) (call $replyInt (i32.const 0)))
  (func (export "canister_global_timer"))`,
  3,
);

async function setUp(cycles?: bigint) {
  const replica = new Replica({ autoTick: false, seed: 1 });
  const manage = async (
    method: string,
    value: Value,
    sender = alice,
    ask: 'updateCall' | 'queryCall' = 'updateCall',
  ) => {
    const { arg: types, result } = managementTypes[method];
    const arg = new Uint8Array(IDL.encode(types, [{ ...optional, ...value }]));
    const reply = await replica[ask]({ canisterId: management, method, arg, sender });
    return IDL.decode(result, reply as Uint8Array<ArrayBuffer>)[0] as Value;
  };
  const create = () => replica.createCanister({ controllers: [alice], cycles });
  const source = create();
  await replica.installCode({ canisterId: source.canisterId, wasm: stateful });
  const call = (method: string, canisterId = source.canisterId) =>
    replica.updateCall({ canisterId, method, arg: empty }).then(int);
  const ask = (method: string, canisterId = source.canisterId) =>
    replica.queryCall({ canisterId, method, arg: empty }).then(int);
  const id = { canister_id: source.canisterId };
  const take = (more: Value = {}) => manage('take_canister_snapshot', { ...id, ...more });
  const load = (snapshot: Value, to = id, sender = alice) =>
    manage('load_canister_snapshot', { ...to, snapshot_id: snapshot.id }, sender);
  const list = () => manage('list_canister_snapshots', id);
  return { replica, manage, source, create, call, ask, id, take, load, list };
}

const optional = { replace_snapshot: [], uninstall_code: [], sender_canister_version: [] };
const named = (canisterId: Principal) => ({ canister_id: canisterId });
const bytes = (value: Value) => Uint8Array.from(value);

describe('taken and loaded', () => {
  test('globals, heap, stable memory, certified data and module come back; what was done since is gone', async () => {
    const { call, ask, source, replica, take, load } = await setUp();
    const before = await ask('sum');
    const certified = source.certifiedData;
    const snapshot = await take();
    await call('inc');
    await call('grow');
    await expect(call('trap')).rejects.toThrow('unreachable');
    expect(await ask('sum')).not.toBe(before);
    await replica.installCode({ canisterId: source.canisterId, wasm: canister(''), mode: 'reinstall' });
    const { version } = source;
    await load(snapshot);
    expect([await ask('sum'), await ask('pages')]).toEqual([before, 3]);
    expect(source.certifiedData).toEqual(certified);
    expect(source.stable.size).toBe(3);
    expect(source.version).toBe(version + 1n);
    // and it is a canister like any: what it does from now on, and undoes, leaves the snapshot alone
    await call('inc');
    await expect(call('trap')).rejects.toThrow('unreachable');
    await load(snapshot);
    expect(await ask('sum')).toBe(before);
  });

  test('into another canister, an empty one or one with other code, which then go their own ways', async () => {
    const { call, ask, create, replica, take, load } = await setUp();
    await call('inc');
    const before = await ask('sum');
    const snapshot = await take();
    for (const wasm of [undefined, canister('(func (export "canister_query other"))')]) {
      const { canisterId } = create();
      if (wasm) await replica.installCode({ canisterId, wasm });
      await load(snapshot, named(canisterId));
      expect(await ask('sum', canisterId)).toBe(before);
      await call('inc', canisterId);
      expect(await ask('sum')).toBe(before);
    }
  });

  test('the timer of the canister stays as it is, as does its log', async () => {
    const { call, source, take, load, create, replica } = await setUp();
    await call('arm');
    const snapshot = await take();
    const { canisterId } = create();
    await load(snapshot, named(canisterId));
    expect(replica.canister(canisterId)!.globalTimer).toBe(0n);
    source.globalTimer = 5_000_000_000_000_000_000n;
    await load(snapshot);
    expect(source.globalTimer).toBe(5_000_000_000_000_000_000n);
  });

  test('chunks of the chunk store are in it', async () => {
    const { manage, id, take, load, source } = await setUp();
    await manage('upload_chunk', { ...id, chunk: bytes([1, 2, 3]) });
    const snapshot = await take();
    await manage('clear_chunk_store', id);
    await load(snapshot);
    expect([...source.chunks.values()]).toEqual([bytes([1, 2, 3])]);
  });
});

describe('who and when', () => {
  test('controllers only, of both canisters', async () => {
    const { manage, id, take, load, list, create } = await setUp();
    const snapshot = await take();
    const own = { ...id, snapshot_id: snapshot.id };
    for (const [method, value] of [
      ['take_canister_snapshot', id],
      ['load_canister_snapshot', own],
      ['list_canister_snapshots', id],
      ['delete_canister_snapshot', own],
      ['read_canister_snapshot_metadata', own],
      ['read_canister_snapshot_data', { ...own, kind: { wasm_module: { offset: 0n, size: 1n } } }],
      ['upload_canister_snapshot_data', { ...own, kind: { wasm_chunk: null }, chunk: empty }],
    ] as const)
      await expect(manage(method, value, bob), method).rejects.toMatchObject({ errorCode: 'IC0512' });
    const other = create();
    other.settings = { ...other.settings, controllers: [alice, bob] };
    await expect(load(snapshot, named(other.canisterId), bob)).rejects.toMatchObject({
      errorCode: 'IC0406',
      message: expect.stringContaining('Only a controller of the canister that snapshot'),
    });
    await load(snapshot, named(other.canisterId));
    expect(await list()).toEqual([snapshot]);
  });

  test('whom snapshot_visibility names may list and read, and nothing else', async () => {
    const { manage, id, take, source } = await setUp();
    const snapshot = await take();
    source.settings = { ...source.settings, snapshotVisibility: [bob] };
    const own = { ...id, snapshot_id: snapshot.id };
    expect(await manage('list_canister_snapshots', id, bob)).toHaveLength(1);
    await manage('read_canister_snapshot_metadata', own, bob);
    await manage('read_canister_snapshot_data', { ...own, kind: { wasm_module: { offset: 0n, size: 1n } } }, bob);
    for (const method of ['take_canister_snapshot', 'load_canister_snapshot', 'delete_canister_snapshot'])
      await expect(manage(method, own, bob), method).rejects.toMatchObject({ errorCode: 'IC0512' });
  });

  test('one that is not there, or another canister’s, is refused by name', async () => {
    const { manage, id, take, create, load } = await setUp();
    const snapshot = await take();
    const other = named(create().canisterId);
    await expect(manage('delete_canister_snapshot', { ...other, snapshot_id: snapshot.id })).rejects.toMatchObject({
      errorCode: 'IC0406',
      message: expect.stringContaining('does not belong to canister'),
    });
    await manage('delete_canister_snapshot', { ...id, snapshot_id: snapshot.id });
    const missing = {
      errorCode: 'IC0305',
      rejectCode: 3,
      message: expect.stringContaining('Could not find the snapshot'),
    };
    for (const snapshotId of [snapshot.id, empty, new Uint8Array(40)]) {
      await expect(load({ id: snapshotId })).rejects.toMatchObject(missing);
      await expect(take({ replace_snapshot: [snapshotId] })).rejects.toMatchObject(missing);
    }
  });

  test('an empty canister has none to take', async () => {
    const { manage, create } = await setUp();
    await expect(manage('take_canister_snapshot', named(create().canisterId))).rejects.toMatchObject({
      errorCode: 'IC0406',
      message: expect.stringContaining('Failed to create snapshot for empty canister'),
    });
  });

  test('ten for a canister; an eleventh replaces one or is refused', async () => {
    const { take, list } = await setUp();
    for (let i = 0; i < 10; i++) await take();
    await expect(take()).rejects.toThrow('has reached the maximum number of snapshots allowed: 10.');
    const [first, second] = await list();
    const newest = await take({ replace_snapshot: [first.id] });
    const ids = (await list()).map(({ id }: Value) => Buffer.from(id).toString('hex'));
    expect(ids).toHaveLength(10);
    expect([ids[0], ids[9]]).toEqual([second.id, newest.id].map((id) => Buffer.from(id).toString('hex')));
    expect(ids[9]).toBe('000000000000000a00000000000000000101');
  });

  test('they outlive a reinstall and an uninstall, and go with the canister', async () => {
    const { take, load, list, ask, replica, source, create } = await setUp();
    const sum = await ask('sum');
    const snapshot = await take({ uninstall_code: [true] });
    expect(source.code).toBeUndefined();
    expect(await list()).toHaveLength(1);
    await load(snapshot);
    expect(await ask('sum')).toBe(sum);
    await replica.stopCanister({ canisterId: source.canisterId });
    await replica.deleteCanister({ canisterId: source.canisterId });
    await expect(load(snapshot, named(create().canisterId))).rejects.toMatchObject({ errorCode: 'IC0305' });
  });
});

describe('what they cost', () => {
  /** What a call leaves less in the canister, without its ingress. */
  async function cost(setup: Awaited<ReturnType<typeof setUp>>, method: string, value: Value): Promise<bigint> {
    const arg = new Uint8Array(IDL.encode(managementTypes[method].arg, [{ ...optional, ...value }]));
    const canister = setup.replica.canister(value.canister_id)!;
    const before = canister.cycles;
    await setup.replica.updateCall({ canisterId: management, method, arg, sender: alice });
    return before - canister.cycles - BigInt(agentCallFee({ canisterId: management, methodName: method, arg }));
  }

  test('2 B and a byte each to take; to load, 2 B, the compiler and a byte each; to read, 5 M and a byte each', async () => {
    const setup = await setUp();
    const { id, create } = setup;
    const size = BigInt(stateful.length + 6 * 65_536 + 6 * 8 + 4);
    expect(await cost(setup, 'take_canister_snapshot', id)).toBe(5_000_000n + 2_000_000_000n + size);
    const [{ id: snapshotId, total_size: total }] = await setup.list();
    expect(total).toBe(size);
    const own = { ...id, snapshot_id: snapshotId };
    const there = named(create().canisterId);
    expect(await cost(setup, 'load_canister_snapshot', { ...there, snapshot_id: snapshotId })).toBe(
      5_000_000n + 2_000_000_000n + installAgainFee(stateful) + size,
    );
    const kind = { stable_memory: { offset: 5n, size: 1000n } };
    expect(await cost(setup, 'read_canister_snapshot_data', { ...own, kind })).toBe(5_000_000n + 5_000_000n + 1000n);
    for (const method of ['list_canister_snapshots', 'read_canister_snapshot_metadata', 'delete_canister_snapshot'])
      expect(await cost(setup, method, own), method).toBe(0n);
  });

  test('storage is charged for them, and the status says how much', async () => {
    const { take, manage, id, source } = await setUp();
    const status = async () => {
      const { memory_size, memory_metrics, idle_cycles_burned_per_day } = await manage('canister_status', id);
      return [memory_size, memory_metrics.snapshots_size, idle_cycles_burned_per_day];
    };
    const [memory, none, idle] = await status();
    expect(none).toBe(0n);
    const { total_size: total, id: snapshotId } = await take();
    const [more, size, dearer] = await status();
    expect([more - memory, size]).toEqual([total, total]);
    expect(Number(dearer - idle)).toBeCloseTo((Number(total) * 317_500 * 86_400) / GiB, -1);
    await manage('delete_canister_snapshot', { ...id, snapshot_id: snapshotId });
    expect(source.snapshotBytes).toBe(0);
  });

  test('where cycles are short nothing happens', async () => {
    const setup = await setUp();
    const { take, load, source, list, call, ask, create, manage, id } = setup;
    const snapshot = await take();
    await call('inc');
    const sum = await ask('sum');
    const poor = { errorCode: 'IC0207', message: expect.stringContaining('Canister snapshotting failed with') };
    source.cycles = source.freezingCycles + 1_000_000_000n;
    await expect(take()).rejects.toMatchObject(poor);
    await expect(load(snapshot)).rejects.toMatchObject(poor);
    expect([await ask('sum'), (await list()).length]).toEqual([sum, 1]);
    // enough to load it, not to keep it
    const other = create();
    other.settings = { ...other.settings, freezingThreshold: 10n ** 12n };
    other.cycles = other.freezingCycles + 3_000_000_000n;
    await expect(load(snapshot, named(other.canisterId))).rejects.toMatchObject({ errorCode: 'IC0532' });
    expect([other.code, other.stable.size, other.version]).toEqual([undefined, 0, 0n]);
    // nor to upload 400 GiB, which cost 132 T for thirty days
    source.cycles = 10n ** 14n;
    const metadata = { ...blank, ...id, stable_memory_size: BigInt(400 * GiB) };
    await expect(manage('upload_canister_snapshot_metadata', metadata)).rejects.toMatchObject({
      errorCode: 'IC0532',
      message: expect.stringContaining('Canister cannot grow memory by 4294967'),
    });
  });
});

const blank = {
  wasm_module_size: 8n,
  globals: [],
  wasm_memory_size: 0n,
  stable_memory_size: 0n,
  certified_data: empty,
  global_timer: [],
  on_low_wasm_memory_hook_status: [],
};

describe('read and uploaded', () => {
  /** Reads a snapshot and uploads it to another canister, as a tool does. */
  async function copy(setup: Awaited<ReturnType<typeof setUp>>, from: Value, to: Principal, change: Value = {}) {
    const { manage, id } = setup;
    const own = { ...id, snapshot_id: from };
    const metadata = await manage('read_canister_snapshot_metadata', own);
    const there = named(to);
    const { snapshot_id } = await manage('upload_canister_snapshot_metadata', { ...metadata, ...there, ...change });
    const part = async (kind: string, size: bigint) => {
      for (let offset = 0n; offset < size; offset += 100_000n) {
        const length = size - offset < 100_000n ? size - offset : 100_000n;
        const { chunk } = await manage('read_canister_snapshot_data', {
          ...own,
          kind: { [kind]: { offset, size: length } },
        });
        await manage('upload_canister_snapshot_data', { ...there, snapshot_id, kind: { [kind]: { offset } }, chunk });
      }
    };
    await part('wasm_module', metadata.wasm_module_size);
    await part('wasm_memory', metadata.wasm_memory_size);
    await part('stable_memory', metadata.stable_memory_size);
    for (const { hash } of metadata.wasm_chunk_store) {
      const { chunk } = await manage('read_canister_snapshot_data', { ...own, kind: { wasm_chunk: { hash } } });
      await manage('upload_canister_snapshot_data', { ...there, snapshot_id, kind: { wasm_chunk: null }, chunk });
    }
    return { metadata, copied: { id: snapshot_id } };
  }

  test('metadata says what is in it: exported globals first, then the others that change', async () => {
    const { manage, id, take, call, source } = await setUp();
    await call('arm');
    const { id: snapshot_id, taken_at_timestamp } = await take();
    expect(await manage('read_canister_snapshot_metadata', { ...id, snapshot_id })).toEqual({
      source: { taken_from_canister: null },
      taken_at_timestamp,
      wasm_module_size: BigInt(stateful.length),
      globals: [
        { i32: 11 },
        { i32: 77 },
        { i64: -6n },
        { f32: 1.5 },
        { f64: 1.25 },
        { v128: (BigInt.asUintN(64, -3n) << 64n) | 4n },
      ],
      wasm_memory_size: 3n * 65_536n,
      stable_memory_size: 3n * 65_536n,
      wasm_chunk_store: [],
      canister_version: source.version,
      certified_data: bytes([11, 0, 0, 0]),
      global_timer: [{ active: 9_000_000_000_000_000_000n }],
      on_low_wasm_memory_hook_status: [{ condition_not_satisfied: null }],
    });
  });

  test('what was read and uploaded to another canister loads there, timer included', async () => {
    const setup = await setUp();
    const { call, ask, take, load, create, manage, id, replica } = setup;
    await call('arm');
    await manage('upload_chunk', { ...id, chunk: bytes([9, 9]) });
    const snapshot = await take();
    const there = create();
    const { copied } = await copy(setup, snapshot.id, there.canisterId);
    const { total_size: total } = (await manage('list_canister_snapshots', named(there.canisterId)))[0];
    expect(total).toBe(snapshot.total_size);
    await load(copied, named(there.canisterId));
    expect(await ask('sum', there.canisterId)).toBe(await ask('sum'));
    expect(there.globalTimer).toBe(9_000_000_000_000_000_000n);
    expect([...there.chunks.values()]).toEqual([bytes([9, 9])]);
    // data that comes to the snapshot afterwards does not come to the canister
    const stable = { kind: { stable_memory: { offset: 65_534n } }, chunk: bytes([1, 1, 1, 1]) };
    const own = { ...named(there.canisterId), snapshot_id: copied.id };
    await manage('upload_canister_snapshot_data', { ...own, ...stable });
    expect(await ask('sum', there.canisterId)).toBe(await ask('sum'));
    expect(replica.canister(there.canisterId)!.moduleHash).toEqual(replica.canister(id.canister_id)!.moduleHash);
  });

  test.each<[string, Value, string]>([
    [
      'other globals',
      { globals: [{ i32: 1 }] },
      'Wasm exported globals of canister module and snapshot metadata do not match.',
    ],
    ['a hook that cannot have run', { on_low_wasm_memory_hook_status: [{ executed: null }] }, 'Hook status (executed)'],
  ])('%s: it does not load, and nothing happens', async (_, change, words) => {
    const setup = await setUp();
    const there = setup.create();
    const { copied } = await copy(setup, (await setup.take()).id, there.canisterId, change);
    await expect(setup.load(copied, named(there.canisterId))).rejects.toMatchObject({
      errorCode: 'IC0408',
      message: expect.stringContaining(words),
    });
    expect([there.code, there.instance, there.stable.size]).toEqual([undefined, undefined, 0]);
  });

  test('one whose module never came does not load', async () => {
    const { manage, id, load } = await setUp();
    const { snapshot_id } = await manage('upload_canister_snapshot_metadata', { ...blank, ...id });
    await expect(load({ id: snapshot_id })).rejects.toMatchObject({ errorCode: 'IC0505' });
  });

  test.each<[string, Value]>([
    ['WasmModuleEmpty', { wasm_module_size: 0n }],
    ['WasmModuleTooLarge', { wasm_module_size: 2n ** 27n }],
    ['WasmMemoryNotPageAligned', { wasm_memory_size: 1n }],
    ['WasmMemoryTooLarge', { wasm_memory_size: 2n ** 33n }],
    ['StableMemoryNotPageAligned', { stable_memory_size: 65_537n }],
    ['StableMemoryTooLarge', { stable_memory_size: 2n ** 50n }],
    ['ExportedGlobalsTooLarge', { globals: Array.from({ length: 1_001 }, () => ({ i32: 0 })) }],
    ['CertifiedDataTooLarge', { certified_data: new Uint8Array(33) }],
  ])('metadata that cannot be is refused: %s', async (error, change) => {
    const { manage, id, list } = await setUp();
    await expect(manage('upload_canister_snapshot_metadata', { ...blank, ...id, ...change })).rejects.toMatchObject({
      errorCode: 'IC0408',
      message: expect.stringContaining(`Snapshot Metadata contains invalid data: ${error}. Expected`),
    });
    expect(await list()).toEqual([]);
  });

  test('ranges lie within the part; 2,000,000 bytes at a time are read', async () => {
    const { manage, id, take } = await setUp();
    const { id: snapshot_id } = await take();
    const read = (kind: Value) => manage('read_canister_snapshot_data', { ...id, snapshot_id, kind });
    for (const kind of ['wasm_module', 'wasm_memory', 'stable_memory']) {
      for (const [offset, size] of [
        [3n * 65_536n, 1n],
        [2n ** 64n - 1n, 5n],
        [0n, 1_999_999n],
      ] as const)
        await expect(read({ [kind]: { offset, size } }), kind).rejects.toThrow('Invalid subslice into wasm module');
      await expect(read({ [kind]: { offset: 0n, size: 2_000_001n } })).rejects.toThrow(
        'Requested slice too large: 2000001 > 2000000',
      );
    }
    await expect(read({ wasm_chunk: { hash: new Uint8Array(32) } })).rejects.toThrow('WasmChunkHash 00');
    const { chunk } = await read({ stable_memory: { offset: 65_533n, size: 4n } });
    expect(bytes(chunk)).toEqual(bytes([0, 11, 0, 0]));
    const upload = (snapshot: Value, kind: Value, data: Uint8Array) =>
      manage('upload_canister_snapshot_data', { ...id, snapshot_id: snapshot, kind, chunk: data });
    await expect(upload(snapshot_id, { wasm_chunk: null }, bytes([1]))).rejects.toMatchObject({
      errorCode: 'IC0409',
      rejectCode: 4,
    });
    const { snapshot_id: uploaded } = await manage('upload_canister_snapshot_metadata', { ...blank, ...id });
    await expect(upload(uploaded, { wasm_module: { offset: 7n } }, bytes([1, 2]))).rejects.toThrow('Invalid subslice');
    await expect(upload(uploaded, { wasm_chunk: null }, new Uint8Array(2 ** 20 + 1))).rejects.toThrow(
      'Error from Wasm chunk store',
    );
  });
});
