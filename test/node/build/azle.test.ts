/**
 * What the project depends on in Azle beyond its documented interface. Azle is pinned to one version for this list:
 * before a change of version, run this test, the build and `npm test`, and mend what each line names.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const azle = 'node_modules/azle';
const source = (file: string): string => readFileSync(join(azle, file), 'utf8');
const template = new WebAssembly.Module(readFileSync(join(azle, 'dist/canister_templates/stable.wasm')));

it('is pinned exactly, and installed as pinned', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(dependencies.azle).toMatch(/^\d+\.\d+\.\d+$/);
  expect(JSON.parse(source('package.json')).version).toBe(dependencies.azle);
});

describe('the build depends on', () => {
  it.each([
    ['utils/get_canister_config.ts', 'getCanisterConfig(\n    canisterName: string\n)'],
    ['commands/build/get_context.ts', 'getContext(\n    canisterName: string,\n    canisterConfig: CanisterConfig\n)'],
    ['commands/build/javascript.ts', 'compile(main: string): Promise<string>'],
    ['commands/build/candid_and_method_meta/index.ts', 'getCandidAndMethodMeta('],
    ['commands/build/wasm_binary/index.ts', 'getWasmBinary(\n    ioType: IOType,\n    js: string,'],
  ])('a step of its build (src/node/build/azle-steps.ts): %s', (file, declared) => {
    expect(source(join('src/stable/build', file))).toContain(`export async function ${declared}`);
  });

  it('a Candid text that the program makes when it starts, and the build alone reads (src/node/build/program.ts)', () => {
    const made = source('src/stable/build/commands/build/javascript.ts');
    expect(made.split('idlToString(canisterIdlType,').length).toBe(2);
  });

  it('the variable that says where the Candid file goes', () => {
    expect(source('src/stable/build/commands/build/get_context.ts')).toContain('process.env.CANISTER_CANDID_PATH');
  });

  it('the two functions that know the length of its passive data (src/node/build/sections.ts)', () => {
    const exports = WebAssembly.Module.exports(template).map(({ name }) => name);
    expect(exports).toEqual(
      expect.arrayContaining(['memory', 'wasm_data_passive_data_size', 'init_wasm_data_passive_data']),
    );
  });

  it('four system calls of stable memory, and no others (src/node/build/link-native.ts)', () => {
    const stable = WebAssembly.Module.imports(template)
      .map(({ name }) => name)
      .filter((name) => name.startsWith('stable'));
    expect([...new Set(stable)].sort()).toEqual(['stable64_grow', 'stable64_read', 'stable64_size', 'stable64_write']);
  });
});

describe('the canister depends on', () => {
  it('one function through which every method gets its arguments (src/canister/candid/arguments.ts)', () => {
    expect(source('src/stable/lib/ic_apis/msg_arg_data.ts')).toContain('globalThis._azleIc.msgArgData()');
  });

  it('text of msg_method_name and bytes of msg_reject, made in native code (src/canister/runtime/native-text.ts)', () => {
    const imports = WebAssembly.Module.imports(template).map(({ module, name }) => `${module}.${name}`);
    expect(imports).toEqual(
      expect.arrayContaining(['ic0.msg_method_name_size', 'ic0.msg_method_name_copy', 'ic0.msg_reject']),
    );
    expect(source('src/stable/lib/ic_apis/msg_reject.ts')).toContain('globalThis._azleIc.msgReject(message)');
    expect(source('src/stable/lib/ic_apis/msg_method_name.ts')).toContain('globalThis._azleIc.msgMethodName()');
  });

  it('certified_data_set taking an array of any length (src/tensor/machine.ts)', () => {
    const imports = WebAssembly.Module.imports(template).map(({ module, name }) => `${module}.${name}`);
    expect(imports).toContain('ic0.certified_data_set');
    const wrapper = source('src/stable/lib/ic_apis/certified_data_set.ts');
    expect(wrapper).toContain('globalThis._azleIc.certifiedDataSet(data)');
  });
});
