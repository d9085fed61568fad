/**
 * Azle's steps of a build, with its program made smaller in between; src/node/build/azle.ts starts this file through
 * tsx, in the project's folder:
 *   node --import tsx azle-steps.ts <canister> [template]
 * Writes `.azle/<canister>/`: `main.js`, the program, and `<canister>.wasm`; and the Candid file that
 * CANISTER_CANDID_PATH names.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { smaller } from './program.ts';

const [name, template] = process.argv.slice(2) as [string, string?];
const azle = join(process.cwd(), 'node_modules/azle/src/stable/build');
const step = (file: string) => import(join(azle, file));

const { getCanisterConfig } = await step('utils/get_canister_config.ts');
const { getContext } = await step('commands/build/get_context.ts');
const { compile } = await step('commands/build/javascript.ts');
const { getCandidAndMethodMeta } = await step('commands/build/candid_and_method_meta/index.ts');
const { manipulateWasmBinary } = await step('commands/build/wasm_binary/manipulate.ts');
const { STABLE_STATIC_CANISTER_TEMPLATE_PATH } = await step('utils/global_paths.ts');

try {
  const config = await getCanisterConfig(name);
  const { candidPath, canisterPath, main, wasmBinaryPath, wasmData } = await getContext(name, config);
  const program: string = await compile(main);
  // this runs the program in Node, which tells the methods that it has
  const { candid, methodMeta } = await getCandidAndMethodMeta(undefined, candidPath, program, 'pipe', wasmData);
  await writeFile(candidPath, candid);
  const small = await smaller(program);
  await rm(canisterPath, { recursive: true, force: true });
  await mkdir(canisterPath, { recursive: true });
  await writeFile(join(canisterPath, 'main.js'), small);
  const from = template ?? STABLE_STATIC_CANISTER_TEMPLATE_PATH;
  await writeFile(wasmBinaryPath, await manipulateWasmBinary(small, from, wasmData, false, methodMeta));
} catch (error) {
  // without the source line that Node shows: the line of a bundled package may be megabytes
  console.error(error instanceof Error ? error.stack : error);
  process.exit(1);
}
