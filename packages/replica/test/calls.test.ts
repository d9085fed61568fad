/** Calls between canisters: order, callbacks, cleanup, queues, cycles, deadlines, stopping. */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { canister, int } from './wat.ts';

const empty = new Uint8Array(0);
const escaped = (content: Uint8Array) => [...content].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
const bytes = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);

/** `$selfCall(method pointer, size, on reply, on reject)`; methods are named by what stands at 512. */
const prelude = `
  (data (i32.const 512) "step") (data (i32.const 528) "none") (data (i32.const 544) "fail")
  (func $new (param $name i32) (param $reply i32) (param $reject i32)
    (call $canister_self_copy (i32.const 0) (i32.const 0) (call $canister_self_size))
    (call $call_new (i32.const 0) (call $canister_self_size) (local.get $name) (i32.const 4)
      (local.get $reply) (i32.const 7) (local.get $reject) (i32.const 8)))
  (func $selfCall (param $name i32) (param $reply i32) (param $reject i32)
    (call $new (local.get $name) (local.get $reply) (local.get $reject))
    (drop (call $call_perform)))
  (func $increase (param $at i32)
    (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1))))
  (func (export "canister_query count") (call $replyInt (i32.load (i32.const 1024))))
  (func (export "canister_query count2") (call $replyInt (i32.load (i32.const 1028))))`;

async function install(fields: string, cycles?: bigint) {
  const replica = new Replica({ autoTick: false });
  const { canisterId } = replica.createCanister({ cycles });
  await replica.installCode({ canisterId, wasm: canister(`${prelude} ${fields}`) });
  const update = (method: string, arg = empty) => replica.updateCall({ canisterId, method, arg });
  const query = async (method: string) => int(await replica.queryCall({ canisterId, method, arg: empty }));
  const kinds = () => replica.messages.map(({ kind, method }) => `${kind} ${method}`.trim());
  return { replica, canisterId, update, query, kinds };
}

