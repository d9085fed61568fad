/**
 * A module and what it is rewritten to compute the same: AssemblyScript programs that load and store in all widths,
 * sort, recurse and use SIMD, run as they are in the engine and rewritten in the replica; and accesses at random
 * places, in and out of bounds.
 */

import * as asc from 'assemblyscript/asc';
import binaryen from 'binaryen';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Replica } from '../../src/index.ts';
import { Instance } from '../../src/instance.ts';
import { Meter } from '../../src/meter.ts';
import { instrument } from '../../src/wasm/instrument.ts';
import { parseModule } from '../../src/wasm/module.ts';
import { wat } from '../wat.ts';

const program = `
  function hash(h: u32, v: u32): u32 { return (h ^ v) * 16777619; }

  function sort(a: StaticArray<i32>, low: i32, high: i32): void {
    if (low >= high) return;
    const pivot = unchecked(a[(low + high) >> 1]);
    let i = low, j = high;
    while (i <= j) {
      while (unchecked(a[i]) < pivot) i++;
      while (unchecked(a[j]) > pivot) j--;
      if (i <= j) { const t = unchecked(a[i]); unchecked(a[i] = a[j]); unchecked(a[j] = t); i++; j--; }
    }
    sort(a, low, j);
    sort(a, i, high);
  }

  export function sorted(seed: u32): u32 {
    const n = 5000;
    const a = new StaticArray<i32>(n);
    let x = seed;
    for (let i = 0; i < n; i++) { x = x * 1664525 + 1013904223; unchecked(a[i] = x); }
    sort(a, 0, n - 1);
    let h: u32 = 2166136261;
    for (let i = 0; i < n; i++) h = hash(h, unchecked(a[i]));
    return h;
  }

  export function widths(seed: u32): u32 {
    const base: usize = __heap_base + 1024;
    let h: u32 = 2166136261, x = seed;
    for (let i = 0; i < 3000; i++) {
      x = x * 1664525 + 1013904223;
      const p = base + (x & 0x1ffff);
      store<u8>(p, x); store<u16>(p + 3, x); store<u32>(p + 9, x); store<u64>(p, x, 17);
      store<f32>(p, <f32>(x >> 8), 32); store<f64>(p, <f64>x, 41);
      v128.store(p, i32x4.splat(x), 64);
      v128.store_lane<u16>(p, i16x8.splat(<i16>x), 3, 90);
      h = hash(h, load<i8>(p)); h = hash(h, load<u16>(p, 3)); h = hash(h, load<u32>(p, 7)); h = hash(h, <u32>load<u64>(p, 15));
      h = hash(h, <u32>load<f32>(p, 32)); h = hash(h, <u32>load<f64>(p, 41));
      h = hash(h, i32x4.extract_lane(i32x4.add(v128.load(p, 60), v128.load_ext<i8>(p, 68)), 1));
      h = hash(h, i16x8.extract_lane_u(v128.load_lane<u16>(p, v128.load_splat<u8>(p, 1), 2, 88), 2));
      memory.copy(p + 200, p + 3, 70); memory.fill(p + 300, <u8>x, 20);
      h = hash(h, load<u32>(p, 230)); h = hash(h, load<u32>(p, 310));
    }
    return h;
  }

  export function grown(seed: u32): u32 {
    const before = memory.grow(seed & 3);
    let h = hash(2166136261, before);
    h = hash(h, memory.size());
    const end: usize = <usize>memory.size() << 16;
    h = hash(h, load<u32>(end - 4));
    store<u32>(end - 4, seed);
    return hash(h, load<u32>(end - 4));
  }

  function fib(n: i32): i32 { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
  type F = (x: i32) => i32;
  const table: F[] = [(x) => x + 1, (x) => x * 3, (x) => x ^ 0x55];
  export function calls(seed: u32): u32 {
    let h: u32 = fib(15);
    for (let i = 0; i < 300; i++) h = hash(h, table[(seed + i) % 3](<i32>h));
    return h;
  }`;

