/**
 * Builds a small canister with a small kernel in two folders. The real canister takes the same path; its behaviour is
 * tested with the canister.
 */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { IDL } from '@dfinity/candid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ModuleError, Replica, validateModule } from '../../../packages/replica/src/index.ts';
import { buildCanister, type Canister } from '../../../src/node/build/canister.ts';
import { buildKernels, buildNative } from '../../../src/node/build/kernels.ts';
import { finish, mergeKernels } from '../../../src/node/build/link.ts';
import { linkNative } from '../../../src/node/build/link-native.ts';
import { projectRoot } from '../../../src/node/build/project.ts';

const canister = `
import { certifiedDataSet, IDL, query, update } from 'azle';
export default class {
  @update([], IDL.Text)
  generate(): string {
    return 'from Azle';
  }
  @query([IDL.Nat32], IDL.Nat32)
  double(n: number): number {
    const mailbox = new Uint32Array(16);
    mailbox[0] = n;
    certifiedDataSet(new Uint8Array(mailbox.buffer));
    return mailbox[0];
  }
}`;

const kernel = `
@external('ic0real', 'certified_data_set') declare function certifiedDataSet(source: usize, size: usize): void;
@external('ic0', 'performance_counter') declare function performanceCounter(kind: i32): u64;
export function certified_data_set(mailbox: usize, size: usize): void {
  if (size <= 32) return certifiedDataSet(mailbox, size);
  v128.store(mailbox, i32x4.shl(v128.load(mailbox), 1));
  store<u64>(mailbox, performanceCounter(0), 8);
}`;

/**
 * What the real one does, in small: answers what is no Candid itself, by its own function in the table, and leaves the
 * rest to Azle.
 */
const nativeCode = `
export { certified_data_set } from '../text/assembly/index';
@external('ic0real', 'call_new')
declare function callNew(a: usize, b: usize, c: usize, d: usize, e: u32, f: u32, g: u32, h: u32): void;
@external('ic0real', 'call_on_cleanup') declare function callOnCleanup(cleanup: u32, env: u32): void;
@external('ic0', 'msg_arg_data_size') declare function msgArgDataSize(): usize;
@external('ic0', 'msg_reply') declare function msgReply(): void;
@external('env', 'azle generate') declare function azleGenerate(): void;
export let loop_reply_index: u32 = 0;
export let settled_callback_index: u32 = 0;
export let wait_reply_index: u32 = 0;
export function call_new(a: usize, b: usize, c: usize, d: usize, e: u32, f: u32, g: u32, h: u32): void {
  callNew(a, b, c, d, e, f, g, h);
}
export function call_on_cleanup(cleanup: u32, env: u32): void {
  callOnCleanup(cleanup, env);
}
export function settle(): void {}
export function settled_callback(env: u32): void {}
export function wait_reply(env: u32): void {}
export function loop_generate(): void {
  if (msgArgDataSize() == 1) call_indirect<void>(loop_reply_index, 0);
  else azleGenerate();
}
export function loop_reply(record: usize): void {
  msgReply();
}`;

const folders: string[] = [];

async function project(parent: string, kernelSource = kernel): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stepwise-build-'));
  folders.push(folder);
  const root = join(folder, parent);
  await mkdir(join(root, 'src/text/assembly'), { recursive: true });
  for (const folder of ['src/native', 'src/canister']) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, 'src/native/index.ts'), nativeCode);
  await writeFile(join(root, 'src/canister/index.ts'), canister);
  await writeFile(join(root, 'src/text/assembly/index.ts'), kernelSource);
  await writeFile(
    join(root, 'dfx.json'),
    JSON.stringify({ canisters: { llm: { type: 'custom', main: 'src/canister/index.ts' } } }),
  );
  for (const file of ['tsconfig.json', 'package.json', 'package-lock.json'])
    await cp(join(projectRoot, file), join(root, file));
  await symlink(join(projectRoot, 'node_modules'), join(root, 'node_modules'), 'junction');
  return root;
}

let root = '';
let built: Canister;
beforeAll(async () => {
  root = await project('here');
  built = await buildCanister('llm', { root });
});
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

