/**
 * What instructions cost: every opcode of the table in a function of its own, with the count worked out from the table;
 * control flow, calls, bulk memory and limits with counts worked out by hand.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { type MessageRecord, Replica } from '../src/index.ts';
import { instructionLimits } from '../src/limits.ts';
import costs from '../src/wasm/instruction-costs.json' with { type: 'json' };
import { opcodes } from '../src/wasm/opcodes.ts';
import { validateModule } from '../src/wasm/validate.ts';
import { bareExecutor } from './bare-executor.ts';
import { canister, int, long, wat } from './wat.ts';

const empty = new Uint8Array(0);
const cost: Record<string, number> = costs.opcodes_wasm32;

async function install(wasm: Uint8Array, options: { pageRules?: '2025' | '2026' } = {}) {
  const replica = new Replica({ autoTick: false, ...options });
  const { canisterId } = replica.createCanister();
  await replica.installCode({ canisterId, wasm });
  /** The record of an update call, however it ended. */
  const run = async (method: string): Promise<MessageRecord> => {
    await replica.updateCall({ canisterId, method, arg: empty }).catch(() => undefined);
    return replica.messages.at(-1)!;
  };
  return { replica, canisterId, run };
}

/** Operands and result of the opcodes that work on numbers only, from their names. */
function signature(name: string): { operands: string[]; result?: string; immediate?: string } {
  const [shape, op] = name.split('.');
  const scalar: Record<string, string> = {
    i8x16: 'i32',
    i16x8: 'i32',
    i32x4: 'i32',
    i64x2: 'i64',
    f32x4: 'f32',
    f64x2: 'f64',
  };
  if (/^load.*_lane/.test(op)) return { operands: ['i32', 'v128'], result: 'v128', immediate: '0' };
  if (/^store.*_lane/.test(op)) return { operands: ['i32', 'v128'], immediate: '0' };
  if (op.startsWith('load')) return { operands: ['i32'], result: shape };
  if (op.startsWith('store')) return { operands: ['i32', shape] };
  const lane = scalar[shape];
  if (lane) {
    if (op === 'splat') return { operands: [lane], result: 'v128' };
    if (op.startsWith('extract_lane')) return { operands: ['v128'], result: lane, immediate: '0' };
    if (op === 'replace_lane') return { operands: ['v128', lane], result: 'v128', immediate: '0' };
    if (op === 'shuffle') return { operands: ['v128', 'v128'], result: 'v128', immediate: '0 '.repeat(16) };
    if (/^sh[lr]/.test(op)) return { operands: ['v128', 'i32'], result: 'v128' };
    if (/^(all_true|bitmask)$/.test(op)) return { operands: ['v128'], result: 'i32' };
    if (/^(abs|neg|popcnt|ceil|floor|trunc|nearest|sqrt)$|^ext(end|add)|^convert|^demote|^promote|^trunc_sat/.test(op))
      return { operands: ['v128'], result: 'v128' };
    return { operands: ['v128', 'v128'], result: 'v128' };
  }
  if (shape === 'v128') {
    if (op === 'not') return { operands: ['v128'], result: 'v128' };
    if (op === 'any_true') return { operands: ['v128'], result: 'i32' };
    if (op === 'bitselect') return { operands: ['v128', 'v128', 'v128'], result: 'v128' };
    return { operands: ['v128', 'v128'], result: 'v128' };
  }
  const from = /_([if]\d\d)/.exec(op)?.[1];
  if (from) return { operands: [from], result: shape };
  if (op === 'eqz') return { operands: [shape], result: 'i32' };
  if (/^(eq|ne|[lg][te])(_[su])?$/.test(op)) return { operands: [shape, shape], result: 'i32' };
  if (/^(clz|ctz|popcnt|abs|neg|ceil|floor|trunc|nearest|sqrt|extend\d+_s)$/.test(op))
    return { operands: [shape], result: shape };
  return { operands: [shape, shape], result: shape };
}

const constant: Record<string, string> = {
  i32: '(i32.const 1)',
  i64: '(i64.const 1)',
  f32: '(f32.const 1)',
  f64: '(f64.const 1)',
  v128: '(v128.const i32x4 1 1 1 1)',
};