/** Both forms of a module's exports: the methods of the rewritten one are called without the replica around them. */
function both(wasm: Uint8Array) {
  const plain = new WebAssembly.Instance(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>), {
    env: { abort: () => undefined },
  });
  const module = parseModule(wasm);
  // As entry points they would have no parameters: their names alone keep them exported.
  for (const entry of module.exports) if (entry.kind === 0) entry.name = `canister_query ${entry.name}`;
  const rewritten = instrument(module);
  const meter = new Meter();
  const instance = new Instance({ ...rewritten, module: new WebAssembly.Module(rewritten.wasm) }, {}, meter, '2026');
  instance.memoryLimit = Number.POSITIVE_INFINITY;
  meter.begin(instance.counter, 40e9);
  if (rewritten.hasStart) instance.call('start');
  const run = (name: string, ...args: number[]): number | string => {
    meter.begin(instance.counter, 40e9);
    instance.begin();
    try {
      return instance.call(`canister_query ${name}`, ...args) as number;
    } catch {
      return 'trap';
    }
  };
  const runPlain = (name: string, ...args: number[]): number | string => {
    try {
      return (plain.exports[name] as (...args: number[]) => number)(...args);
    } catch {
      return 'trap';
    }
  };
  return { run, runPlain, pages: () => instance.touchedPages };
}

describe('an AssemblyScript program', () => {
  test.each([0, 1, 3])('optimised at level %i, computes what it computes unmetered', async (optimizeLevel) => {
    const options = {
      optimizeLevel,
      runtime: 'stub',
      noAssert: true,
      use: ['abort='],
      enable: ['simd', 'bulk-memory'],
    } as never;
    const { binary, stderr } = await asc.compileString(program, options);
    if (!binary) throw new Error(String(stderr));
    const { run, runPlain } = both(binary);
    for (const name of ['sorted', 'widths', 'grown', 'calls'])
      for (const seed of [1, 2, 12_345, 0x7fffffff])
        expect([name, seed, run(name, seed)]).toEqual([name, seed, runPlain(name, seed)]);
  });
});

