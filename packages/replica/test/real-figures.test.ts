/**
 * Where the Internet Computer's own execution environment (dfinity/ic, tree of 2025-10-31) was found to count otherwise
 * than this replica did. Modules here are small, so that each figure can be worked out by hand; what it counts for this
 * project's own canisters is in test/long/real-figures.ts.
 */
import { describe, expect, test } from 'vitest';
import { type MessageKind, Replica } from '../src/index.ts';
import { compileCost } from '../src/wasm/compile-cost.ts';
import type { PageRules } from '../src/wasm/costs.ts';
import { parseModule } from '../src/wasm/module.ts';
import { customSection } from './http/wat-canister.ts';
import { canister, wat } from './wat.ts';

const empty = new Uint8Array(0);

async function install(wasm: Uint8Array, pageRules: PageRules = '2025') {
  const replica = new Replica({ autoTick: false, pageRules });
  const target = replica.createCanister();
  const { canisterId } = target;
  await replica.installCode({ canisterId, wasm });
  replica.messages.length = 0;
  const update = (method: string) => replica.updateCall({ canisterId, method, arg: empty }).catch((error) => error);
  const query = (method: string) => replica.queryCall({ canisterId, method, arg: empty }).catch((error) => error);
  return { replica, target, canisterId, update, query };
}

describe('rules of 2025: pages of the heap that were written (19)', () => {
  const twoPages = '(i32.store (i32.const 0) (i32.const 1)) (i32.store (i32.const 4096) (i32.const 1))';
  const writing = canister(`
    (func (export "canister_inspect_message") ${twoPages} (call $accept_message))
    (func (export "canister_update update") ${twoPages})
    (func (export "canister_query query") ${twoPages} (call $msg_reply))
    (func (export "canister_composite_query composite") ${twoPages} (call $msg_reply))
    (func (export "canister_update trap") ${twoPages} (unreachable))
    (func (export "canister_query queryTrap") ${twoPages} (unreachable))
    (func (export "canister_init"))`);

  test.each<[method: string, how: 'update' | 'query', kind: MessageKind, pages: number]>([
    ['update', 'update', 'update', 2_000],
    ['trap', 'update', 'update', 2_000],
    ['query', 'query', 'query', 0],
    ['query', 'update', 'query', 0],
    ['queryTrap', 'query', 'query', 0],
    ['queryTrap', 'update', 'query', 0],
    ['composite', 'query', 'compositeQuery', 2_000],
    ['update', 'update', 'inspectMessage', 0],
  ])('%s by %s, its %s: %i', async (method, how, kind, pages) => {
    const called = await install(writing);
    await called[how](method);
    const record = called.replica.messages.find((message) => message.kind === kind)!;
    expect(record.instructions.pages).toBe(pages);
  });

  test('model_info wrote 84 pages of 4 KiB: a query is not charged the 84,000 that it was here, 11,360,589 where 11,276,589 is right', async () => {
    const pages = (11_360_589 - 11_276_589) / 1_000;
    const store = Array.from({ length: pages }, (_, i) => `(i32.store (i32.const ${i * 4_096}) (i32.const 1))`).join(
      '',
    );
    const both = canister(
      `(func (export "canister_query query") ${store} (call $msg_reply)) (func (export "canister_update update") ${store} (call $msg_reply))`,
      6,
    );
    const { query, update, replica } = await install(both);
    await query('query');
    const asked = replica.messages.at(-1)!.instructions.total;
    await update('update');
    expect(replica.messages.at(-1)!.instructions.total - asked).toBe(84_000);
  });

  test('an install that traps pays for them', async () => {
    const replica = new Replica({ autoTick: false, pageRules: '2025' });
    const { canisterId } = replica.createCanister();
    const wasm = canister(`(func (export "canister_init") ${twoPages} (unreachable))`);
    await expect(replica.installCode({ canisterId, wasm })).rejects.toThrow('unreachable');
    expect(replica.messages.at(-1)!.instructions.pages).toBe(2_000);
  });
});

