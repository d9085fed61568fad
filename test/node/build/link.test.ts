import { expect, test } from 'vitest';
import { wat } from '../../../packages/replica/test/wat.ts';
import { checkImportsOnce, mergeKernels } from '../../../src/node/build/link.ts';

const time = (name: string, from = 'ic0') => `(import "${from}" "time" (func ${name} (result i64)))`;

test('an import that stands twice fails the build, by its name', () => {
  const twice = wat(`(module ${time('$a')} ${time('$b')} (import "ic0" "msg_reply" (func)))`);
  expect(() => checkImportsOnce(twice)).toThrow('link: expected each import once, got ic0.time twice');
  checkImportsOnce(wat(`(module ${time('$a')} (import "ic0" "msg_reply" (func)))`));
});

test('what both modules import is one import after the merge', async () => {
  const stable = '(import "ic0" "stable64_size" (func $size (result i64)))';
  const azle = wat(`(module ${time('$time')} ${stable} (memory (export "memory") 1)
    (func (export "canister_query a") (drop (call $time)) (drop (call $size))))`);
  const kernels = wat(`(module ${time('$mine', 'ic0real')} ${time('$time')} ${stable} (import "env" "memory" (memory 1))
    (func (export "b") (drop (call $mine)) (drop (call $time)) (drop (call $size))))`);
  const merged = await mergeKernels(azle, kernels);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(merged as Uint8Array<ArrayBuffer>));
  expect(imports.map(({ name }) => name).sort()).toEqual(['stable64_size', 'time']);
  checkImportsOnce(merged);
});