describe('self-calls', () => {
  test('each is a message of its own, its caller the canister, its callback belongs to the call that made it', async () => {
    const { update, replica, canisterId, kinds } = await install(`
      (table 2 funcref) (elem (i32.const 0) $done $failed)
      (func $done (param $env i32) (call $replyInt (i32.mul (i32.load8_u (i32.const 700)) (local.get $env))))
      (func $failed (param i32) (unreachable))
      (func (export "canister_update go") (call $selfCall (i32.const 512) (i32.const 0) (i32.const 1)))
      (func (export "canister_update step")
        (call $msg_caller_copy (i32.const 700) (i32.const 9) (i32.const 1))
        (call $msg_reply))`);
    // The last byte of a canister id is 1, the environment of the reply callback 7.
    expect(int(await update('go'))).toBe(7);
    expect(kinds()).toEqual(['update go', 'update step', 'replyCallback go']);
    expect(replica.messages[1].caller.toText()).toBe(canisterId.toText());
    expect(replica.messages[2].caller.toText()).toBe(Principal.anonymous().toText());
  });

  test('a trap takes its calls with it; what was committed before an await stays', async () => {
    const { update, query, kinds } = await install(`
      (table 2 funcref) (elem (i32.const 0) $traps $nothing)
      (func $traps (param i32) (call $increase (i32.const 1024)) (unreachable))
      (func $nothing (param i32))
      (func (export "canister_update callAndTrap") (call $selfCall (i32.const 512) (i32.const 1) (i32.const 1)) (unreachable))
      (func (export "canister_update awaitAndTrap")
        (call $increase (i32.const 1024))
        (call $selfCall (i32.const 512) (i32.const 0) (i32.const 1)))
      (func (export "canister_update step") (call $increase (i32.const 1028)) (call $msg_reply))`);
    await expect(update('callAndTrap')).rejects.toThrow('unreachable');
    expect(kinds()).toEqual(['update callAndTrap']);
    await expect(update('awaitAndTrap')).rejects.toThrow('unreachable');
    expect(await query('count')).toBe(1);
    expect(await query('count2')).toBe(1);
  });

  test('the cleanup callback runs when the callback traps, and only then', async () => {
    const { update, query, kinds } = await install(`
      (table 3 funcref) (elem (i32.const 0) $traps $reply $cleanup)
      (func $traps (param i32) (unreachable))
      (func $reply (param i32) (call $msg_reply))
      (func $cleanup (param $env i32) (i32.store (i32.const 1024) (local.get $env)))
      (func $go (param i32)
        (call $new (i32.const 512) (local.get 0) (i32.const 1))
        (call $call_on_cleanup (i32.const 2) (i32.const 99))
        (drop (call $call_perform)))
      (func (export "canister_update good") (call $go (i32.const 1)))
      (func (export "canister_update bad") (call $go (i32.const 0)))
      (func (export "canister_update step") (call $msg_reply))`);
    await update('good');
    expect(await query('count')).toBe(0);
    await expect(update('bad')).rejects.toThrow('unreachable');
    expect(await query('count')).toBe(99);
    expect(kinds().filter((kind) => kind.startsWith('cleanup'))).toEqual(['cleanup bad']);
  });

  test('rejects arrive with code and message', async () => {
    const { update } = await install(`
      (table 2 funcref) (elem (i32.const 0) $replied $rejected)
      (func $replied (param i32) (unreachable))
      (func $rejected (param i32)
        (call $msg_reject_msg_copy (i32.const 700) (i32.const 0) (call $msg_reject_msg_size))
        (call $msg_reply_data_append (i32.const 700) (call $msg_reject_msg_size))
        (i32.store8 (i32.const 699) (i32.add (i32.const 48) (call $msg_reject_code)))
        (call $msg_reply_data_append (i32.const 699) (i32.const 1))
        (call $msg_reply))
      (func (export "canister_update none") (call $selfCall (i32.const 544) (i32.const 0) (i32.const 1)))
      (func (export "canister_update missing") (call $selfCall (i32.const 560) (i32.const 0) (i32.const 1)))
      (func (export "canister_update rejected") (call $selfCall (i32.const 512) (i32.const 0) (i32.const 1)))
      (func (export "canister_update step") (call $msg_reject (i32.const 512) (i32.const 4)))
      (func (export "canister_update fail"))`);
    const text = async (method: string) => new TextDecoder().decode(await update(method));
    expect(await text('none')).toMatch(/did not reply to the call5$/);
    expect(await text('missing')).toMatch(/no update method.*5$/);
    expect(await text('rejected')).toBe('step4');
  });

  test('500 open calls to one canister, and not one more', async () => {
    const { update } = await install(`
      (table 1 funcref) (elem (i32.const 0) $nothing)
      (func $nothing (param i32))
      (func (export "canister_update go") (local $i i32)
        (block $full
          (loop $next
            (call $new (i32.const 512) (i32.const 0) (i32.const 0))
            (br_if $full (call $call_perform))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 1000)))))
        (call $replyInt (local.get $i)))
      (func (export "canister_update step") (call $msg_reply))`);
    expect(int(await update('go'))).toBe(500);
    // They have all ended: there is room again.
    expect(int(await update('go'))).toBe(500);
  });

  test('performance_counter(1) goes on over the messages of a call', async () => {
    const { update, replica } = await install(`
      (table 1 funcref) (elem (i32.const 0) $done)
      (func $done (param i32) (call $replyLong (call $performance_counter (i32.const 1))))
      (func (export "canister_update go") (call $selfCall (i32.const 512) (i32.const 0) (i32.const 0)))
      (func (export "canister_update step") (call $msg_reply))`);
    const reply = await update('go');
    const counter = Number(new DataView(reply.buffer).getBigInt64(0, true));
    const [first, , callback] = replica.messages.map(({ instructions }) => instructions.total);
    expect(counter).toBeGreaterThan(first);
    expect(counter).toBeLessThanOrEqual(first + callback);
  });
});