describe('compiling is paid for (22)', () => {
  /** Instructions that compiling costs, in Wasm instructions: what is put in besides counts too. */
  const sizeOf = (wasm: Uint8Array) => compileCost(parseModule(wasm)) / 6_000;
  // the two functions that count, three globals
  const always = 20 + 46 + 3 * 2;

  test.each<[what: string, fields: string, size: number]>([
    ['nothing', '', 0],
    ['an empty function: its end, and counting with a look at what is left', '(func)', 1 + 10],
    ['a straight line', '(func (drop (i32.const 1)))', 3 + 10],
    ['a global', '(global (mut i32) (i32.const 0))', 2],
    // loop, nop, end, end; both are entered; after the loop nothing costs
    ['a loop', '(func (loop (nop)))', 4 + 10 + 10],
    // i32.const, if, nop, else, nop, end, end; the function, and each arm
    ['branches', '(func (if (i32.const 1) (then (nop)) (else (nop))))', 7 + 10 + 4 + 4],
    ['growing', '(memory 1) (func (drop (memory.grow (i32.const 1))))', 4 + 10 + 3],
    ['filling', '(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))', 5 + 10 + 3],
    ['a native call', '(import "ic0" "stable64_size" (func (result i64)))', 2],
    [
      'the same import twice: one function',
      '(import "ic0" "stable64_size" (func (result i64))) (import "ic0" "stable64_size" (func (result i64)))',
      2,
    ],
    ['a call that is not native', '(import "ic0" "time" (func (result i64)))', 0],
  ])('%s', (_, fields, size) => {
    expect(sizeOf(wat(`(module ${fields})`))).toBe(always + size);
  });

  const wasm = canister('(func (export "canister_update go") (call $msg_reply))');
  const compile = compileCost(parseModule(wasm));
  const charged = async (replica: Replica, module: Uint8Array) => {
    const { canisterId, cycles } = replica.createCanister();
    await replica.installCode({ canisterId, wasm: module }).catch(() => undefined);
    return Number(cycles - replica.canister(canisterId)!.cycles);
  };

  test.each<[PageRules, number]>([
    ['2025', 0],
    ['2026', 20_000_000],
  ])('rules of %s: whole once, then a hundredth on any canister; %i besides', async (pageRules, base) => {
    const replica = new Replica({ autoTick: false, pageRules });
    // always 72, the eight native functions 480, three functions 12 + 18 + 18
    expect(compile).toBe(6_000 * 600);
    expect(await charged(replica, wasm)).toBe(5_000_000 + base + compile);
    expect(await charged(replica, wasm)).toBe(5_000_000 + base + compile / 100);
    expect(await charged(new Replica({ autoTick: false, pageRules }), wasm)).toBe(5_000_000 + base + compile);
  });

  test('a module that is refused is charged by its bytes', async () => {
    const replica = new Replica({ autoTick: false, pageRules: '2025' });
    const refused = wat('(module (import "ic0" "nothing" (func)))');
    expect(await charged(replica, refused)).toBe(5_000_000 + 6_000 * refused.length);
  });
});

