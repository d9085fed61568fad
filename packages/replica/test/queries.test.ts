/**
 * Queries: what they see and throw away; composite queries and the calls they make; inspect_message; what a profile
 * says.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { profile, Replica } from '../src/index.ts';
import { managementTypes } from '../src/management/idl.ts';
import { canister, int } from './wat.ts';

const empty = new Uint8Array(0);

/**
 * A canister whose composite query `ask` calls the method named at 512 of the canister that its argument names, and
 * adds one to the answer. Memory at 1024 counts what `ask` did before.
 */
const asker = (method: string, fields = '') =>
  canister(`
    (data (i32.const 512) "${method}")
    (table 3 funcref) (elem (i32.const 0) $replied $rejected $cleanup)
    (func $replied (param i32)
      (call $msg_arg_data_copy (i32.const 700) (i32.const 0) (call $msg_arg_data_size))
      (if (i32.eq (i32.load (i32.const 700)) (i32.const 99)) (then (unreachable)))
      (call $replyInt (i32.add (i32.add (i32.load (i32.const 700)) (i32.load (i32.const 1024))) (global.get $seen))))
    (func $rejected (param i32) (call $replyInt (i32.sub (i32.const 0) (call $msg_reject_code))))
    (func $cleanup (param i32) (global.set $seen (i32.const 1000)))
    (global $seen (mut i32) (i32.const 0))
    (func (export "canister_composite_query ask")
      (i32.store (i32.const 1024) (i32.add (i32.load (i32.const 1024)) (i32.const 1)))
      (global.set $seen (i32.add (global.get $seen) (i32.const 10)))
      (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
      (call $call_new (i32.const 0) (call $msg_arg_data_size) (i32.const 512) (i32.const ${method.length})
        (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
      (call $call_data_append (i32.const 0) (call $msg_arg_data_size))
      (call $call_on_cleanup (i32.const 2) (i32.const 0))
      (drop (call $call_perform)))
    (func (export "canister_query counted") (call $replyInt (i32.add (i32.load (i32.const 1024)) (global.get $seen))))
    (func (export "canister_query ninetyNine") (call $replyInt (i32.const 99)))
    (func (export "canister_query trap") (unreachable))
    ${fields}`);

async function install(...wasms: Uint8Array[]) {
  const replica = new Replica({ autoTick: false });
  const ids = wasms.map(() => replica.createCanister().canisterId);
  for (const [i, wasm] of wasms.entries()) await replica.installCode({ canisterId: ids[i], wasm });
  const ask = (from: number, to: number) =>
    replica.queryCall({ canisterId: ids[from], method: 'ask', arg: ids[to].toUint8Array() });
  return { replica, ids, ask };
}

describe('composite queries', () => {
  test('call another canister, keep their own changes until the answer, and leave nothing', async () => {
    const { ask, replica } = await install(asker('counted'), asker('counted'));
    for (let i = 0; i < 3; i++) expect(int(await ask(0, 1))).toBe(0 + 1 + 10);
    expect(replica.messages.map(({ kind }) => kind).slice(0, 3)).toEqual(['compositeQuery', 'query', 'replyCallback']);
  });

  test('a query of the same canister sees what is committed, not what the composite query changed', async () => {
    const { ask } = await install(asker('counted'));
    expect(int(await ask(0, 0))).toBe(0 + 1 + 10);
  });

  test('nest, up to a depth', async () => {
    const { ask } = await install(asker('ask'));
    // Six levels: the deepest is refused its call and answers minus the reject code; each of the five above adds its
    // own 11.
    expect(int(await ask(0, 0))).toBe(-5 + 5 * 11);
  });

  test('a callback that traps: cleanup runs, the caller gets the reject', async () => {
    const { ask, replica } = await install(asker('ninetyNine'));
    await expect(ask(0, 0)).rejects.toThrow('unreachable');
    expect(replica.messages.map(({ kind }) => kind)).toContain('cleanup');
  });

  test('a called query that traps is a reject in the callback', async () => {
    const { ask } = await install(asker('trap'));
    expect(int(await ask(0, 0))).toBe(-5);
  });

  test('are queries only', async () => {
    const { replica, ids } = await install(asker('counted'));
    const call = { canisterId: ids[0], method: 'ask', arg: ids[0].toUint8Array() };
    await expect(replica.updateCall(call)).rejects.toMatchObject({ errorCode: 'IC0527' });
  });
});

