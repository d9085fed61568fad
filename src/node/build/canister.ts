/**
 * Builds a canister of dfx.json: `build/<name>/<name>.wasm`, `.wasm.gz` and `.did`. What is up to date stays.
 * The Wasm is the same, byte for byte, from whatever folder it was built; the gzip file too, with the same Node.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { validateModule } from '../../../packages/replica/src/wasm/validate.ts';
import { opEntries } from '../../tensor/ops.ts';
import { azleBuild, azleSteps, azleVersion } from './azle.ts';
import { checkMethods } from './did.ts';
import { incrementally, reachable, sha256 } from './incremental.ts';
import { keepOps } from './keep-ops.ts';
import { buildNative } from './kernels.ts';
import { checkImportsOnce, finish } from './link.ts';
import { linkNative } from './link-native.ts';
import { buildPage } from './page.ts';
import { type BuildOptions, dfxCanisters, projectRoot, sourceDid } from './project.ts';

/** The canisters whose Wasm the kernels and the native loop are linked into. */
const withKernels: ReadonlySet<string> = new Set(['llm']);

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
  const { main, page } = canisters[name]!;
  const source = sourceDid(root, canisters[name]!);
  if (page !== undefined) await buildPage(page, { root, force, onProgress });
  const folder = join(root, 'build', name);
  const [wasmFile, gzFile, didFile] = ['wasm', 'wasm.gz', 'did'].map((extension) =>
    join(folder, `${name}.${extension}`),
  );
  const own = [...(await reachable(join(import.meta.dirname, 'canister.ts'))), ...(await reachable(azleSteps))];
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
      const azle = await azleBuild(root, name, didFile);
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
      const wasm = finish(kernels ? await linkNative(azle, await keepOps(kernels, llmOps)) : azle, metadata);
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

function gzip(bytes: Uint8Array): Uint8Array {
  const out = gzipSync(bytes, { level: 9 });
  out[9] = 255; // the operating system it was made on: unknown
  return out;
}
