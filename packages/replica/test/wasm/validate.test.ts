/**
 * The rules for modules: each broken once, the error naming it; and mutated modules, which must be refused or run, not
 * crash.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModuleError, validateModule } from '../../src/index.ts';
import { Writer } from '../../src/wasm/bytes.ts';
import { instrument } from '../../src/wasm/instrument.ts';
import { parseModule } from '../../src/wasm/module.ts';
import { canister, wat } from '../wat.ts';

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** A module of one function `() -> ()` with these bytes as its code. */
const withCode = (code: ArrayLike<number>): Uint8Array =>
  new Writer()
    .bytes(header)
    .section(1, (w) => w.bytes([1, 0x60, 0, 0]))
    .section(3, (w) => w.bytes([1, 0]))
    .section(5, (w) => w.bytes([1, 0, 1]))
    .section(10, (w) => w.byte(1).sized((body) => body.byte(0).bytes(code).byte(0x0b)))
    .finish();

const custom = (name: string, size = 1): Uint8Array =>
  new Writer()
    .bytes(header)
    .section(0, (w) => w.name(name).bytes(new Uint8Array(size)))
    .finish();

const memory64 = new Writer()
  .bytes(header)
  .section(5, (w) => w.bytes([1, 4, 1]))
  .finish();
const twoMemories = new Writer()
  .bytes(header)
  .section(5, (w) => w.bytes([2, 0, 1, 0, 1]))
  .finish();
const shared = new Writer()
  .bytes(header)
  .section(5, (w) => w.bytes([1, 3, 1, 2]))
  .finish();
const extended = new Writer()
  .bytes(header)
  .section(6, (w) => w.bytes([1, 0x7f, 0, 0x41, 1, 0x41, 2, 0x6a, 0x0b]))
  .finish();
const many = (count: number, field: (i: number) => string) =>
  wat(`(module ${Array.from({ length: count }, (_, i) => field(i)).join(' ')})`);

describe('rules', () => {
  test.each<[rule: string, what: string, wasm: () => Uint8Array]>([
    ['imports', 'a function that is not of the system API', () => wat('(module (import "ic0" "read_mind" (func)))')],
    ['imports', 'an import from elsewhere', () => wat('(module (import "env" "abort" (func)))')],
    ['wasm format', 'an imported memory', () => wat('(module (import "ic0" "memory" (memory 1)))')],
    ['import signatures', 'a wrong signature', () => wat('(module (import "ic0" "msg_reply" (func (param i32))))')],
    ['exports', 'an unknown canister_ export', () => wat('(module (func (export "canister_dream")))')],
    [
      'exports',
      'a method exported twice',
      () => wat('(module (func $f) (export "canister_query a" (func $f)) (export "canister_update a" (func $f)))'),
    ],
    ['exports', 'a memory as an entry point', () => wat('(module (memory (export "canister_init") 1))')],
    [
      'export signatures',
      'an entry point with a parameter',
      () => wat('(module (func (export "canister_update a") (param i32)))'),
    ],
    ['exported methods', '1,001 methods', () => many(1001, (i) => `(func (export "canister_query ${i}"))`)],
    [
      'exported methods',
      'names that are too long together',
      () => many(2, (i) => `(func (export "canister_query ${i}${'x'.repeat(10_000)}"))`),
    ],
    ['functions', '50,001 functions', () => many(50_001, () => '(func)')],
    ['globals', '1,001 globals', () => many(1001, () => '(global i32 (i32.const 0))')],
    [
      'function size',
      'a function of more than a million instructions',
      () => withCode(new Uint8Array(1_000_000).fill(0x01)),
    ],
    [
      'code section',
      'more than 10 MiB of code',
      () =>
        many(
          11,
          () => `(func (drop (v128.const i32x4 0 0 0 0)) ${'(drop (v128.const i32x4 0 0 0 0))'.repeat(55_000)})`,
        ),
    ],
    ['custom sections', 'a custom section that is neither public nor private', () => custom('icp:secret key')],
    ['custom sections', 'custom sections that are too large', () => custom('icp:public big', 2 ** 20 + 1)],
    ['wasm format', 'memory64', () => memory64],
    ['wasm validation', 'two memories', () => twoMemories],
    ['wasm format', 'a shared memory', () => shared],
    ['wasm format', 'an extended constant expression', () => extended],
    ['instructions', 'relaxed SIMD', () => withCode([0xfd, 0x80, 0x02, 0x1a])],
    ['instructions', 'an atomic fence', () => withCode([0xfe, 0x03, 0x00])],
    ['wasm validation', 'a type error', () => withCode([0x41, 0x00])],
    ['wasm format', 'something else', () => new TextEncoder().encode('hello, this is text')],
    ['wasm format', 'a module cut off', () => canister('').slice(0, 200)],
  ])('%s: %s', (rule, _, wasm) => {
    let error: unknown;
    try {
      validateModule(wasm());
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ModuleError);
    // What the engine itself refuses first may go by its name.
    expect([rule, 'wasm validation']).toContain((error as ModuleError).rule);
    expect((error as ModuleError).message).toContain(`[rule: ${(error as ModuleError).rule}]`);
  });

  test('a module with everything that is allowed passes', () => {
    validateModule(canister('(func (export "canister_update go") (call $msg_reply)) (data "x")'));
  });
});

