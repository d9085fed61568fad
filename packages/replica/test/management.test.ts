/** The management canister: who may call what, and what it does. */
import { createHash } from 'node:crypto';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { managementTypes } from '../src/management/idl.ts';
import { installFee } from './fees.ts';
import { canister, int } from './wat.ts';

const management = Principal.managementCanister();
const [alice, bob] = [1, 2].map((byte) => Principal.selfAuthenticating(new Uint8Array([byte])));
const empty = new Uint8Array(0);

// biome-ignore lint/suspicious/noExplicitAny: values of Candid
type Value = any;

function setUp() {
  const replica = new Replica({ autoTick: false, seed: 7 });
  const manage = async (sender: Principal, method: string, value?: Value): Promise<Value> => {
    const { arg: types, result } = managementTypes[method];
    const arg = new Uint8Array(IDL.encode(types, types.length > 0 ? [value] : []));
    const reply = await replica.updateCall({ canisterId: management, method, arg, sender });
    return IDL.decode(result, reply as Uint8Array<ArrayBuffer>)[0];
  };
  const { canisterId } = replica.createCanister({ controllers: [alice] });
  return { replica, manage, canisterId, named: { canister_id: canisterId } };
}

const counter = canister(`
  (global $n (mut i32) (i32.const 0))
  (func (export "canister_init") (global.set $n (i32.const 10)))
  (func (export "canister_pre_upgrade")
    (drop (call $stable64_grow (i64.const 1)))
    (i32.store (i32.const 0) (global.get $n))
    (call $stable64_write (i64.const 0) (i64.const 0) (i64.const 4)))
  (func (export "canister_post_upgrade")
    (call $stable64_read (i64.const 0) (i64.const 0) (i64.const 4))
    (global.set $n (i32.add (i32.load (i32.const 0)) (i32.const 100))))
  (func (export "canister_update inc") (global.set $n (i32.add (global.get $n) (i32.const 1))) (call $replyInt (global.get $n)))
  (func (export "canister_query get") (call $replyInt (global.get $n)))
  (func (export "canister_update print") (call $debug_print (i32.const 512) (i32.const 2)) (call $msg_reply))
  (func (export "canister_query balance") (call $replyInt (call $env_var_count)))
  (data (i32.const 512) "hi")`);

