/** The build's part in the layout of the canister's heap: hooks in the allocator, and marks at what is touched. */
import binaryen from 'binaryen';
import { expect, test } from 'vitest';
import { hookAllocator } from '../../../src/node/build/heap/hooks.ts';
import { markAccesses } from '../../../src/node/build/heap/marks.ts';
import { readSections, writeSections } from '../../../src/node/build/sections.ts';

function moduleOf(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
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