/**
 * The other opcodes: a function's text and what it costs, by hand. 1 for entering the function is part of each.
 * `f` is a function without parameters and results, of type `t`, in table 0 at index 0; it costs 1 itself.
 */
const byHand: Record<string, [text: string, instructions: number]> = {
  'i32.const': ['(drop (i32.const 5))', 1 + 1 + 1],
  'i64.const': ['(drop (i64.const 5))', 1 + 1 + 1],
  'f32.const': ['(drop (f32.const 5))', 1 + 1 + 1],
  'f64.const': ['(drop (f64.const 5))', 1 + 1 + 1],
  'v128.const': ['(drop (v128.const i32x4 1 2 3 4))', 1 + 1 + 1],
  unreachable: ['(unreachable)', 1 + 1],
  nop: ['(nop)', 1 + 1],
  block: ['(block (nop) (br 0))', 1 + 1 + 2],
  loop: ['(loop (nop))', 1 + 1],
  if: ['(if (i32.const 1) (then (nop)))', 1 + 1 + 2 + 1],
  else: ['(if (i32.const 0) (then (drop (i32.const 1))) (else (nop)))', 1 + 1 + 2 + 1],
  end: ['(block (block (br 0)) (nop) (br 0))', 1 + 2 + 1 + 2],
  br: ['(block (br 0))', 1 + 2],
  br_if: ['(block (br_if 0 (i32.const 1)) (nop))', 1 + 1 + 2],
  br_table: ['(block (block (br_table 0 1 (i32.const 0)) (nop)) (nop))', 1 + 1 + 2 + 1],
  return: ['(return) (nop)', 1 + 1],
  call: ['(call $f)', 1 + 5 + 1],
  call_indirect: ['(call_indirect (type $t) (i32.const 0))', 1 + 1 + 10 + 1],
  return_call: ['(return_call $f)', 1 + 3 + 1],
  return_call_indirect: ['(return_call_indirect (type $t) (i32.const 0))', 1 + 1 + 60 + 1],
  drop: ['(drop (i32.const 1))', 1 + 1 + 1],
  select: ['(drop (select (i32.const 1) (i32.const 2) (i32.const 0)))', 1 + 3 + 1 + 1],
  'local.get': ['(local i32) (drop (local.get 0))', 1 + 1 + 1],
  'local.set': ['(local i32) (local.set 0 (i32.const 1))', 1 + 1 + 1],
  'local.tee': ['(local i32) (drop (local.tee 0 (i32.const 1)))', 1 + 1 + 1 + 1],
  'global.get': ['(drop (global.get $g))', 1 + 2 + 1],
  'global.set': ['(global.set $g (i32.const 1))', 1 + 1 + 2],
  'table.get': ['(drop (table.get $table (i32.const 0)))', 1 + 1 + 5 + 1],
  'table.size': ['(drop (table.size $table))', 1 + 100 + 1],
  'memory.size': ['(drop (memory.size))', 1 + 20 + 1],
  'memory.grow': ['(drop (memory.grow (i32.const 1)))', 1 + 1 + 300 + 1],
  'memory.copy': ['(memory.copy (i32.const 0) (i32.const 64) (i32.const 10))', 1 + 3 + 100 + 10],
  'memory.fill': ['(memory.fill (i32.const 0) (i32.const 7) (i32.const 30))', 1 + 3 + 100 + 30],
  'memory.init': ['(memory.init $data (i32.const 0) (i32.const 0) (i32.const 3))', 1 + 3 + 100 + 3],
  'data.drop': ['(data.drop $data)', 1 + 300],
  'elem.drop': ['(elem.drop $elements)', 1 + 300],
  'ref.null': ['(drop (ref.null func))', 1 + 1 + 1],
  'ref.is_null': ['(drop (ref.is_null (ref.null func)))', 1 + 1 + 5 + 1],
  'ref.func': ['(drop (ref.func $f))', 1 + 130 + 1],
};

const forbidden = costs.opcodes_rejected_by_validation;
const surroundings = `(type $t (func)) (func $f) (global $g (mut i32) (i32.const 0)) (memory 1)
  (table $table 1 funcref) (elem (table $table) (i32.const 0) func $f) (elem $elements func $f) (data $data "abc")`;

