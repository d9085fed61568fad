import binaryen from 'binaryen';
import { describe, expect, test } from 'vitest';
import {
  customSection,
  readSections,
  renameImportModule,
  replacePassiveData,
  writeSections,
} from '../../../src/node/build/sections.ts';

/**
 * A module that keeps `content` as Azle keeps its JSON: a passive segment, and two exported wrappers around the
 * functions that know its length.
 */
function moduleWithData(content: string, { wrapped = true, length = content.length } = {}): Uint8Array {
  const exported = (name: string) => (wrapped ? '' : `(export "${name}")`);
  const module = binaryen.parseText(`(module
    (import "ic0real" "certified_data_set" (func $set (param i32 i32)))
    (import "ic0" "msg_reply" (func $reply))
    (memory (export "memory") 1)
    (data (i32.const 0) "active")
    (data $json "${content.replaceAll('"', '\\22')}")
    (func $size ${exported('size')} (result i32) (i32.const ${length}))
    (func $init ${exported('init')} (param i32)
      (memory.init $json (local.get 0) (i32.const 0) (i32.const ${length}))
      (data.drop $json))
    (func $ends)
    ${
      wrapped
        ? `(func (export "size") (result i32) (local $r i32) (local.set $r (call $size)) (call $ends) (local.get $r))
           (func (export "init") (param i32) (call $init (local.get 0)) (call $ends))`
        : ''
    }
    (func (export "certify") (param i32 i32) (call $set (local.get 0) (local.get 1))))`);
  module.setFeatures(binaryen.Features.BulkMemory | binaryen.Features.BulkMemoryOpt);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

function instantiate(wasm: Uint8Array, imports: WebAssembly.Imports = {}) {
  const functions = { certified_data_set: () => {}, msg_reply: () => {} };
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  return new WebAssembly.Instance(module, { ic0: functions, ic0real: functions, ...imports }).exports as {
    memory: WebAssembly.Memory;
    size(): number;
    init(address: number): void;
    certify(address: number, length: number): void;
  };
}

const data = { prefix: '{"path"', content: () => '{"path":"new and longer than before"}', size: 'size', init: 'init' };

describe('sections of a Wasm module', () => {
  const wasm = moduleWithData('{"path":"/old"}');

  test('reading and writing gives the same bytes', () => {
    expect(Buffer.compare(writeSections(readSections(wasm)), wasm)).toBe(0);
  });

  test('an import module is renamed, and the function that is called is another one', () => {
    const renamed = writeSections(renameImportModule(readSections(wasm), 'ic0real', 'ic0'));
    const calls: number[][] = [];
    const never = () => expect.unreachable('ic0real was called');
    const { certify } = instantiate(renamed, {
      ic0: { certified_data_set: (...args: number[]) => calls.push(args), msg_reply: () => {} },
      ic0real: { certified_data_set: never },
    });
    certify(3, 4);
    expect(calls).toEqual([[3, 4]]);
  });

  test.each([true, false])('passive data is replaced by longer and by shorter (wrapped: %s)', (wrapped) => {
    for (const content of ['{"path":"new and longer than before"}', '{"path"}', `{"path":"${'x'.repeat(300)}"}`]) {
      const sections = readSections(moduleWithData('{"path":"/old"}', { wrapped }));
      const { memory, size, init } = instantiate(
        writeSections(replacePassiveData(sections, { ...data, content: () => content })),
      );
      expect(size()).toBe(content.length);
      init(1000);
      expect(new TextDecoder().decode(new Uint8Array(memory.buffer, 1000, content.length))).toBe(content);
      expect(new TextDecoder().decode(new Uint8Array(memory.buffer, 0, 6))).toBe('active');
    }
  });

  test('a module that is not as expected is refused', () => {
    const sections = readSections(wasm);
    expect(() => replacePassiveData(sections, { ...data, prefix: '{"other"' })).toThrow(
      'link: expected a passive data segment that starts with {"other", got none',
    );
    expect(() => replacePassiveData(sections, { ...data, size: 'nosuch' })).toThrow('link: expected nosuch as Azle');
    expect(() => replacePassiveData(readSections(moduleWithData('{"path":"/old"}', { length: 4 })), data)).toThrow(
      'link: expected size as Azle 0.33 writes it, got other code',
    );
  });

  test('a custom section can be read from the module', () => {
    const section = customSection('icp:public candid:service', 'service : { é : () -> () }');
    const module = new WebAssembly.Module(writeSections([...readSections(wasm), section]) as Uint8Array<ArrayBuffer>);
    const [content] = WebAssembly.Module.customSections(module, 'icp:public candid:service');
    expect(new TextDecoder().decode(content)).toBe('service : { é : () -> () }');
  });
});