describe('storage (23)', () => {
  const sections = [
    customSection('icp:public candid:service', 'service : {}'),
    customSection('icp:private secret', 'x'),
  ];
  const module = new Uint8Array(
    Buffer.concat([
      wat('(module (memory 3) (global (mut i64) (i64.const 0)) (global i32 (i32.const 0)))'),
      ...sections,
    ]),
  );

  test('counts memory, code, mutable globals, sections by name and content, and 350 bytes of history', async () => {
    const { target, replica, canisterId } = await install(module);
    const custom = 'candid:service'.length + 1 + 12 + 'secret'.length + 1 + 1;
    expect(target.storageBytes).toBe(3 * 65_536 + module.length + 8 + custom + 350);
    const { memory_size, memory_metrics } = await replica.canisterStatus({ canisterId });
    expect(memory_size).toBe(BigInt(target.storageBytes));
    expect(memory_metrics).toMatchObject({
      global_memory_size: 8n,
      custom_sections_size: BigInt(custom),
      canister_history_size: 350n,
    });
    await replica.installCode({ canisterId, wasm: module, mode: 'upgrade' });
    expect(target.historyBytes).toBe(350 + 160);
    for (let i = 0; i < 30; i++) await replica.installCode({ canisterId, wasm: module, mode: 'reinstall' });
    expect(target.historyBytes).toBe(20 * 160);
  });

  test.each<[PageRules, number, number]>([
    ['2025', 127_000, 0],
    ['2026', 317_500, 10_000],
  ])('rules of %s: %i a GiB and second, %i a second, every ten seconds', async (rules, gib, base) => {
    const { target, replica } = await install(module, rules);
    const ten = Math.floor((target.storageBytes * gib * 10) / 2 ** 30) + base * 10;
    await replica.tick();
    const { cycles } = target;
    for (let i = 0; i < 9; i++) {
      replica.advanceTime(1_000);
      await replica.tick();
    }
    expect(cycles - target.cycles).toBe(0n);
    for (let i = 0; i < 91; i++) {
      replica.advanceTime(1_000);
      await replica.tick();
    }
    expect(Number(cycles - target.cycles)).toBe(10 * ten);
  });

  test('127,648,000 in 10,000 s, where memory and code alone would cost 127,640,283', async () => {
    const memoryAndCode = Math.round((127_640_283 * 2 ** 30) / (127_000 * 10_000));
    const [pages, codeBytes] = [Math.floor(memoryAndCode / 65_536), memoryAndCode % 65_536];
    const interfaceBytes = 6_600;
    const section = customSection('icp:public candid:service', 'x'.repeat(interfaceBytes));
    const padded = (bytes: number) =>
      Buffer.concat([
        wat(`(module (memory ${pages}) (global (mut i64) (i64.const 0)) (data (i32.const 0) "${'x'.repeat(bytes)}"))`),
        section,
      ]);
    // the padding's length is itself written in two bytes or three
    const padding = codeBytes - padded(20_000).length + 20_000;
    const { target, replica } = await install(new Uint8Array(padded(padding)));
    expect(target.storageBytes - memoryAndCode).toBe(interfaceBytes + 'candid:service'.length + 1 + 8 + 350);
    expect(Math.floor((memoryAndCode * 127_000 * 10_000) / 2 ** 30)).toBe(127_640_283);
    await replica.tick();
    const { cycles } = target;
    for (let i = 0; i < 1_000; i++) {
      replica.advanceTime(10_000);
      await replica.tick();
    }
    expect(Number(cycles - target.cycles)).toBe(127_648_000);
  });

  test('a canister with nothing in it pays for its place', async () => {
    const replica = new Replica({ autoTick: false });
    const target = replica.createCanister();
    expect(target.idleFee(86_400n)).toBe((190n * 317_500n * 86_400n) / 2n ** 30n + 864_000_000n);
  });

  test.each<[PageRules, bigint]>([
    ['2025', 642_937_500n],
    ['2026', 1_607_343_750n],
  ])('rules of %s: an open call raises the freezing threshold by %i', async (rules, each) => {
    const calling = canister(`
      (table 1 funcref) (elem (i32.const 0) $back) (func $back (param i32))
      (func (export "canister_update call")
        (call $msg_arg_data_copy (i32.const 0) (i32.const 0) (i32.const 10))
        (call $call_new (i32.const 0) (i32.const 10) (i32.const 10) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (drop (call $call_perform)) (call $msg_reply))`);
    const { target, replica, canisterId } = await install(calling, rules);
    const other = replica.createCanister().canisterId;
    const before = target.freezingCycles;
    const arg = other.toUint8Array();
    for (let i = 0; i < 3; i++) await replica.submitCall({ canisterId, method: 'call', arg });
    const round = replica.tick();
    // one message a turn of the event loop: first the three calls are made, then their answers come
    const seen: number[] = [];
    for (let turn = 0; turn < 8; turn++) {
      seen.push(target.callbacks.size);
      // by the day, rounded down
      const raised = Number(target.freezingCycles - before) / (target.callbacks.size * Number(each) || 1);
      expect(raised).toBeCloseTo(target.callbacks.size > 0 ? 1 : 0, 6);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await round;
    expect(Math.max(...seen)).toBe(3);
    while ((await replica.tick()) > 0);
    expect([target.callbacks.size, target.freezingCycles]).toEqual([0, before]);
  });
});

describe('an import of stable memory that stands twice (24)', () => {
  const twice = (call: string) =>
    wat(`(module
      (import "ic0" "stable64_size" (func $first (result i64)))
      (import "ic0" "stable64_size" (func $last (result i64)))
      (import "ic0" "time" (func $time (result i64)))
      (import "ic0" "time" (func $time2 (result i64)))
      (import "ic0" "msg_reply" (func $msg_reply))
      (func (export "canister_update go") (drop (call ${call})) (call $msg_reply)))`);

  test('the last is native, the first traps', async () => {
    expect(await (await install(twice('$last'))).update('go')).toEqual(empty);
    const error = await (await install(twice('$first'))).update('go');
    expect(error).toMatchObject({ errorCode: 'IC0503' });
    expect(error.message).toContain('ic0.stable64_size is implemented natively in Wasm');
  });

  test('others may stand twice', async () => {
    expect(await (await install(twice('$time'))).update('go')).toEqual(empty);
    expect(await (await install(twice('$time2'))).update('go')).toEqual(empty);
  });
});

describe('charging comes before checking (25)', () => {
  /** What the system calls of an update cost that traps in the call. */
  const cost = async (call: string) => {
    const { replica, update } = await install(canister(`(func (export "canister_update go") ${call})`));
    expect((await update('go')).errorCode).toMatch(/^IC050[24]$/);
    return replica.messages.at(-1)!.instructions.systemCalls;
  };

  test.each<[call: string, instructions: number]>([
    // out of context
    ['(call $accept_message)', 500],
    ['(call $data_certificate_copy (i32.const 0) (i32.const 0) (i32.const 7))', 500 + 7],
    ['(call $msg_reject_msg_copy (i32.const 0) (i32.const 0) (i32.const 9))', 500 + 9],
    ['(drop (call $msg_cycles_refunded))', 500],
    // out of bounds, or too much
    ['(call $msg_arg_data_copy (i32.const 0) (i32.const 0) (i32.const 5))', 500 + 5],
    ['(call $canister_self_copy (i32.const 0) (i32.const 8) (i32.const 5))', 500 + 5],
    ['(call $msg_reply_data_append (i32.const 65536) (i32.const 5))', 500 + 250],
    ['(call $msg_reply_data_append (i32.const 0) (i32.const 2097153))', 500 + 50 * 2_097_153],
    ['(call $certified_data_set (i32.const 0) (i32.const 33))', 500 + 33],
    [
      '(call $call_new (i32.const 0) (i32.const 30) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))',
      1_500 + 34,
    ],
    [
      '(call $call_new (i32.const 0) (i32.const 10) (i32.const 0) (i32.const 20001) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))',
      1_500 + 20_011,
    ],
    ['(call $call_data_append (i32.const 0) (i32.const 6))', 500 + 300],
    ['(call $env_var_name_copy (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 5))', 500 + 5],
    ['(call $env_var_value_copy (i32.const 0) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5))', 500 + 5],
    ['(drop (call $env_var_value_size (i32.const 0) (i32.const 3)))', 500],
    ['(drop (call $is_controller (i32.const 0) (i32.const 30)))', 1_000 + 30],
    ['(call $stable64_write (i64.const 0) (i64.const 0) (i64.const 50))', 20 + 50],
    ['(call $stable_read (i32.const 0) (i32.const 0) (i32.const 50))', 20 + 50],
  ])('%s', async (call, instructions) => {
    expect(await cost(call)).toBe(instructions);
  });

  test('looking for an environment variable costs nothing a byte', async () => {
    const { replica, update } = await install(
      canister(`(func (export "canister_update go")
        (drop (call $env_var_name_exists (i32.const 0) (i32.const 100))) (call $msg_reply))`),
    );
    await update('go');
    expect(replica.messages.at(-1)!.instructions.systemCalls).toBe(500 + 500);
  });

  test.each<[PageRules, number]>([
    ['2025', 1_000],
    ['2026', 160_000],
  ])('rules of %s: of two stores of which the second is out of bounds, the first is paid for', async (rules, pages) => {
    const stores = (first: number, second: number) =>
      `(param $p i32) (i32.store offset=${first} (local.get $p) (i32.const 1)) (i32.store offset=${second} (local.get $p) (i32.const 1))`;
    const wasm = canister(`
      (func $up ${stores(0, 65_536)}) (func $down ${stores(65_536, 0)})
      (func $apart (param $p i32) (i32.store (local.get $p) (i32.const 1)) (i32.store (i32.const 65536) (i32.const 1)))
      (func $divided (param $p i32) (i32.store (local.get $p) (i32.const 1)) (drop (i32.div_u (i32.const 1) (i32.const 0)))
        (i32.store offset=4096 (local.get $p) (i32.const 1)))
      ${['up', 'down', 'apart', 'divided'].map((name) => `(func (export "canister_update ${name}") (call $${name} (i32.const 0)))`).join('')}`);
    const { replica, update } = await install(wasm, rules);
    const pagesOf = async (method: string) => {
      expect((await update(method)).errorCode).toBe('IC0502');
      return replica.messages.at(-1)!.instructions.pages;
    };
    expect(await pagesOf('up')).toBe(pages);
    expect(await pagesOf('apart')).toBe(pages);
    expect(await pagesOf('divided')).toBe(pages);
    expect(await pagesOf('down')).toBe(0);
  });

  test.each([
    ['(drop (i32.div_s (i32.const 1) (i32.const 0)))', 'Canister trapped: integer division by 0'],
    ['(drop (i32.div_s (i32.const -2147483648) (i32.const -1)))', 'Canister trapped: unknown'],
    ['(unreachable)', 'Canister trapped: unreachable'],
    ['(drop (i32.load (i32.const 65536)))', 'Canister trapped: heap out of bounds'],
    [
      '(call $stable64_read (i64.const 0) (i64.const 0) (i64.const 1))',
      'Canister trapped: stable memory out of bounds',
    ],
    ['(call $accept_message)', 'Canister violated contract: "ic0_accept_message" cannot be executed in update mode'],
    ['(call $trap (i32.const 0) (i32.const 0))', "Canister called `ic0.trap` with message: ''"],
    ['(nop)', 'Canister did not reply to the call'],
  ])('the first sentence of %s is as there', async (text, sentence) => {
    const { update, canisterId } = await install(canister(`(func (export "canister_update go") ${text})`));
    const first = (await update('go')).rejectMessage.split(/\.(?= |\n|$)/)[0];
    expect(first).toBe(`Error from Canister ${canisterId.toText()}: ${sentence}`);
  });
});