describe('install_code', () => {
  test('install, upgrade with stable memory, reinstall, uninstall', async () => {
    const { replica, canisterId } = setUp();
    const get = async () => int(await replica.queryCall({ canisterId, method: 'get', arg: empty }));
    const before = replica.canister(canisterId)!.cycles;
    await replica.installCode({ canisterId, wasm: counter });
    const { total } = replica.messages.at(-1)!.instructions;
    expect(before - replica.canister(canisterId)!.cycles).toBe(installFee(counter) + BigInt(total));
    await replica.updateCall({ canisterId, method: 'inc', arg: empty });
    expect(await get()).toBe(11);
    await expect(replica.installCode({ canisterId, wasm: counter })).rejects.toThrow('not empty');
    await replica.installCode({ canisterId, wasm: counter, mode: 'upgrade' });
    expect(await get()).toBe(111);
    await replica.installCode({ canisterId, wasm: counter, mode: 'reinstall' });
    expect(await get()).toBe(10);
    await replica.uninstallCode({ canisterId });
    await expect(get()).rejects.toMatchObject({ errorCode: 'IC0537' });
  });

  test('an upgrade that traps, before or after, leaves everything as it was', async () => {
    const { replica, canisterId } = setUp();
    const get = async () => int(await replica.queryCall({ canisterId, method: 'get', arg: empty }));
    await replica.installCode({ canisterId, wasm: counter });
    await replica.updateCall({ canisterId, method: 'inc', arg: empty });
    const before = replica.canister(canisterId)!.moduleHash;
    const broken = canister(
      '(func (export "canister_post_upgrade") (drop (call $stable64_grow (i64.const 5))) (unreachable))',
    );
    await expect(replica.installCode({ canisterId, wasm: broken, mode: 'upgrade' })).rejects.toThrow(
      /Canister trapped: unreachable/,
    );
    expect(await get()).toBe(11);
    expect(replica.canister(canisterId)!.stable.size).toBe(0);
    expect(replica.canister(canisterId)!.moduleHash).toBe(before);
    expect(replica.messages.map(({ kind }) => kind)).toContain('preUpgrade');
  });

  test('a stranger may not install; a module that breaks a rule is named with the rule', async () => {
    const { replica, canisterId } = setUp();
    await expect(replica.installCode({ canisterId, wasm: counter, sender: bob })).rejects.toMatchObject({
      errorCode: 'IC0512',
    });
    const wrong = replica.installCode({ canisterId, wasm: new Uint8Array([1, 2, 3]) });
    await expect(wrong).rejects.toMatchObject({ errorCode: 'IC0505' });
  });

  test('by chunks', async () => {
    const { manage, canisterId, named, replica } = setUp();
    const parts = [counter.slice(0, 500), counter.slice(500)];
    const hashes = [];
    for (const chunk of parts) hashes.push(await manage(alice, 'upload_chunk', { ...named, chunk }));
    expect(await manage(alice, 'stored_chunks', named)).toHaveLength(2);
    const install = {
      mode: { install: null },
      target_canister: canisterId,
      store_canister: [],
      chunk_hashes_list: hashes,
      wasm_module_hash: createHash('sha256').update(counter).digest(),
      arg: empty,
      sender_canister_version: [],
    };
    await expect(manage(alice, 'install_chunked_code', { ...install, chunk_hashes_list: [hashes[0]] })).rejects.toThrow(
      'with hash',
    );
    await manage(alice, 'install_chunked_code', install);
    expect(int(await replica.queryCall({ canisterId, method: 'get', arg: empty }))).toBe(10);
    await manage(alice, 'clear_chunk_store', named);
    expect(await manage(alice, 'stored_chunks', named)).toEqual([]);
    await expect(manage(bob, 'upload_chunk', { ...named, chunk: empty })).rejects.toMatchObject({
      errorCode: 'IC0512',
    });
  });
});

