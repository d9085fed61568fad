/**
 * Links Azle's Wasm with the kernels and gives it its metadata.
 *
 *   azle.wasm  "env"   exports memory;              imports ic0.certified_data_set ─┐
 *   kernels    "ic0"   imports env.memory;          exports certified_data_set  <───┘
 *                      imports ic0real.certified_data_set, which is ic0's after the merge
 *
 * What both import stands twice after the merge, and is made one: of calls to stable memory, the Internet Computer
 * links the last alone. The merge is Binaryen's `wasm-merge`, told of exactly the features the Internet Computer
 * allows: with more, it writes encodings that are refused.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseModule } from '../../../packages/replica/src/wasm/module.ts';
import { runNode } from './run.ts';
import {
  customSection,
  readSections,
  renameImportModule,
  replacePassiveData,
  SectionId,
  writeSections,
} from './sections.ts';

const features = [
  'sign-ext',
  'mutable-globals',
  'nontrapping-float-to-int',
  'simd',
  'bulk-memory',
  'bulk-memory-opt',
  'reference-types',
  'multivalue',
  'tail-call',
];

/** For each of Binaryen's tools: these features and no others. */
export const enabledFeatures = ['--mvp-features', ...features.map((feature) => `--enable-${feature}`)];

export const binaryenTool = (name: string): string =>
  join(dirname(createRequire(import.meta.url).resolve('binaryen/package.json')), 'bin', name);

/**
 * One module of both, with one memory and each import once: the kernels stand where Azle imports
 * `ic0.certified_data_set`.
 */
export async function mergeKernels(azle: Uint8Array, kernels: Uint8Array): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'stepwise-link-'));
  try {
    await writeFile(join(folder, 'azle.wasm'), azle);
    await writeFile(join(folder, 'kernels.wasm'), kernels);
    const modules = ['azle.wasm', 'env', 'kernels.wasm', 'ic0'];
    await runNode('wasm-merge', [binaryenTool('wasm-merge'), ...modules, '-o', 'linked.wasm', ...enabledFeatures], {
      cwd: folder,
    });
    const linked = readSections(await readFile(join(folder, 'linked.wasm')));
    await writeFile(join(folder, 'renamed.wasm'), writeSections(renameImportModule(linked, 'ic0real', 'ic0')));
    const pass = ['renamed.wasm', '-o', 'merged.wasm', '--duplicate-import-elimination', ...enabledFeatures];
    await runNode('wasm-opt', [binaryenTool('wasm-opt'), ...pass], { cwd: folder });
    return await readFile(join(folder, 'merged.wasm'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The module as it is deployed: without the absolute path of the folder it was built in (Azle keeps it for stack
 * traces, and two people's builds would never have one hash), without notes of tools, with `metadata` that anyone may
 * read from the canister.
 */
export function finish(wasm: Uint8Array, metadata: Record<string, string>): Uint8Array {
  const sections = replacePassiveData(readSections(wasm), {
    prefix: '{"envVars":',
    content: (old) => JSON.stringify({ ...JSON.parse(old), mainJsPath: 'main.js' }),
    size: 'wasm_data_passive_data_size',
    init: 'init_wasm_data_passive_data',
  });
  return writeSections([
    ...sections.filter(({ id }) => id !== SectionId.custom),
    ...Object.entries(metadata).map(([name, content]) => customSection(`icp:public ${name}`, content)),
  ]);
}

/**
 * @throws Error where an import stands twice: of calls to stable memory, the Internet Computer links the last alone,
 * and the others trap
 */
export function checkImportsOnce(wasm: Uint8Array): void {
  const names = parseModule(wasm).imports.map(({ module, name }) => `${module}.${name}`);
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  if (twice.size > 0) throw new Error(`link: expected each import once, got ${[...twice].join(', ')} twice`);
}