let checked = 0;
afterAll(() => console.log(`${checked} of ${Object.keys(cost).length} opcodes checked`));

describe('every opcode', () => {
  test('costs what the table says', async () => {
    const functions: string[] = [];
    const expected = new Map<string, number>();
    for (const name of new Set([...opcodes.values()].map((opcode) => opcode.name))) {
      if (forbidden.includes(name)) continue;
      let text: string;
      if (byHand[name]) {
        text = byHand[name][0];
        expected.set(name, byHand[name][1]);
      } else {
        const { operands, result, immediate = '' } = signature(name);
        const body = `(${name} ${immediate} ${operands.map((type) => constant[type]).join(' ')})`;
        text = result ? `(drop ${body})` : body;
        expected.set(name, 1 + operands.length + cost[name] + (result ? 1 : 0));
      }
      functions.push(`(func (export "canister_update ${name}") ${text})`);
    }
    const { run } = await install(wat(`(module ${surroundings} ${functions.join('\n')})`), { pageRules: '2025' });
    const wrong: string[] = [];
    for (const [name, instructions] of expected) {
      const { total, pages } = (await run(name)).instructions;
      checked++;
      if (total - pages !== instructions) wrong.push(`${name}: expected ${instructions}, got ${total - pages}`);
    }
    expect(wrong).toEqual([]);
  });

  test.each(forbidden)('%s is refused', (name) => {
    const texts: Record<string, string> = {
      'table.grow': '(drop (table.grow $table (ref.null func) (i32.const 1)))',
      'table.set': '(table.set $table (i32.const 0) (ref.null func))',
      'table.fill': '(table.fill $table (i32.const 0) (ref.null func) (i32.const 1))',
      'table.copy': '(table.copy $table $table (i32.const 0) (i32.const 0) (i32.const 1))',
      'table.init': '(table.init $table $elements (i32.const 0) (i32.const 0) (i32.const 1))',
    };
    checked++;
    expect(() => validateModule(wat(`(module ${surroundings} (func ${texts[name]}))`))).toThrow(/rule: instructions/);
  });
});

describe('control flow, by hand', () => {
  test('a loop of ten turns', async () => {
    // Entry 1, i32.const 1, local.set 1; a turn: get 1, const 1, sub 1, tee 1, br_if 2.
    const { run } = await install(
      wat(`(module (func (export "canister_update run") (local $i i32)
        (local.set $i (i32.const 10))
        (loop $next (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))`),
    );
    expect((await run('run')).instructions.total).toBe(1 + 1 + 1 + 10 * (1 + 1 + 1 + 1 + 2));
  });

  test('a branch table and a return in the middle: each path what it passed', async () => {
    const { run } = await install(
      wat(`(module
        (func $f (param i32) (result i32)
          (block $a (block $b (br_table $b $a (local.get 0))) (return (i32.const 1)))
          (i32.const 2))
        (func (export "canister_update zero") (drop (call $f (i32.const 0))))
        (func (export "canister_update one") (drop (call $f (i32.const 1))))
        (func (export "canister_update two") (drop (call $f (i32.const 2)))))`),
    );
    // Caller: 1 entry, const 1, call 5, drop 1 = 8. Callee: 1 entry, get 1, br_table 2 = 4; then const 1 and return 1,
    // or const 1.
    expect((await run('zero')).instructions.total).toBe(8 + 4 + 2);
    expect((await run('one')).instructions.total).toBe(8 + 4 + 1);
    expect((await run('two')).instructions.total).toBe(8 + 4 + 1);
  });

  test('several results, and a branch with a value to the outermost label', async () => {
    const { run, replica, canisterId } = await install(
      canister(`
        (func $pair (param i32) (result i32 i64) (br_if 0 (i32.const 1) (i64.const 2) (local.get 0)) (drop) (drop)
          (i32.const 3) (i64.const 4))
        (func $sum (param i32) (result i32) (i32.add (i32.wrap_i64 (call $pair (local.get 0)))))
        (func $early (param i32) (result i32) (br_if 0 (i32.const 5) (local.get 0)) (drop) (i32.const 6))
        (func (export "canister_update pairs")
          (call $replyInt (i32.add (call $sum (i32.const 1)) (i32.mul (i32.const 10) (call $sum (i32.const 0))))))
        (func (export "canister_update taken") (drop (call $early (i32.const 1))))
        (func (export "canister_update passed") (drop (call $early (i32.const 0))))`),
    );
    expect(int(await replica.updateCall({ canisterId, method: 'pairs', arg: empty }))).toBe(3 + 70);
    expect((await run('taken')).instructions.total).toBe(1 + 1 + 5 + 1 + (1 + 1 + 1 + 2));
    expect((await run('passed')).instructions.total).toBe(1 + 1 + 5 + 1 + (1 + 1 + 1 + 2) + 1 + 1);
  });

  test('what a trap leaves: the whole block that it stands in is paid', async () => {
    const { run } = await install(
      wat(`(module (memory 1)
        (func (export "canister_update divide") (drop (i32.div_s (i32.const 1) (i32.const 0))) (nop) (nop))
        (func (export "canister_update load") (drop (i32.load (i32.const 65536))) (nop))
        (func (export "canister_update truncate") (drop (i32.trunc_f32_s (f32.const nan))) (nop))
        (func (export "canister_update stop") (nop) (unreachable)))`),
    );
    expect((await run('divide')).instructions.total).toBe(1 + 2 + 10 + 1 + 2);
    expect((await run('load')).instructions.total).toBe(1 + 1 + 1 + 1 + 1);
    expect((await run('truncate')).instructions.total).toBe(1 + 1 + 20 + 1 + 1);
    expect((await run('stop')).instructions.total).toBe(1 + 1 + 1);
  });
});

