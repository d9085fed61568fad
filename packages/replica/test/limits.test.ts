/**
 * What one message may do: how much stable memory it may access, and how much one operation may, which nothing can
 * pause.
 */
import { describe, expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { bareExecutor } from './bare-executor.ts';
import { canister, int } from './wat.ts';

/** Of `access`: where it begins, how much at a time, how far apart, how often; and whether it writes. */
type Access = [from: number, size: number, stride: number, times: number, write: number];
const MiB = 2 ** 20;
const GiB = 2 ** 30;

const wasm = canister(
  `
  (func $argument (param $at i32) (result i64) (i64.load (local.get $at)))
  (func $access
    (local $offset i64) (local $times i64)
    (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (i32.const 40))
    (local.set $offset (i64.load (i32.const 0)))
    (local.set $times (i64.load (i32.const 24)))
    (loop $next
      (if (i64.eqz (i64.load (i32.const 32)))
        (then (call $stable64_read (i64.const 65536) (local.get $offset) (i64.load (i32.const 8))))
        (else (call $stable64_write (local.get $offset) (i64.const 65536) (i64.load (i32.const 8)))))
      (local.set $offset (i64.add (local.get $offset) (i64.load (i32.const 16))))
      (br_if $next (i64.ne (i64.const 0) (local.tee $times (i64.sub (local.get $times) (i64.const 1))))))
    (call $replyInt (i32.const 1)))
  (func (export "canister_init") (drop (call $stable64_grow (i64.const 200000))))
  (func (export "canister_update access") (call $access))
  (func (export "canister_query look") (call $access))
  ;; ten million instructions and a few, so many times; and some 25 million for the pages
  (func $spin (param $times i64)
    (if (i64.eqz (local.get $times)) (then (return)))
    (loop $next
      (memory.fill (i32.const 65536) (i32.const 0) (i32.const 10000000))
      (br_if $next (i64.ne (i64.const 0) (local.tee $times (i64.sub (local.get $times) (i64.const 1)))))))
  ;; after so many times ten million instructions: an operation of so many bytes
  (func $after (param $kind i32)
    (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (i32.const 16))
    (call $spin (i64.load (i32.const 0)))
    (if (i32.eq (local.get $kind) (i32.const 0))
      (then (memory.fill (i32.const 65536) (i32.const 0) (i32.wrap_i64 (i64.load (i32.const 8))))))
    (if (i32.eq (local.get $kind) (i32.const 1))
      (then (memory.copy (i32.const 65536) (i32.const 65536) (i32.wrap_i64 (i64.load (i32.const 8))))))
    (if (i32.eq (local.get $kind) (i32.const 2))
      (then (call $stable64_read (i64.const 65536) (i64.const 0) (i64.load (i32.const 8)))))
    (if (i32.eq (local.get $kind) (i32.const 3))
      (then (call $stable64_write (i64.const 0) (i64.const 65536) (i64.load (i32.const 8)))))
    (call $replyInt (i32.const 1)))
  (func (export "canister_update fill") (call $after (i32.const 0)))
  (func (export "canister_update copy") (call $after (i32.const 1)))
  (func (export "canister_update read") (call $after (i32.const 2)))
  (func (export "canister_update write") (call $after (i32.const 3)))
  (func (export "canister_query readQuery") (call $after (i32.const 2)))`,
  600,
);
const replica = new Replica({ autoTick: false });
const { canisterId } = replica.createCanister({ cycles: 10n ** 18n });
await replica.installCode({ canisterId, wasm });

const longs = (values: readonly (number | bigint)[]) => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
const update = (method: string, ...values: (number | bigint)[]) =>
  replica.updateCall({ canisterId, method, arg: longs(values) }).then(int);
const query = (method: string, ...values: (number | bigint)[]) =>
  replica.queryCall({ canisterId, method, arg: longs(values) }).then(int);

const accessed = {
  errorCode: 'IC0524',
  message: expect.stringContaining(
    'Canister exceeded memory access limits: Exceeded the limit for the number of accessed pages in the stable memory in a single message execution: limit 2097152 KB for regular messages and 1048576 KB for queries.',
  ),
};

describe('stable memory: 2 GiB an update, 1 GiB a query', () => {
  const piece = 32 * MiB;
  const read = (bytes: number): Access => [0, piece, piece, bytes / piece, 0];

  test('are read in an update, and not a page more', async () => {
    expect(await update('access', ...read(2 * GiB))).toBe(1);
    await expect(update('access', ...read(2 * GiB + piece))).rejects.toMatchObject(accessed);
  });

  test('1 GiB in a query', async () => {
    expect(await query('look', ...read(GiB))).toBe(1);
    await expect(query('look', ...read(GiB + piece))).rejects.toMatchObject(accessed);
  });

  test('a query in replicated execution is like an update', async () => {
    expect(await update('look', ...read(GiB + piece))).toBe(1);
  });

  test('what is written counts the same, once', async () => {
    // the same MiB again and again
    expect(await update('access', 4096, MiB, 0, 3000, 1)).toBe(1);
    // 4,096 bytes each on a 4 KiB page of their own: 2 GiB are 524,288
    await expect(update('access', 0, 8 * MiB, 8 * MiB, 257, 1)).rejects.toMatchObject(accessed);
  });

  test('pages are 4 KiB: a byte of each of 40,000 Wasm pages is far from 2 GiB; two of them across an edge count twice', async () => {
    expect(await update('access', 0, 1, 65_536, 40_000, 0)).toBe(1);
    expect(await query('look', 4095, 1, 4096, 262_144 / 16, 0)).toBe(1);
    const { pagesTouched } = replica.messages.at(-1)!;
    expect(pagesTouched.stable).toBe(1024);
    // one page of 4 KiB above 1 GiB
    expect(await query('look', 1, GiB / 32 - 1, GiB / 32, 32, 0)).toBe(1);
    await expect(query('look', 1, GiB / 32, GiB / 32, 32, 0)).rejects.toMatchObject(accessed);
  });
});

describe('one operation does not pass a slice of 2 B and the whole next one', () => {
  const after = (billions: number) => Math.round(billions * 100);
  const overrun = (used: RegExp) => ({
    errorCode: 'IC0522',
    message: expect.stringMatching(
      new RegExp(
        `attempted to perform a large memory operation that used ${used.source} instructions and exceeded the slice limit 2000000000`,
      ),
    ),
  });

  test.each(['fill', 'copy', 'read', 'write'])('%s', async (method) => {
    // refused before bounds are looked at: it is charged first
    await expect(update(method, 0, 4_100_000_000), method).rejects.toMatchObject(overrun(/4100\d{6}/));
    const { instructions } = replica.messages.at(-1)!;
    expect(instructions.total).toBeGreaterThan(4_100_000_000);
    expect(instructions.total).toBeLessThan(4_100_200_000);
    // at the end of a slice, less is left to pass
    await expect(update(method, after(1.9), 2_200_000_000), method).rejects.toMatchObject(overrun(/41\d{8}/));
    await expect(update(method, after(3.9), 2_200_000_000), method).rejects.toMatchObject(overrun(/41\d{8}/));
    // here it fits, and fails for what it is
    for (const [before, bytes] of [
      [0.1, 3_800_000_000],
      [1.9, 2_000_000_000],
      [2.1, 3_700_000_000],
    ] as const)
      await expect(update(method, after(before), bytes), method).rejects.toThrow(
        /out of bounds|exceeded memory access limits/,
      );
  });

  test('one that passes a slice by less goes on in the next', async () => {
    for (const method of ['fill', 'copy', 'read', 'write'])
      expect(await update(method, after(1.99), 32 * MiB), method).toBe(1);
  });

  test('however large its length is said to be', async () => {
    for (const size of [2n ** 63n - 1n, -1n])
      await expect(update('read', 0, size)).rejects.toMatchObject(overrun(/[\d.e+]+/));
  });

  test('in the last slice it is the limit of the message that is passed', () => {
    const { run } = bareExecutor(
      canister(
        `(func $fill (param i32) (memory.fill (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "canister_update run") (call $fill (i32.const 1000000000)) (call $fill (i32.const 1010000000))
          (call $fill (i32.const -1)))`,
        16_000,
      ),
    );
    const message = (limit: number) => run(limit).trap!.message;
    expect(message(3_900_000_000)).toBe(
      'Canister exceeded the limit of 3900000000 instructions for single message execution.',
    );
    expect(message(20_000_000_000)).toMatch(/^Canister attempted to perform a large memory operation/);
  });

  test('a query has no slices', async () => {
    await expect(query('readQuery', 0, 4_100_000_000)).rejects.toMatchObject(accessed);
    await expect(query('readQuery', 0, 5_100_000_000)).rejects.toThrow('exceeded the limit of 5000000000');
  });
});
