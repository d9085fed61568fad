/**
 * The kernels' part of the build: AssemblyScript in, a Wasm module out that imports its memory (`env.memory`).
 * The same module is linked into the canister and run by Node as it is. The compiler is AssemblyScript's `asc`.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dispatchSource, flagsSource } from '../../tensor/dispatch.ts';
import { dotBlocksSource } from '../../tensor/kernels/dot-blocks.ts';
import { dotBlocksInt4Source } from '../../tensor/kernels/dot-blocks-int4.ts';
import { strassenSource } from '../../tensor/kernels/strassen.ts';
import { beside, incrementally, reachable, sha256 } from './incremental.ts';
import { type BuildOptions, projectRoot } from './project.ts';
import { runNode } from './run.ts';
import { readSections, SectionId } from './sections.ts';

/** The ops' flags, an entry beside each of the entries: the module exports them, so that keep-ops.ts can set them. */
const FLAGS = 'src/tensor/assembly/generated/flags.ts';

/** Sources that are written by TypeScript, by their paths. */
const generated: Record<string, () => string> = {
  'src/tensor/assembly/generated/dispatch.ts': dispatchSource,
  [FLAGS]: flagsSource,
  'src/tensor/assembly/generated/dot-blocks.ts': dotBlocksSource,
  'src/tensor/assembly/generated/dot-blocks-int4.ts': dotBlocksInt4Source,
  'src/tensor/assembly/generated/strassen.ts': strassenSource,
};

const options = ['-O3', '--runtime', 'stub', '--importMemory', '--noExportMemory', '--noAssert', '--enable', 'simd'];

/** What would land in the canister's memory or start by itself: a linked kernel may have none of it. */
const forbidden: ReadonlyMap<number, string> = new Map([
  [SectionId.data, "static data (strings, array literals, `memory.data`), which would overwrite the canister's own"],
  [SectionId.table, 'a table (function values, call_indirect)'],
  [SectionId.start, 'a start function (globals that need code to initialise)'],
]);

/**
 * Compiles the kernels of `root`, those of tokenizers among them, to `build/kernels.wasm`, unless that is up to date.
 * @returns the module; imports `env.memory`, `ic0.performance_counter`, `ic0real.certified_data_set`; exports
 * `certified_data_set`
 */
export const buildKernels = (options?: BuildOptions): Promise<Uint8Array> =>
  build('src/text/assembly/index.ts', 'kernels', 'the kernels', [], options);

/** The kernels of tensor programs alone, to `build/tensor.wasm`: what the package stepwise-tensor brings along. */
export const buildTensorKernels = (options?: BuildOptions): Promise<Uint8Array> =>
  build('src/tensor/assembly/index.ts', 'tensor', 'the tensor unit', [], options);

/**
 * The kernels and the native loop in one module, `build/native.wasm`: what is linked into the canister
 * (link-native.ts).
 */
export const buildNative = (options?: BuildOptions): Promise<Uint8Array> =>
  build('src/native/index.ts', 'native', 'the native code', ['--importTable'], options);

async function build(
  entry: string,
  name: string,
  what: string,
  more: readonly string[],
  { root = projectRoot, force = false, onProgress = () => {} }: BuildOptions = {},
): Promise<Uint8Array> {
  const file = join(root, `build/${name}.wasm`);
  const sources = await reachable(join(root, entry));
  const written = Object.keys(generated).map((path) => join(root, path));
  await incrementally(
    {
      root,
      inputs: [...sources.filter((source) => !written.includes(source)), join(root, 'package-lock.json')],
      settings: [...options, ...more, ...Object.values(generated).map((source) => sha256(source()))].join(' '),
      outputs: [file],
      stamp: join(root, `build/${name}.stamp`),
      force,
    },
    async () => {
      onProgress(`compiling ${what}`);
      await compile(root, entry, file, more);
    },
  );
  return await readFile(file);
}

async function compile(root: string, entry: string, file: string, more: readonly string[]): Promise<void> {
  for (const [path, source] of Object.entries(generated)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    // in one move: another build may be reading it
    const written = beside(join(root, path));
    await writeFile(written, source());
    await rename(written, join(root, path));
  }
  // In a process of its own, without tsx, which would first transform the compiler's 12 MB.
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  await runNode('kernels', [asc, entry, FLAGS, '--outFile', file, ...options, ...more], { cwd: root });
  for (const { id } of readSections(await readFile(file))) {
    if (forbidden.has(id)) throw new Error(`kernels: expected none, got ${forbidden.get(id)}`);
  }
}
