/**
 * Azle's part of the build: TypeScript in, a canister's Wasm (QuickJS with our bundle as data) and its Candid file out.
 * No type checking here (`npm run check` does it). Azle reads dfx.json of the folder it runs in and writes
 * `.azle/<name>/`.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { incrementally, reachable, sha256 } from './incremental.ts';
import { runNode } from './run.ts';

/** What runs as a child: Azle's files are for tsx alone. */
export const azleSteps = join(import.meta.dirname, 'azle-steps.ts');

export async function azleVersion(root: string): Promise<string> {
  return JSON.parse(await readFile(join(root, 'node_modules/azle/package.json'), 'utf8')).version;
}

/**
 * Azle's template with hooks in its allocator (heap/hooks.ts), unless it is up to date.
 * @returns the file, build/azle-template.wasm
 */
export async function hookedTemplate(root: string): Promise<string> {
  const source = join(root, 'node_modules/azle/dist/canister_templates/stable.wasm');
  const file = join(root, 'build/azle-template.wasm');
  const own = await reachable(join(import.meta.dirname, 'heap/hooks.ts'));
  const settings = (await Promise.all(own.map(async (file) => sha256(await readFile(file))))).join();
  const stamp = join(root, 'build/azle-template.stamp');
  await incrementally({ root, inputs: [source], settings, outputs: [file], stamp }, async () => {
    await mkdir(join(root, 'build'), { recursive: true });
    // imported where it is needed: binaryen takes a second to load
    const { hookAllocator } = await import('./heap/hooks.ts');
    await writeFile(file, hookAllocator(await readFile(source)));
  });
  return file;
}

/**
 * Builds canister `name` of `root`/dfx.json; writes the Candid file to `didFile`.
 * @param template where it is not Azle's own
 * @returns the Wasm
 */
export async function azleBuild(root: string, name: string, didFile: string, template?: string): Promise<Uint8Array> {
  // Azle copies AZLE_* variables into the Wasm and obeys some: only ours may count, or two people's builds differ.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('AZLE_')));
  // Azle's own bin goes through npx, which may want the network; tsx is what that would start.
  const args = ['--import', 'tsx', azleSteps, name, ...(template === undefined ? [] : [template])];
  await runNode(`azle build ${name}`, args, { cwd: root, env: { ...env, CANISTER_CANDID_PATH: didFile } });
  return await readFile(join(root, '.azle', name, `${name}.wasm`));
}
