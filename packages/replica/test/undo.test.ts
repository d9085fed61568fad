/** A message that traps, and a query, leave nothing behind: memory, globals, size of memory, stable memory, calls. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { canister, int } from './wat.ts';

const empty = new Uint8Array(0);

async function install(wasm: Uint8Array) {
  const replica = new Replica({ autoTick: false });
  const { canisterId } = replica.createCanister();
  await replica.installCode({ canisterId, wasm });
  return {
    replica,
    canisterId,
    update: (method: string, arg = empty) => replica.updateCall({ canisterId, method, arg }),
    query: (method: string, arg = empty) => replica.queryCall({ canisterId, method, arg }),
  };
}

const everything = canister(
  `
  (global $counter (mut i32) (i32.const 0))
  (global $wide (mut v128) (v128.const i32x4 0 0 0 0))
  (func $change
    (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
    (global.set $wide (i32x4.add (global.get $wide) (i32x4.splat (i32.const 1))))
    (i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 1)))
    (i32.store (i32.const 131068) (i32.add (i32.load (i32.const 131068)) (i32.const 1)))
    (memory.fill (i32.const 140000) (i32.add (i32.load8_u (i32.const 140000)) (i32.const 1)) (i32.const 300000))
    (if (i32.eqz (i32.wrap_i64 (call $stable64_size))) (then (drop (call $stable64_grow (i64.const 1)))))
    (call $stable64_write (i64.const 65532) (i64.const 100) (i64.const 4)))
  (func $sum (result i32) (local i32)
    (call $stable64_read (i64.const 64) (i64.const 65532) (i64.const 4))
    (i32.add (i32.add (i32.add (global.get $counter) (i32x4.extract_lane 3 (global.get $wide)))
      (i32.add (i32.load (i32.const 100)) (i32.load (i32.const 131068))))
      (i32.add (i32.load8_u (i32.const 439999)) (i32.load (i32.const 64)))))
  (func (export "canister_update change") (call $change) (call $replyInt (call $sum)))
  (func (export "canister_update trap") (call $change) (unreachable))
  (func (export "canister_update grow")
    (drop (memory.grow (i32.const 3)))
    (i32.store (i32.const 700000) (i32.const 7))
    (drop (call $stable64_grow (i64.const 5)))
    (unreachable))
  (func (export "canister_update sizes")
    (call $replyInt (i32.add (memory.size) (i32.wrap_i64 (call $stable64_size)))))
  (func (export "canister_update beyond") (call $replyInt (i32.load (i32.const 700000))))
  (func (export "canister_update growAndRead")
    (drop (memory.grow (i32.const 3)))
    (call $replyInt (i32.load (i32.const 700000))))
  (func (export "canister_query look") (call $change) (call $replyInt (call $sum)))`,
  8,
);

describe('undo', () => {
  test('an update keeps its changes, a trap and a query do not', async () => {
    const { update, query } = await install(everything);
    // Stable memory that a query grows and writes is gone with it.
    expect(int(await query('look'))).toBe(6);
    expect(int(await update('sizes'))).toBe(8);
    expect(int(await update('change'))).toBe(6);
    await expect(update('trap')).rejects.toThrow('unreachable');
    expect(int(await query('look'))).toBe(12);
    expect(int(await query('look'))).toBe(12);
    expect(int(await update('change'))).toBe(12);
  });

  test('memory that was grown is taken back, and zero when it comes again', async () => {
    const { update } = await install(everything);
    await update('change');
    await expect(update('grow')).rejects.toThrow('unreachable');
    expect(int(await update('sizes'))).toBe(8 + 1);
    await expect(update('beyond')).rejects.toThrow('heap out of bounds');
    expect(int(await update('growAndRead'))).toBe(0);
  });

  test('a store across two pages is undone, whichever page was written first', async () => {
    const store = (name: string, address: number, value: number) =>
      `(func $${name} (i64.store (i32.const ${address}) (i64.const ${value})))`;
    const order = (name: string, calls: string[]) =>
      `(func (export "canister_update ${name}") ${calls.map((call) => `(call $${call})`).join('')} (unreachable))`;
    const { update, query } = await install(
      canister(
        `${store('across', 65532, -1)} ${store('first', 65520, -1)} ${store('second', 65536, -1)}
        ${order('a', ['across', 'first', 'second'])} ${order('b', ['second', 'across'])} ${order('c', ['first', 'second', 'across'])}
        (func (export "canister_query sum") (call $replyInt (i32.wrap_i64 (i64.or
          (i64.or (i64.load (i32.const 65520)) (i64.load (i32.const 65528)))
          (i64.or (i64.load (i32.const 65536)) (i64.load (i32.const 65544)))))))`,
        2,
      ),
    );
    for (const method of ['a', 'b', 'c']) {
      await expect(update(method)).rejects.toThrow('unreachable');
      expect(int(await query('sum'))).toBe(0);
    }
  });

  test('a dropped data segment comes back', async () => {
    const { update } = await install(
      canister(`(data $text "hello")
        (func (export "canister_update use") (memory.init $text (i32.const 0) (i32.const 0) (i32.const 5))
          (call $replyInt (i32.load8_u (i32.const 4))))
        (func (export "canister_update dropAndTrap") (data.drop $text) (unreachable))
        (func (export "canister_update drop") (data.drop $text) (call $msg_reply))`),
    );
    await expect(update('dropAndTrap')).rejects.toThrow('unreachable');
    expect(int(await update('use'))).toBe('o'.charCodeAt(0));
    await update('drop');
    await expect(update('use')).rejects.toThrow(/trapped/);
  });

  test('a stack that overflows, in the canister or in what it calls, is a trap, and undone', async () => {
    const deep = (name: string, more: string) => `
      (func $${name} (param $n i32)
        (i32.store (i32.and (i32.mul (local.get $n) (i32.const 4100)) (i32.const 0x7fffc)) (i32.const -1))
        ${more}
        (call $${name} (i32.add (local.get $n) (i32.const 1))))
      (func (export "canister_update ${name}") (call $${name} (i32.const 0)))`;
    const { update, query } = await install(
      canister(
        `${deep('alone', '')} ${deep('calling', '(drop (call $performance_counter (i32.const 0)))')}
        ${deep('copying', '(call $msg_caller_copy (i32.const 0) (i32.const 0) (i32.const 1))')}
        (func (export "canister_query any") (local $i i32) (local $or i32)
          (loop $next
            (local.set $or (i32.or (local.get $or) (i32.load (local.get $i))))
            (local.set $i (i32.add (local.get $i) (i32.const 4)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 524288))))
          (call $replyInt (local.get $or)))`,
        8,
      ),
    );
    for (const method of ['alone', 'calling', 'copying']) {
      await expect(update(method)).rejects.toMatchObject({
        errorCode: 'IC0502',
        rejectMessage: expect.stringContaining('stack overflow'),
      });
      expect(int(await query('any'))).toBe(0);
    }
  });

  test('random stores of all widths, undone, leave memory as it was', async () => {
    const { update, query } = await install(
      canister(
        `(func (export "canister_update poke") (local $i i32)
          (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (call $msg_arg_data_size))
          (loop $next
            (if (i32.lt_u (local.get $i) (call $msg_arg_data_size)) (then
              (v128.store (i32.load (local.get $i)) (v128.const i32x4 -1 -1 -1 -1))
              (i64.store offset=16 (i32.load (local.get $i)) (i64.const -1))
              (i32.store8 offset=24 (i32.load (local.get $i)) (i32.const -1))
              (local.set $i (i32.add (local.get $i) (i32.const 4)))
              (br $next))))
          (unreachable))
        (func (export "canister_query any") (local $i i32) (local $or i64)
          (loop $next
            (local.set $or (i64.or (local.get $or) (i64.load (local.get $i))))
            (local.set $i (i32.add (local.get $i) (i32.const 8)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 524288))))
          (call $replyInt (i32.wrap_i64 (i64.or (local.get $or) (i64.shr_u (local.get $or) (i64.const 32))))))`,
        8,
      ),
    );
    const address = fc.oneof(
      fc.integer({ min: 4096, max: 524_200 }),
      fc
        .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: -30, max: 30 }))
        .map(([page, by]) => page * 65_536 + by),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 1, maxLength: 40 }), async (addresses) => {
        await expect(update('poke', new Uint8Array(Int32Array.from(addresses).buffer))).rejects.toThrow('unreachable');
        expect(int(await query('any'))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
