/** The build's part in the layout of the canister's heap: hooks in the allocator, and marks at what is touched. */
import binaryen from 'binaryen';
import { expect, test } from 'vitest';
import { hookAllocator } from '../../../src/node/build/heap/hooks.ts';
import { markAccesses } from '../../../src/node/build/heap/marks.ts';
import { readSections, writeSections } from '../../../src/node/build/sections.ts';

function moduleOf(text: string, hasNames = false): Uint8Array {
  binaryen.setDebugInfo(hasNames);
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  binaryen.setDebugInfo(false);
  return bytes;
}

test('a template whose functions have no names is refused, with the name that is missed', () => {
  const nameless = moduleOf('(module (func $dlmalloc (param i32) (result i32) (local.get 0)))');
  expect(() => hookAllocator(nameless)).toThrow(
    "heap: expected Azle's template to have a function dlmalloc, got none of that name",
  );
});

test('every load and store is marked with its address and offset, and does what it did', () => {
  const wasm = moduleOf(`(module
    (import "test" "mark" (func $seen (param i32 i32)))
    (memory 1)
    (func $mark (param $address i32) (param $offset i32) (result i32)
      (call $seen (local.get $address) (local.get $offset)) (local.get $address))
    (func (export "run") (param $at i32) (result f64)
      (local $x i64)
      (i64.store offset=16 (local.get $at) (i64.const 5))
      (local.set $x (i64.load offset=16 (local.get $at)))
      (i32.store8 (local.get $at) (i32.const 258))
      (v128.store (i32.const 64) (v128.load8_splat (local.get $at)))
      (f64.add (f64.convert_i64_s (local.get $x)) (f64.convert_i32_u (i32.load8_u offset=3 (i32.const 64))))))`);
  const sections = readSections(wasm);
  // the import is function 0
  const marked = writeSections(markAccesses(sections, 1));
  const seen: number[][] = [];
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(marked as Uint8Array<ArrayBuffer>), {
    test: { mark: (address: number, offset: number) => void seen.push([address, offset]) },
  });
  expect((exports['run'] as (at: number) => number)(100)).toBe(5 + 2);
  expect(seen).toEqual([
    [100, 16],
    [100, 16],
    [100, 0],
    [100, 0],
    [64, 0],
    [64, 3],
  ]);
});

test("QuickJS's calls of its allocator need no table, and dlmalloc's own pass the hooks", () => {
  const template = moduleOf(
    `(module
    (memory 1)
    ;; empty: what is still called through it traps
    (table 1 funcref)
    (type $to (func (param i32 i32)))
    (type $size (func (param i32) (result i32)))
    (type $taking (func (param i32 i32) (result i32)))
    (func $dlmalloc (param i32) (result i32) (i32.const 1000))
    (func $calloc (param i32 i32) (result i32) (call $dlmalloc (i32.mul (local.get 0) (local.get 1))))
    (func $realloc (export "resize") (param i32 i32) (result i32) (call $free (local.get 0)) (call $dlmalloc (local.get 1)))
    (func $internal_memalign (param i32 i32) (result i32) (call $dlmalloc (local.get 1)))
    (func $free (param i32))
    (func $js_def_calloc (param i32 i32 i32) (result i32) (call $calloc (local.get 1) (local.get 2)))
    (func $js_def_malloc (param i32 i32) (result i32) (call $dlmalloc (local.get 1)))
    (func $js_def_free (param i32 i32) (call $free (local.get 1)))
    (func $js_def_realloc (param i32 i32 i32) (result i32) (call $realloc (local.get 1) (local.get 2)))
    (func $js__malloc_usable_size (param i32) (result i32) (i32.const 0))
    (func $JS_NewRuntime2 (param i32 i32) (result i32) (i32.const 0))
    (func (export "take") (param $runtime i32) (param $bytes i32) (result i32)
      (local.set $bytes (call_indirect (type $taking)
        (i32.load (i32.add (local.get $runtime) (i32.const 32))) (local.get $bytes)
        (i32.load offset=4 (local.get $runtime))))
      (i32.add (local.get $bytes)
        (call_indirect (type $size) (local.get $bytes) (i32.load offset=16 (local.get $runtime)))))
    (func (export "give back") (param $runtime i32) (param $thing i32)
      (drop (call_indirect (type $size) (local.get $thing) (i32.load offset=16 (local.tee $runtime (i32.const 64)))))
      (call_indirect (type $to)
        (i32.load (i32.add (local.get $runtime) (i32.const 32))) (local.get $thing)
        (i32.load offset=8 (local.get $runtime))))
    ;; no allocator's: there is no opaque value
    (func (export "other") (param $object i32) (param $x i32) (result i32)
      (call_indirect (type $size) (local.get $x) (i32.load offset=16 (local.get $object)))))`,
    true,
  );
  const called: string[] = [];
  const note =
    (name: string) =>
    (...args: number[]) => {
      called.push(`${name} ${args}`);
      return 200;
    };
  const hooked = new WebAssembly.Module(hookAllocator(template) as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(hooked, {
    ic0: Object.fromEntries(WebAssembly.Module.imports(hooked).map(({ name }) => [name, note(name)])),
  });
  const run = (name: string) => (exports[name] as (...args: number[]) => number)(64, 24);
  expect(run('take')).toBe(200);
  run('give back');
  expect(called).toEqual(['heap_js_def_malloc 0,24', 'heap_js_def_free 0,24']);
  expect(() => run('other')).toThrow(WebAssembly.RuntimeError);
  called.length = 0;
  expect((exports['own realloc'] as (...args: number[]) => number)(64, 24)).toBe(1000);
  expect(called).toEqual([]);
});