describe('lives of canisters', () => {
  test('created with cycles and settings, changed, looked at, deleted when stopped', async () => {
    const { manage, replica } = setUp();
    const settings = {
      controllers: [[alice, bob]],
      compute_allocation: [],
      memory_allocation: [],
      freezing_threshold: [60n],
      reserved_cycles_limit: [],
      log_visibility: [],
      log_memory_limit: [],
      snapshot_visibility: [],
      status_visibility: [],
      minimum_incoming_canister_call_cycles: [],
      wasm_memory_limit: [],
      wasm_memory_threshold: [],
      environment_variables: [[{ name: 'A', value: 'b' }]],
    };
    const value = { amount: [5_000_000_000_000n], settings: [settings], specified_id: [], sender_canister_version: [] };
    const created = await manage(bob, 'provisional_create_canister_with_cycles', value);
    const status = await manage(alice, 'canister_status', created);
    expect(status).toMatchObject({ status: { running: null }, module_hash: [], settings: { freezing_threshold: 60n } });
    expect(status.settings.environment_variables).toEqual([{ name: 'A', value: 'b' }]);
    expect(status.cycles).toBeLessThanOrEqual(5_000_000_000_000n);
    const none = Object.fromEntries(Object.keys(settings).map((key) => [key, []]));
    const update = { ...created, settings: { ...none, controllers: [[bob]] }, sender_canister_version: [] };
    await manage(alice, 'update_settings', update);
    await expect(manage(alice, 'canister_status', created)).rejects.toMatchObject({ errorCode: 'IC0512' });
    await expect(manage(bob, 'delete_canister', created)).rejects.toMatchObject({ errorCode: 'IC0510' });
    await manage(bob, 'stop_canister', created);
    await manage(bob, 'delete_canister', created);
    expect(replica.canister(created.canister_id)).toBeUndefined();
    await expect(manage(bob, 'start_canister', created)).rejects.toMatchObject({ errorCode: 'IC0301' });
  });

  test('an id that is asked for is given once, to whom asks first', async () => {
    const { manage, replica, canisterId } = setUp();
    const wanted = Principal.fromHex('000000000070000a0101');
    const asking = (id: Principal) => ({ amount: [], settings: [], specified_id: [id], sender_canister_version: [] });
    const create = (id: Principal) => manage(bob, 'provisional_create_canister_with_cycles', asking(id));
    expect((await create(wanted)).canister_id.toText()).toBe(wanted.toText());
    expect(replica.canister(wanted)!.settings.controllers).toEqual([bob]);
    const taken = { errorCode: 'IC0504', message: expect.stringContaining('already installed') };
    await expect(create(wanted)).rejects.toMatchObject(taken);
    await expect(create(canisterId)).rejects.toMatchObject(taken);
    await expect(create(alice!)).rejects.toMatchObject({ message: expect.stringContaining('expected ten bytes') });
    // the ids that follow of themselves do not run into it
    const next = Principal.fromUint8Array(replica.createCanister().canisterId.toUint8Array());
    const after = next.toUint8Array();
    after[7]! += 1;
    await create(Principal.fromUint8Array(after));
    expect(replica.createCanister().canisterId.toText()).not.toBe(Principal.fromUint8Array(after).toText());
  });

  test('top-up, logs, and what only canisters may call', async () => {
    const { manage, replica, canisterId, named } = setUp();
    const before = replica.canister(canisterId)!.cycles;
    await manage(bob, 'provisional_top_up_canister', { ...named, amount: 10n ** 12n });
    expect(replica.canister(canisterId)!.cycles).toBeGreaterThan(before + 10n ** 12n - 10n ** 9n);
    await replica.installCode({ canisterId, wasm: counter });
    await replica.updateCall({ canisterId, method: 'print', arg: empty });
    const logs = async (sender: Principal) => {
      const [arg, method] = [
        new Uint8Array(IDL.encode(managementTypes['fetch_canister_logs'].arg, [{ ...named, filter: [] }])),
        'fetch_canister_logs',
      ];
      const reply = await replica.queryCall({ canisterId: management, method, arg, sender });
      const [{ canister_log_records: records }] = IDL.decode(
        managementTypes[method].result,
        reply as Uint8Array<ArrayBuffer>,
      ) as Value[];
      return records.map((record: Value) => new TextDecoder().decode(new Uint8Array(record.content)));
    };
    expect(await logs(alice)).toEqual(['hi']);
    await expect(logs(bob)).rejects.toMatchObject({ errorCode: 'IC0512' });
    for (const method of ['raw_rand', 'deposit_cycles', 'create_canister', 'fetch_canister_logs'])
      await expect(
        manage(alice, method, { ...named, settings: [], filter: [], sender_canister_version: [] }),
      ).rejects.toThrow('only be called by a canister');
    await expect(
      replica.updateCall({ canisterId: management, method: 'http_request', arg: empty }),
    ).rejects.toMatchObject({ errorCode: 'IC0536' });
  });

  test('raw_rand is 32 bytes, the same for the same seed', async () => {
    const draw = async () => {
      const { replica, canisterId } = setUp();
      const wasm = canister(`(data (i32.const 512) "raw_rand") (data (i32.const 600) "DIDL\\00\\00")
        (table 1 funcref) (elem (i32.const 0) $done)
        (func $done (param i32)
          (call $msg_arg_data_copy (i32.const 700) (i32.const 0) (call $msg_arg_data_size))
          (call $msg_reply_data_append (i32.const 700) (call $msg_arg_data_size))
          (call $msg_reply))
        (func (export "canister_update draw")
          (call $call_new (i32.const 0) (i32.const 0) (i32.const 512) (i32.const 8)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
          (call $call_data_append (i32.const 600) (i32.const 6))
          (drop (call $call_perform)))`);
      await replica.installCode({ canisterId, wasm });
      const reply = await replica.updateCall({ canisterId, method: 'draw', arg: empty });
      return IDL.decode([IDL.Vec(IDL.Nat8)], reply as Uint8Array<ArrayBuffer>)[0] as Value;
    };
    const drawn = await draw();
    expect(drawn).toHaveLength(32);
    expect(await draw()).toEqual(drawn);
  });
});