describe('cycles', () => {
  test('attached, accepted in part, the rest refunded', async () => {
    const replica = new Replica({ autoTick: false });
    const [from, to] = [replica.createCanister(), replica.createCanister()];
    const taker = canister(
      `(func (export "canister_update take") (drop (call $msg_cycles_accept (i64.const 300000000))) (call $msg_reply))`,
    );
    const giver = canister(`
      (data (i32.const 512) "take")
      (table 1 funcref) (elem (i32.const 0) $done)
      (func $done (param i32) (call $replyLong (call $msg_cycles_refunded)))
      (func (export "canister_update give")
        (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
        (call $call_new (i32.const 0) (call $msg_arg_data_size) (i32.const 512) (i32.const 4)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (call $call_cycles_add (i64.const 1000000000))
        (drop (call $call_perform)))`);
    await replica.installCode({ canisterId: from.canisterId, wasm: giver });
    await replica.installCode({ canisterId: to.canisterId, wasm: taker });
    const [before, beforeTo] = [from.cycles, to.cycles];
    const reply = await replica.updateCall({
      canisterId: from.canisterId,
      method: 'give',
      arg: to.canisterId.toUint8Array(),
    });
    expect(new DataView(reply.buffer).getBigInt64(0, true)).toBe(700_000_000n);
    const [first, taking, callback] = replica.messages.map(({ instructions }) => BigInt(instructions.total));
    expect(to.cycles - beforeTo).toBe(300_000_000n - (5_000_000n + taking));
    // Ingress, with 10 bytes of argument and 4 of name 308 bytes in all; two executions, the call with 4 bytes of name,
    // an empty response, the gift.
    const ingress = 1_200_000n + 308n * 2_000n;
    const call = 260_000n + 4n * 1_000n;
    expect(before - from.cycles).toBe(ingress + 5_000_000n + first + call + 5_000_000n + callback + 300_000_000n);
  });

  test('a canister that cannot pay is out of cycles; an upgrade later it goes on', async () => {
    const { replica, canisterId, update } = await install(
      '(func (export "canister_update step") (call $msg_reply))',
      30_000_000_000n,
    );
    await expect(update('step')).rejects.toMatchObject({ errorCode: 'IC0207' });
    replica.addCycles(canisterId, 100_000_000_000n);
    expect(await update('step')).toEqual(empty);
  });

  test('call_perform fails where the reservation for the response cannot be paid', async () => {
    const { update } = await install(
      `(table 1 funcref) (elem (i32.const 0) $nothing) (func $nothing (param i32))
      (func (export "canister_update go")
        (call $new (i32.const 512) (i32.const 0) (i32.const 0))
        (call $replyInt (call $call_perform)))`,
      70_000_000_000n,
    );
    expect(int(await update('go'))).toBe(2);
  });

  test('storage is paid as time passes', async () => {
    const { replica, canisterId } = await install('', 1_000_000_000_000n);
    const target = replica.canister(canisterId)!;
    await replica.tick();
    const before = target.cycles;
    replica.advanceTime(1_000_000);
    await replica.tick();
    // 317,500 cycles for each GiB and second and 10,000 a second for the canister, a thousand seconds.
    const expected = (317_500n * 1_000n * BigInt(target.storageBytes)) / 2n ** 30n + 10_000n * 1_000n;
    expect(before - target.cycles).toBe(expected);
  });
});