test('loads and stores at random addresses and offsets: same values, same traps', () => {
  const kinds = ['i32.load', 'i64.load8_u', 'v128.load', 'i32.store16', 'v128.store', 'f64.store'];
  const offsets = [0, 1, 65_535, 65_536, 131_056, 0x7fffffff, 0xfffeffff, 0xffff0000, 0xfffffff0];
  const functions = kinds.flatMap((kind) =>
    offsets.map((offset) => {
      const type = kind.slice(0, kind.indexOf('.'));
      const value = type === 'v128' ? '(i32x4.splat (i32.const 7))' : `(${type}.const 7)`;
      const access = kind.includes('load')
        ? `(drop (${kind} offset=${offset} (local.get 0)))`
        : `(${kind} offset=${offset} (local.get 0) ${value})`;
      return `(func (export "${kind} ${offset}") (param i32) (result i32) ${access} (i32.load8_u (local.get 0)))`;
    }),
  );
  const { run, runPlain } = both(wat(`(module (memory 3 5) ${functions.join(' ')})`));
  const near = fc.tuple(fc.nat({ max: 4 }), fc.integer({ min: -40, max: 40 })).map(([page, by]) => page * 65_536 + by);
  const address = fc.oneof(
    near,
    fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
    fc.integer({ min: -70_000, max: 0 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.constantFrom(...offsets), address, (kind, offset, at) => {
      expect(run(`${kind} ${offset}`, at)).toBe(runPlain(`${kind} ${offset}`, at));
    }),
    { numRuns: 20_000 },
  );
});

test('bulk operations at random ranges: same values, same traps', () => {
  const { run, runPlain } = both(
    wat(`(module (memory 2 2) (data $d "abcdefghij")
      (func $sum (param $at i32) (result i32) (i32.load8_u (i32.and (local.get $at) (i32.const 131071))))
      (func (export "copy") (param i32 i32 i32) (result i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)) (call $sum (local.get 0)))
      (func (export "fill") (param i32 i32 i32) (result i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)) (call $sum (local.get 0)))
      (func (export "init") (param i32 i32 i32) (result i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)) (call $sum (local.get 0))))`),
  );
  const edge = fc.oneof(
    fc.nat({ max: 131_072 }),
    fc.integer({ min: 65_500, max: 65_600 }),
    fc.integer({ min: 131_000, max: 131_100 }),
    fc.constant(-1),
    fc.nat({ max: 12 }),
  );
  fc.assert(
    fc.property(fc.constantFrom('copy', 'fill', 'init'), edge, edge, edge, (name, a, b, c) => {
      expect(run(name, a, b, c)).toBe(runPlain(name, a, b, c));
    }),
    { numRuns: 5_000 },
  );
});

/** A program with many accesses off the same bases, in loops, branches and calls, near the borders of pages. */
const walker = `
  class Node { a: i32; b: i64; c: f64; d: u8; next: usize; }
  function visit(p: usize, x: u32): u32 {
    const n = changetype<Node>(p);
    let h: u32 = n.a;
    if (x & 1) { n.a = x; h += <u32>n.b; } else if (x & 2) { n.b = x; if (x & 16) n.d = <u8>x; }
    for (let i = 0; i < <i32>(x & 3); i++) { n.c = <f64>i; h += n.d; if (x & 32) { p += 8; h += load<u32>(p, 24); } else store<u16>(p, x, 40); }
    while (x & 12) { h += load<u8>(p - 4, 4); x -= 4; }
    return x & 64 ? h + visit(p - 40, x >> 1) : h;
  }
  export function walk(seed: u32): u32 {
    let h: u32 = 0, x = seed;
    for (let i = 0; i < 40; i++) {
      x = x * 1664525 + 1013904223;
      // Within 256 bytes of the border of some page from 1 to 60, and at times anywhere in it.
      const border: usize = (<usize>((x >> 8) % 60) + 1) << 16;
      h ^= visit((border + (x & 0x2000 ? x >> 16 : (x >> 16) & 0xff) - 128) & ~7, x >> 5);
    }
    return h;
  }`;

test.each([0, 3])(
  'touches and writes the pages that its accesses touch and write, optimised at level %i',
  async (optimizeLevel) => {
    const options = { optimizeLevel, runtime: 'stub', noAssert: true, use: ['abort='], initialMemory: 64 } as never;
    const { binary, stderr } = await asc.compileString(walker, options);
    if (!binary) throw new Error(String(stderr));
    const { run, pages } = both(binary);
    // Binaryen's own instrumentation tells the address of each access.
    const [read, written] = [new Set<number>(), new Set<number>()];
    const note = (set: Set<number>) => (_: number, __: number, offset: number, address: number) => {
      set.add(((address >>> 0) + (offset >>> 0)) >>> 16);
      return address;
    };
    const value = (_: number, given: unknown) => given;
    const grow = { memory_grow_pre: value, memory_grow_post: value };
    const types = ['i32', 'i64', 'f32', 'f64'].flatMap((type) => [`load_val_${type}`, `store_val_${type}`]);
    const env = {
      load_ptr: note(read),
      store_ptr: note(written),
      ...grow,
      ...Object.fromEntries(types.map((name) => [name, value])),
    };
    const watched = binaryen.readBinary(binary);
    watched.runPasses(['instrument-memory']);
    const reference = new WebAssembly.Instance(
      new WebAssembly.Module(watched.emitBinary() as Uint8Array<ArrayBuffer>),
      { env },
    );
    for (let seed = 1; seed <= 300; seed++) {
      read.clear();
      written.clear();
      const expected = (reference.exports['walk'] as (seed: number) => number)(seed);
      expect(run('walk', seed)).toBe(expected);
      const touched = new Set([...read, ...written]);
      expect([seed, pages()]).toEqual([seed, { touched: touched.size, written: written.size }]);
    }
  },
);

test('tail calls do not grow the stack, and pay', async () => {
  const replica = new Replica({ autoTick: false });
  const { canisterId } = replica.createCanister();
  await replica.installCode({
    canisterId,
    wasm: wat(`(module
      (func $down (param i32) (if (i32.eqz (local.get 0)) (then (return))) (return_call $down (i32.sub (local.get 0) (i32.const 1))))
      (func (export "canister_update go") (call $down (i32.const 1000000))))`),
  });
  await replica.updateCall({ canisterId, method: 'go', arg: new Uint8Array(0) }).catch(() => undefined);
  // go: 1 entry, const 1, call 5. A turn: entry 1, get 1, eqz 1, if 2, then get 1, const 1, sub 1, return_call 3. The
  // last: 5 and return 1.
  expect(replica.messages.at(-1)!.instructions.total).toBe(7 + 1_000_000 * 11 + 6);
});