describe('queries', () => {
  test('an update method is no query, a query method may be called as an update', async () => {
    const { replica, ids } = await install(asker('counted', '(func (export "canister_update set") (call $msg_reply))'));
    const [canisterId] = ids;
    await expect(replica.queryCall({ canisterId, method: 'set', arg: empty })).rejects.toMatchObject({
      errorCode: 'IC0536',
    });
    expect(int(await replica.updateCall({ canisterId, method: 'counted', arg: empty }))).toBe(0);
  });

  test('only the query sent from outside has a data certificate, not those it calls, nor its callbacks', async () => {
    const { replica, ids, ask } = await install(
      asker(
        'certified',
        `(func (export "canister_query certified") (call $replyInt (call $data_certificate_present)))
        (func (export "canister_composite_query certifiedHere") (call $replyInt (call $data_certificate_present)))
        (func (export "canister_query copied") (call $data_certificate_copy (i32.const 0) (i32.const 0) (i32.const 3)) (call $replyInt (i32.load (i32.const 0))))`,
      ),
    );
    const query = async (method: string) => int(await replica.queryCall({ canisterId: ids[0], method, arg: empty }));
    expect(await query('certified')).toBe(0);
    await expect(query('copied')).rejects.toThrow('"ic0_data_certificate_copy" cannot be executed');
    replica.dataCertificate = () => Uint8Array.of(1, 2, 3);
    expect([await query('certified'), await query('certifiedHere'), await query('copied')]).toEqual([1, 1, 0x030201]);
    expect(int(await ask(0, 0))).toBe(0 + 1 + 10);
    expect(int(await replica.updateCall({ canisterId: ids[0], method: 'certified', arg: empty }))).toBe(0);
  });

  test('ask the management canister for the status of a canister', async () => {
    const arg = new Uint8Array(12);
    const { replica, ids } = await install(
      canister(`
        (data (i32.const 512) "canister_status")
        (table 2 funcref) (elem (i32.const 0) $replied $rejected)
        (func $replied (param i32)
          (call $msg_arg_data_copy (i32.const 700) (i32.const 0) (call $msg_arg_data_size))
          (call $msg_reply_data_append (i32.const 700) (call $msg_arg_data_size)) (call $msg_reply))
        (func $rejected (param i32) (call $replyInt (call $msg_reject_code)))
        (func (export "canister_composite_query ask")
          (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
          (call $call_new (i32.const 0) (i32.const 0) (i32.const 512) (i32.const 15)
            (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0))
          (call $call_data_append (i32.const 0) (call $msg_arg_data_size))
          (drop (call $call_perform)))`),
    );
    const asked = (canisterId: Principal) => {
      const { arg } = managementTypes['canister_status'];
      const value = new Uint8Array(IDL.encode(arg, [{ canister_id: canisterId }]));
      return replica.queryCall({ canisterId: ids[0], method: 'ask', arg: value });
    };
    const reply = (await asked(ids[0])) as Uint8Array<ArrayBuffer>;
    const [{ status }] = IDL.decode(managementTypes['canister_status'].result, reply) as unknown as {
      status: object;
    }[];
    expect(status).toEqual({ running: null });
    expect(int(await asked(Principal.fromUint8Array(arg)))).toBe(3);
  });

  test('a reply of 3 MiB, and not one byte more; 2 MiB from an update', async () => {
    const { replica, ids } = await install(
      canister(
        `(func (export "canister_query most") (call $msg_reply_data_append (i32.const 0) (i32.const 3145728)) (call $msg_reply))
        (func (export "canister_query more") (call $msg_reply_data_append (i32.const 0) (i32.const 3145729)) (call $msg_reply))`,
        49,
      ),
    );
    const [canisterId] = ids;
    expect((await replica.queryCall({ canisterId, method: 'most', arg: empty })).length).toBe(3 * 2 ** 20);
    await expect(replica.queryCall({ canisterId, method: 'more', arg: empty })).rejects.toMatchObject({
      errorCode: 'IC0504',
    });
    await expect(replica.updateCall({ canisterId, method: 'most', arg: empty })).rejects.toMatchObject({
      errorCode: 'IC0504',
    });
  });
});

describe('inspect_message', () => {
  test('lets in what it accepts', async () => {
    const { replica, ids } = await install(
      canister(`(func (export "canister_inspect_message")
          (if (i32.eq (call $msg_method_name_size) (i32.const 4)) (then (call $accept_message))))
        (func (export "canister_update open") (call $msg_reply))
        (func (export "canister_update shut") (call $msg_reply))
        (func (export "canister_update closed") (call $msg_reply))`),
    );
    const [canisterId] = ids;
    expect(await replica.updateCall({ canisterId, method: 'open', arg: empty })).toEqual(empty);
    await expect(replica.updateCall({ canisterId, method: 'closed', arg: empty })).rejects.toMatchObject({
      errorCode: 'IC0406',
    });
  });
});

test('a profile sums up by method and kind', async () => {
  const { replica, ids, ask } = await install(asker('counted'), asker('counted'));
  await ask(0, 1);
  await ask(0, 1);
  const rows = profile(replica.messages);
  expect(rows.map(({ method, kind, messages }) => `${messages} ${kind} ${method}`).sort()).toEqual([
    '2 compositeQuery ask',
    '2 query counted',
    '2 replyCallback ask',
  ]);
  const total = replica.messages.reduce((sum, { instructions }) => sum + instructions.total, 0);
  expect(rows.reduce((sum, { instructions }) => sum + instructions.total, 0)).toBe(total);
  expect(rows[0].canister).toBe(ids[0].toText());
});
