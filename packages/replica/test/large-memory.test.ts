/** Undo costs what was touched: with half a gigabyte of heap, and with stable memory of hundreds of gigabytes. */
import type { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Replica } from '../src/index.ts';
import { canister, int } from './wat.ts';

const heapPages = 8_000; // 500 MiB
const empty = new Uint8Array(0);
const replica = new Replica({ autoTick: false });
let canisterId: Principal;

beforeAll(async () => {
  ({ canisterId } = replica.createCanister({ cycles: 10n ** 18n }));
  const wasm = canister(`
    (func $touch (param $pages i32) (local $i i32)
      (loop $next
        (i32.store offset=40 (i32.mul (local.get $i) (i32.const 65536)) (i32.add (local.get $i) (i32.const 1)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (local.get $pages)))))
    (func (export "canister_init") (drop (memory.grow (i32.const ${heapPages - 1}))) (call $touch (i32.const ${heapPages})))
    (func (export "canister_query touch") (call $touch (i32.const 16)) (call $replyInt (i32.const 1)))
    (func (export "canister_update trap") (call $touch (i32.const 16)) (unreachable))
    (func (export "canister_update far")
      (drop (call $stable64_grow (i64.const 7000000)))
      (call $stable64_write (i64.const 450000000000) (i64.const 40) (i64.const 4))
      (call $stable64_read (i64.const 64) (i64.const 450000000000) (i64.const 4))
      (call $replyInt (i32.load (i32.const 64))))
    (func (export "canister_query size32") (call $replyInt (call $stable_size)))
    (func (export "canister_query read32") (call $stable_read (i32.const 64) (i32.const 0) (i32.const 4)) (call $replyInt (i32.const 0)))
    (func (export "canister_update write32") (call $stable_write (i32.const 0) (i32.const 64) (i32.const 4)) (call $replyInt (i32.const 0)))
    (func (export "canister_update grow32") (call $replyInt (call $stable_grow (i32.const 0))))
    (func (export "canister_update tooFar") (call $replyInt (i32.wrap_i64 (call $stable64_grow (i64.const 8000000)))))`);
  await replica.installCode({ canisterId, wasm });
});
afterAll(() => replica.close());

/** The least time of several runs beyond what the message itself took, in milliseconds. */
async function beyondOwnRun(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) {
    const started = performance.now();
    await run();
    least = Math.min(least, performance.now() - started - replica.messages.at(-1)!.wallMilliseconds);
  }
  return least;
}

describe('500 MB of heap', () => {
  test('a query and a trap that touch 1 MB copy what they touched, and no more; what that takes is printed', async () => {
    const before = process.memoryUsage().rss;
    const query = await beyondOwnRun(() => replica.queryCall({ canisterId, method: 'touch', arg: empty }));
    const trap = await beyondOwnRun(() =>
      replica.updateCall({ canisterId, method: 'trap', arg: empty }).catch(() => undefined),
    );
    const grown = process.memoryUsage().rss - before;
    expect(replica.messages.at(-1)!.pagesTouched.heapWritten).toBe(16);
    console.log(
      `beyond its own run: query ${query.toFixed(2)} ms, trap ${trap.toFixed(2)} ms; memory grew by ${(grown / 2 ** 20).toFixed(0)} MiB`,
    );
    expect(grown).toBeLessThan(200 * 2 ** 20);
  });
});

describe('stable memory', () => {
  test('450 GB in, only what is written exists; above 500 GiB there is none', async () => {
    expect(int(await replica.updateCall({ canisterId, method: 'far', arg: empty }))).toBe(1);
    const { stable } = replica.canister(canisterId)!;
    expect(stable.size).toBe(7_000_000);
    expect(stable.residentBytes).toBe(65_536);
    expect(int(await replica.updateCall({ canisterId, method: 'tooFar', arg: empty }))).toBe(-1);
  });

  test('above 4 GiB the functions of 32 bits trap', async () => {
    const call = (method: string) => ({ canisterId, method, arg: empty });
    const trap = {
      errorCode: 'IC0502',
      message: expect.stringContaining('32 bit stable memory api used on a memory larger than 4GB'),
    };
    await expect(replica.queryCall(call('size32'))).rejects.toMatchObject(trap);
    await expect(replica.queryCall(call('read32'))).rejects.toMatchObject(trap);
    await expect(replica.updateCall(call('write32'))).rejects.toMatchObject(trap);
    await expect(replica.updateCall(call('grow32'))).rejects.toMatchObject(trap);
  });

  test('does not grow to where keeping it would freeze the canister', async () => {
    const { canisterId: poor } = replica.createCanister({ cycles: 10n ** 14n });
    // 100 GiB over thirty days: 33 T cycles; 400 GiB: 132 T.
    const wasm = canister(`(func (export "canister_update grow")
      (drop (call $stable64_grow (i64.const 1638400)))
      (call $replyInt (i32.wrap_i64 (call $stable64_grow (i64.const 4915200)))))`);
    await replica.installCode({ canisterId: poor, wasm });
    expect(int(await replica.updateCall({ canisterId: poor, method: 'grow', arg: empty }))).toBe(-1);
    expect(replica.canister(poor)!.stable.size).toBe(1_638_400);
  });
});