test('20,000 mutated modules: refused with a rule, or rewritten to what the engine takes', () => {
  const original = wat(`(module
    (import "ic0" "msg_reply" (func $msg_reply)) (import "ic0" "time" (func $time (result i64))) (memory 1 10)
    (table 2 funcref) (elem (i32.const 0) $f $f) (global $g (mut v128) (v128.const i32x4 0 0 0 0)) (data "passive")
    (func $f (param i32) (drop (i64.load offset=8 (local.get 0))) (memory.copy (i32.const 0) (i32.const 8) (i32.const 8)))
    (func $h (param i32) (result i32) (block (br_table 0 0 (local.get 0))) (loop (br_if 0 (i32.const 0))) (return_call $h (i32.const 1)))
    (func (export "canister_update go") (v128.store (i32.const 0) (global.get $g)) (call $f (i32.const 0)) (call $msg_reply)))`);
  let [refused, taken] = [0, 0];
  const mutation = fc.tuple(
    fc.nat({ max: original.length - 1 }),
    fc.constantFrom('change', 'cut', 'double', 'drop'),
    fc.nat({ max: 255 }),
  );
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 2 }), (mutations) => {
      let bytes: Uint8Array = original.slice();
      for (const [at, kind, value] of mutations) {
        if (at >= bytes.length) continue;
        if (kind === 'change') bytes[at] = value;
        else if (kind === 'cut') bytes = bytes.slice(0, at);
        else if (kind === 'drop') bytes = new Uint8Array([...bytes.slice(0, at), ...bytes.slice(at + 1 + (value % 8))]);
        else bytes = new Uint8Array([...bytes.slice(0, at), ...bytes.slice(at, at + (value % 16)), ...bytes.slice(at)]);
      }
      try {
        validateModule(bytes);
      } catch (error) {
        if (!(error instanceof ModuleError)) throw error;
        refused++;
        return;
      }
      taken++;
      let wasm: Uint8Array<ArrayBuffer>;
      try {
        ({ wasm } = instrument(parseModule(bytes)));
      } catch (error) {
        // The one thing that is found only here: data outside of the initial memory, or too large a memory.
        expect((error as Error).message).toMatch(/^module: expected/);
        return;
      }
      expect(WebAssembly.validate(wasm)).toBe(true);
    }),
    { numRuns: 20_000 },
  );
  console.log(`of 20,000 mutated modules ${refused} were refused, ${taken} taken`);
  expect(taken).toBeGreaterThan(500);
});