describe('buildCanister', () => {
  test('the same hash from another folder with a longer path', async () => {
    const other = await buildCanister('llm', { root: await project('somewhere/else/with a longer path') });
    expect(other.built).toBe(true);
    expect(other.moduleHash).toBe(built.moduleHash);
    expect(Buffer.compare(other.wasm, built.wasm)).toBe(0);
  });

  test('the module has the kernel, its metadata, and nothing of the folder it was made in', () => {
    const module = new WebAssembly.Module(built.wasm as Uint8Array<ArrayBuffer>);
    expect(new Set(WebAssembly.Module.imports(module).map(({ module }) => module))).toEqual(new Set(['ic0']));
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(exports).toContain('canister_query double');
    expect(exports).toContain('canister_update generate');
    expect(exports.filter((name) => /loop_|azle generate|^table$/.test(name))).toEqual([]);
    const metadata = (name: string) => {
      const [content] = WebAssembly.Module.customSections(module, `icp:public ${name}`);
      return new TextDecoder().decode(content);
    };
    expect(metadata('candid:service')).toBe(
      'service: () -> {\n    double: (nat32) -> (nat32) query;\n    generate: () -> (text);\n}\n',
    );
    expect(built.did).toBe(metadata('candid:service'));
    expect(metadata('cdk:name')).toBe('azle');
    expect(metadata('cdk:version')).toMatch(/^0\.33\./);
    expect(Buffer.from(built.wasm).includes(tmpdir())).toBe(false);
    expect(Buffer.compare(gunzipSync(built.gz), built.wasm)).toBe(0);
  });

  test('the canister runs, and its kernel with it', async () => {
    const replica = new Replica();
    const { canisterId } = replica.createCanister();
    await replica.installCode({ canisterId, wasm: built.gz });
    const reply = await replica.queryCall({ canisterId, method: 'double', arg: IDL.encode([IDL.Nat32], [21]) });
    expect(IDL.decode([IDL.Nat32], reply)).toEqual([42]);
  });

  test('the native loop stands before the method and in the table, and Azle behind it', async () => {
    const replica = new Replica();
    const { canisterId } = replica.createCanister();
    await replica.installCode({ canisterId, wasm: built.gz });
    const generate = (arg: Uint8Array) => replica.updateCall({ canisterId, method: 'generate', arg });
    expect(await generate(Uint8Array.of(3))).toEqual(new Uint8Array(0));
    expect(IDL.decode([IDL.Text], await generate(IDL.encode([], [])))).toEqual(['from Azle']);
  });

  test('a canister without that method is refused', async () => {
    const azle = await readFile(join(root, '.azle/llm/llm.wasm'));
    const without = Buffer.from(azle);
    without.write('canister_update degenera', without.indexOf('canister_update generate'));
    const linked = linkNative(without, await buildNative({ root }));
    await expect(linked).rejects.toThrow(
      'native loop: expected Azle to export canister_update generate, got no such method',
    );
  });

  test('a second build does nothing and gives the same', async () => {
    const steps: string[] = [];
    const again = await buildCanister('llm', { root, onProgress: (step) => steps.push(step) });
    expect(steps).toEqual([]);
    expect(again).toMatchObject({ built: false, moduleHash: built.moduleHash, did: built.did });
    expect(Buffer.compare(again.wasm, built.wasm)).toBe(0);
  });

  test('a kernel that would not fit into the canister is refused', async () => {
    const withData = kernel.replace('shl(', 'add(v128.load(memory.data<i32>([1, 2, 3, 4])), ').replace(', 1));', '));');
    await expect(buildKernels({ root: await project('data', withData) })).rejects.toThrow(
      /kernels: expected none, got static data/,
    );
    await expect(
      buildKernels({ root: await project('broken', 'export function f(): i32 { return x; }') }),
    ).rejects.toThrow(/kernels: expected exit code 0, got 1\n.*Cannot find name 'x'/s);
  });

  test('a module that breaks a rule of the Internet Computer is refused by its name', async () => {
    const unknown = await buildKernels({
      root: await project('unknown', kernel.replace("'performance_counter'", "'no_such_call'")),
    });
    const azle = await readFile(join(root, '.azle/llm/llm.wasm'));
    const linked = finish(await mergeKernels(azle, unknown), {});
    expect(() => validateModule(linked)).toThrow(ModuleError);
    expect(() => validateModule(linked)).toThrow(
      'expected a function of the system API, got ic0.no_such_call [rule: imports]',
    );
  });

  test('what goes wrong says where', async () => {
    await expect(buildCanister('nosuch', { root })).rejects.toThrow(
      'build: expected one of llm, the canisters of dfx.json, got nosuch; a new one is listed there',
    );
    const broken = await project('broken');
    await writeFile(join(broken, 'src/canister/index.ts'), 'export default class {');
    await expect(buildCanister('llm', { root: broken })).rejects.toThrow(
      /azle build llm: expected exit code 0, got 1\n.*Expected/s,
    );
  });
});