describe('limits', () => {
  test('a message may use its limit to the last instruction, and not one more', async () => {
    const { executor, run } = bareExecutor(
      wat(`(module (func (export "canister_update run") (local $i i32)
      (local.set $i (i32.const 10))
      (loop $next (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))`),
    );
    expect(run(63).trap).toBeUndefined();
    expect(run(62).trap?.errorCode).toBe('IC0522');
    expect(executor.meter.limit).toBe(62);
  });

  test('an endless loop ends at 40 B in an update and at 5 B in a query', async () => {
    const { run, replica, canisterId } = await install(
      wat(`(module (memory 1)
        (func $spin (loop $next (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (br $next)))
        (func (export "canister_update spin") (call $spin))
        (func (export "canister_query look") (call $spin)))`),
    );
    const { instructions, outcome } = await run('spin');
    expect(outcome).toMatchObject({ status: 'trapped', errorCode: 'IC0522' });
    expect(instructions.total).toBe(instructionLimits.update);
    await expect(replica.queryCall({ canisterId, method: 'look', arg: empty })).rejects.toThrow('limit of 5000000000');
  });
});

describe('system calls', () => {
  test('performance_counter agrees with what is charged', async () => {
    const { replica, canisterId, run } = await install(
      canister(`(func (export "canister_update last") (drop (call $performance_counter (i32.const 0))))
        (func (export "canister_update count") (call $replyLong (call $performance_counter (i32.const 0))))`),
    );
    // Entry 1, const 1, call 5, performance_counter 200, drop 1.
    expect((await run('last')).instructions).toMatchObject({ total: 208, systemCalls: 200, pages: 0, rest: 8 });
    const reply = await replica.updateCall({ canisterId, method: 'count', arg: empty });
    // The block's cost is paid at its start: entry 1, const 1, call 5, call 5; and 200.
    expect(long(reply)).toBe(1 + 1 + 5 + 5 + 200);
  });

  test('bytes cost what the table says', async () => {
    const { run } = await install(
      canister(`(func (export "canister_update append") (call $msg_reply_data_append (i32.const 0) (i32.const 100)))
        (func (export "canister_update callNew")
          (call $call_new (i32.const 0) (i32.const 10) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
        (func (export "canister_update print") (call $debug_print (i32.const 0) (i32.const 100)))
        (func (export "canister_update trap") (call $trap (i32.const 0) (i32.const 10)))
        (func (export "canister_update stable")
          (drop (call $stable64_grow (i64.const 1)))
          (call $stable64_write (i64.const 0) (i64.const 0) (i64.const 50))
          (call $stable64_read (i64.const 0) (i64.const 0) (i64.const 60)))`),
    );
    expect((await run('append')).instructions.systemCalls).toBe(500 + 50 * 100);
    expect((await run('callNew')).instructions.systemCalls).toBe(1500 + 10 + 4);
    expect((await run('print')).instructions.systemCalls).toBe(100 + 2 * 100 + 50 * 100);
    expect((await run('trap')).instructions.systemCalls).toBe(500 + 10 + 2 * 10 + 50 * 10);
    expect((await run('stable')).instructions.systemCalls).toBe(100 + 20 + 50 + 20 + 60);
  });
});