describe('time', () => {
  const timers = `
    (func (export "canister_global_timer") (call $increase (i32.const 1024)))
    (func (export "canister_update set")
      (call $msg_arg_data_copy (i32.const 700) (i32.const 0) (i32.const 4))
      (call $replyLong (call $global_timer_set
        (i64.add (call $time) (i64.mul (i64.load32_u (i32.const 700)) (i64.const 1000000))))))`;

  test('a timer runs once, when its time has come', async () => {
    const { replica, update, query } = await install(timers);
    await update('set', bytes(5_000));
    await replica.tick();
    expect(await query('count')).toBe(0);
    replica.advanceTime(5_000);
    await replica.tick();
    await replica.tick();
    expect(await query('count')).toBe(1);
  });

  test('by itself the replica follows the clock', async () => {
    const replica = new Replica();
    const { canisterId } = replica.createCanister();
    await replica.installCode({ canisterId, wasm: canister(`${prelude} ${timers}`) });
    await replica.updateCall({ canisterId, method: 'set', arg: bytes(30) });
    const count = async () => int(await replica.queryCall({ canisterId, method: 'count', arg: empty }));
    for (const deadline = Date.now() + 10_000; (await count()) === 0 && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await count()).toBe(1);
    replica.close();
  });

  test('a best-effort call is given up at its deadline, and its late answer goes nowhere', async () => {
    const replica = new Replica({ autoTick: false });
    const [from, slow] = [replica.createCanister(), replica.createCanister()];
    // The slow canister stops itself and awaits that: the open call it does so in never ends.
    slow.settings.controllers.push(slow.canisterId);
    const arg = IDL.encode([IDL.Record({ canister_id: IDL.Principal })], [{ canister_id: slow.canisterId }]);
    await replica.installCode({
      canisterId: slow.canisterId,
      wasm: canister(`
        (data (i32.const 512) "stop_canister") (data (i32.const 600) "${escaped(arg)}")
        (table 1 funcref) (elem (i32.const 0) $nothing)
        (func $nothing (param i32))
        (func (export "canister_update slow")
          (call $call_new (i32.const 0) (i32.const 0) (i32.const 512) (i32.const 13)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
          (call $call_data_append (i32.const 600) (i32.const ${arg.length}))
          (drop (call $call_perform)))`),
    });
    await replica.installCode({
      canisterId: from.canisterId,
      wasm: canister(`
        (data (i32.const 512) "slow")
        (table 1 funcref) (elem (i32.const 0) $done)
        (func $done (param i32) (call $replyInt (call $msg_reject_code)))
        (func (export "canister_update ask")
          (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
          (call $call_new (i32.const 0) (call $msg_arg_data_size) (i32.const 512) (i32.const 4)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
          (call $call_with_best_effort_response (i32.const 10))
          (drop (call $call_perform)))`),
    });
    const ask = { canisterId: from.canisterId, method: 'ask', arg: slow.canisterId.toUint8Array() };
    const requestId = await replica.submitCall(ask);
    await replica.tick();
    replica.advanceTime(9_000);
    await replica.tick();
    expect(replica.requestStatus(requestId)).toEqual({ status: 'processing' });
    replica.advanceTime(2_000);
    expect(int(await replica.awaitCall(requestId))).toBe(6);
    const callbacks = () => replica.messages.filter(({ kind }) => kind.endsWith('Callback')).length;
    expect(callbacks()).toBe(1);
    // Started again, the slow canister gets its answer, and answers with a reject that finds no callback any more.
    await replica.startCanister({ canisterId: slow.canisterId });
    while ((await replica.tick()) > 0);
    expect(callbacks()).toBe(2);
  });
});

describe('stopping', () => {
  test('waits for open calls, takes no new ones meanwhile, and starts again', async () => {
    const { replica, canisterId, update } = await install(`
      (table 1 funcref) (elem (i32.const 0) $done)
      (func $done (param i32) (call $replyInt (call $canister_status)))
      (func (export "canister_update go") (call $selfCall (i32.const 512) (i32.const 0) (i32.const 0)))
      (func (export "canister_update step") (call $msg_reply))`);
    const going = update('go');
    const stopping = replica.stopCanister({ canisterId });
    // The self-call finds the canister stopping: its callback runs with a reject, then it is stopped.
    expect(int(await going)).toBe(2);
    await stopping;
    await expect(update('go')).rejects.toMatchObject({ errorCode: 'IC0508' });
    expect((await replica.canisterStatus({ canisterId })).status).toEqual({ stopped: null });
    await replica.startCanister({ canisterId });
    expect(int(await update('go'))).toBe(1);
  });
});
