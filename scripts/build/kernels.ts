/**
 * The kernels' part of the build: AssemblyScript in, a Wasm module out that imports its memory (`env.memory`).
 * The same module is linked into the canister and run by Node as it is. The compiler is AssemblyScript's `asc`.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dotBlocksSource } from '../../src/tensor/dot-blocks.ts';
import { incrementally, reachable, sha256 } from './incremental.ts';
import { type BuildOptions, projectRoot } from './project.ts';
import { runNode } from './run.ts';
import { readSections, SectionId } from './sections.ts';

const entry = 'src/tensor/assembly/index.ts';
const generated = 'src/tensor/assembly/generated/dot-blocks.ts';

const options = ['-O3', '--runtime', 'stub', '--importMemory', '--noExportMemory', '--noAssert', '--enable', 'simd'];

/** What would land in the canister's memory or start by itself: a linked kernel may have none of it. */
const forbidden: ReadonlyMap<number, string> = new Map([
  [SectionId.data, "static data (strings, array literals, `memory.data`), which would overwrite the canister's own"],
  [SectionId.table, 'a table (function values, call_indirect)'],
  [SectionId.start, 'a start function (globals that need code to initialise)'],
]);

/**
 * Compiles the kernels of `root` to `build/kernels.wasm`, unless that is up to date.
 * @returns the module; imports `env.memory`, `ic0.performance_counter`, `ic0real.certified_data_set`; exports `certified_data_set`
 */
export async function buildKernels({
  root = projectRoot,
  force = false,
  onProgress = () => {},
}: BuildOptions = {}): Promise<Uint8Array> {
  const file = join(root, 'build/kernels.wasm');
  const sources = await reachable(join(root, entry));
  await incrementally(
    {
      root,
      inputs: [...sources.filter((source) => source !== join(root, generated)), join(root, 'package-lock.json')],
      settings: [...options, sha256(dotBlocksSource())].join(' '),
      outputs: [file],
      stamp: join(root, 'build/kernels.stamp'),
      force,
    },
    async () => {
      onProgress('compiling the kernels');
      await compile(root, file);
    },
  );
  return await readFile(file);
}

async function compile(root: string, file: string): Promise<void> {
  await mkdir(dirname(join(root, generated)), { recursive: true });
  await writeFile(join(root, generated), dotBlocksSource());
  // In a process of its own, without tsx, which would first transform the compiler's 12 MB.
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  await runNode('kernels', [asc, entry, '--outFile', file, ...options], { cwd: root });
  for (const { id } of readSections(await readFile(file))) {
    if (forbidden.has(id)) throw new Error(`kernels: expected none, got ${forbidden.get(id)}`);
  }
}
