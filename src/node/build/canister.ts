/**
 * Builds a canister of dfx.json: `build/<name>/<name>.wasm`, `.wasm.gz` and `.did`. What is up to date stays.
 * The Wasm is the same, byte for byte, from whatever folder it was built; the gzip file too, with the same Node.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { validateModule } from '../../../packages/replica/src/wasm/validate.ts';
import { opEntries } from '../../tensor/ops.ts';
import { azleBuild, azleSteps, azleVersion, hookedTemplate } from './azle.ts';
import { checkMethods } from './did.ts';
import { placed, traced } from './heap/variants.ts';
import { incrementally, reachable, sha256 } from './incremental.ts';
import { keepOps } from './keep-ops.ts';
import { buildNative } from './kernels.ts';
import { checkImportsOnce, finish } from './link.ts';
import { linkNative } from './link-native.ts';
import { buildPage } from './page.ts';
import { type BuildOptions, dfxCanisters, projectRoot, sourceDid } from './project.ts';
import { runNode } from './run.ts';

/** The canisters whose Wasm the kernels and the native loop are linked into. */
const withKernels: ReadonlySet<string> = new Set(['llm']);

/** The model that a canister has while the layout of its heap is looked for. */
const layoutModel = join(projectRoot, 'models/little-flan');

/** Ops over images, which no language model has. */
const IMAGE_OPS: ReadonlySet<string> = new Set(['fromBytes', 'conv2dQ8', 'conv2dF32', 'maxPool']);
const llmOps = opEntries.map(({ name }) => name).filter((name) => !IMAGE_OPS.has(name));

export interface Canister {
  wasm: Uint8Array;
  /** `wasm` compressed, as it is installed. */
  gz: Uint8Array;
  /** The Candid interface. */
  did: string;
  /** SHA-256 of `gz` in hexadecimal: the canister's module hash once it is installed. */
  moduleHash: string;
  /** False if everything was up to date. */
  built: boolean;
}

/** The canisters of dfx.json. @throws Error if there is no such file */
export async function canisterNames(root = projectRoot): Promise<string[]> {
  return Object.keys(await dfxCanisters(root));
}

/**
 * Builds canister `name`, or takes what is there if nothing it is made of has changed.
 * @throws Error with the failing step's output; ModuleError with the rule's name if the Internet Computer would not
 * take the Wasm
 */
export async function buildCanister(
  name: string,
  { root = projectRoot, force = false, onProgress = () => {} }: BuildOptions = {},
): Promise<Canister> {
  const canisters = await dfxCanisters(root);
  if (!(name in canisters)) {
    throw new Error(
      `build: expected one of ${Object.keys(canisters).join(', ')}, the canisters of dfx.json, got ${name}; a new one is listed there, by its name and its main file`,
    );
  }
  const kernels = withKernels.has(name) ? await buildNative({ root, force, onProgress }) : undefined;
  const { main, page, layout } = canisters[name]!;
  const layoutStep = layout === undefined ? undefined : join(projectRoot, layout);
  const source = sourceDid(root, canisters[name]!);
  if (page !== undefined) await buildPage(page, { root, force, onProgress });
  const folder = join(root, 'build', name);
  const [wasmFile, gzFile, didFile] = ['wasm', 'wasm.gz', 'did'].map((extension) =>
    join(folder, `${name}.${extension}`),
  );
  const own = [
    ...(await reachable(join(import.meta.dirname, 'canister.ts'))),
    ...(await reachable(azleSteps)),
    ...(layoutStep ? [...(await reachable(layoutStep)), ...(await filesOf(layoutModel))] : []),
  ];
  const built = await incrementally(
    {
      root,
      inputs: [
        ...(await reachable(join(root, main))),
        ...(source ? [source] : []),
        join(root, 'package-lock.json'),
        join(root, 'tsconfig.json'),
        // of this project, but bundled as a package: no relative import leads to it
        join(root, 'node_modules/@sinonjs/text-encoding/index.js'),
      ],
      settings: [
        JSON.stringify(canisters[name]),
        kernels && sha256(kernels),
        ...(await Promise.all(own.map(async (file) => sha256(await readFile(file))))),
      ].join(),
      outputs: [wasmFile, gzFile, didFile],
      stamp: join(folder, `${name}.stamp`),
      force,
    },
    async () => {
      onProgress('azle build');
      const azle = await azleBuild(root, name, didFile, layoutStep && (await hookedTemplate(root)));
      if (source) {
        const did = await readFile(source, 'utf8');
        checkMethods(canisters[name].candid!, did, await readFile(didFile, 'utf8'));
        await writeFile(didFile, did);
      }
      if (kernels) onProgress('linking');
      const metadata = {
        'candid:service': await readFile(didFile, 'utf8'),
        'cdk:name': 'azle',
        'cdk:version': await azleVersion(root),
      };
      let linked = azle;
      if (kernels) {
        linked = await linkNative(azle, await keepOps(kernels, llmOps), { hasLayout: layout !== undefined });
      }
      if (layoutStep) {
        onProgress('laying out the heap');
        linked = await withLayout(linked, layoutStep, folder);
      }
      const wasm = finish(linked, metadata);
      onProgress('checking');
      validateModule(wasm);
      checkImportsOnce(wasm);
      onProgress('compressing');
      await writeFile(wasmFile, wasm);
      await writeFile(gzFile, gzip(wasm));
    },
  );
  const [wasm, gz, did] = [await readFile(wasmFile), await readFile(gzFile), await readFile(didFile, 'utf8')];
  return { wasm, gz, did, moduleHash: sha256(gz), built };
}

/** The files that stand in a folder itself. */
const filesOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(folder, name))
    .sort();

/** What linkNative makes with the layout of its heap, which is found by running a variant of it. */
async function withLayout(linked: Uint8Array, step: string, folder: string): Promise<Uint8Array> {
  const [wasm, layout] = [join(folder, 'traced.wasm'), join(folder, 'layout.json')];
  try {
    await writeFile(wasm, finish(traced(linked), {}));
    await runNode('heap layout', ['--import', 'tsx', step, wasm, layout], { cwd: projectRoot });
    return placed(linked, JSON.parse(await readFile(layout, 'utf8')));
  } finally {
    for (const file of [wasm, layout]) await rm(file, { force: true });
  }
}

function gzip(bytes: Uint8Array): Uint8Array {
  const out = gzipSync(bytes, { level: 9 });
  out[9] = 255; // the operating system it was made on: unknown
  return out;
}