describe('pages', () => {
  const pages = canister(
    `(func (export "canister_update read") (drop (i32.load (i32.const 0))) (drop (i32.load (i32.const 4))) (drop (i32.load (i32.const 65536))))
    (func (export "canister_update write") (i32.store (i32.const 0) (i32.const 1)) (drop (i32.load (i32.const 0))))
    (func (export "canister_update readWrite") (drop (i32.load (i32.const 0))) (i32.store (i32.const 0) (i32.const 1)))
    (func (export "canister_update fill") (memory.fill (i32.const 65530) (i32.const 1) (i32.const 65550)))
    (func (export "canister_update stableRead") (drop (call $stable64_grow (i64.const 3)))
      (call $stable64_read (i64.const 0) (i64.const 65530) (i64.const 20)))
    (func (export "canister_update stableWrite") (call $stable64_write (i64.const 0) (i64.const 0) (i64.const 20)))`,
    4,
  );

  test('rules of 2026: 80,000 for the first touch of 64 KiB, 80,000 for the first write', async () => {
    const { run } = await install(pages);
    expect((await run('read')).instructions.pages).toBe(2 * 80_000);
    expect((await run('write')).instructions.pages).toBe(160_000);
    expect((await run('readWrite')).instructions.pages).toBe(160_000);
    const fill = await run('fill');
    expect(fill.instructions.pages).toBe(3 * 160_000);
    expect(fill.pagesTouched).toEqual({ heap: 3, heapWritten: 3, stable: 0, stableWritten: 0 });
    // Two stable pages read, one heap page written.
    expect((await run('stableRead')).instructions.pages).toBe(2 * 80_000 + 160_000);
    expect((await run('stableWrite')).instructions.pages).toBe(160_000 + 80_000);
  });

  test('rules of 2025: 1,000 for each 4 KiB written', async () => {
    const { run } = await install(pages, { pageRules: '2025' });
    expect((await run('read')).instructions.pages).toBe(0);
    expect((await run('write')).instructions.pages).toBe(1_000);
    // 65,530 to 131,080: the last 4 KiB of page 0, all 16 of page 1, the first of page 2.
    expect((await run('fill')).instructions.pages).toBe(18 * 1_000);
    await run('stableRead');
    expect((await run('stableWrite')).instructions.pages).toBe(1_000);
  });

  test('accesses off one base are looked up together, and cost what they would alone', async () => {
    const loads = Array.from({ length: 64 }, (_, i) => `(v128.load8x8_s offset=${i * 8} (local.get $p))`);
    const sum = loads.reduce((left, right) => `(i16x8.add ${left} ${right})`);
    const { run, replica, canisterId } = await install(
      canister(
        `(func $sum (param $p i32) (result i32) (i16x8.extract_lane_s 0 ${sum}))
        (func (export "canister_update inside") (drop (call $sum (i32.const 1024))))
        (func (export "canister_update across") (drop (call $sum (i32.const 65280))))
        (func (export "canister_update atTheEnd") (drop (call $sum (i32.const 130560))))
        (func (export "canister_update beyond") (drop (call $sum (i32.const 130568))))
        (func (export "canister_update wrapped") (call $replyInt (i32.load (i32.add (i32.const -8) (i32.const 16)))))`,
        2,
      ),
    );
    expect((await run('inside')).pagesTouched.heap).toBe(1);
    expect((await run('across')).pagesTouched.heap).toBe(2);
    expect((await run('atTheEnd')).outcome.status).toBe('ok');
    expect((await run('beyond')).outcome).toMatchObject({ status: 'trapped', errorCode: 'IC0502' });
    expect(int(await replica.updateCall({ canisterId, method: 'wrapped', arg: empty }))).toBe(0);
  });
});
