/**
 * The program that Azle bundles, made smaller. QuickJS reads its text whenever the canister is installed or upgraded,
 * and keeps every function's text: what it does not read costs nothing, and memory that is not there is not touched.
 */
import { transform } from 'esbuild';

/** Azle's text of the Candid file: the build reads it when it runs the program in Node; the canister never does. */
const CANDID = 'idlToString(canisterIdlType,';

/**
 * The same program without what only the build needs, in short names and without comments. It is one function: QuickJS
 * looks through all names of a module for each name that a function uses, but finds a function's own by hash.
 * @param program what Azle's bundler made
 * @throws Error if it is not as we know it
 */
export async function smaller(program: string): Promise<string> {
  const parts = program.split(CANDID);
  if (parts.length !== 2)
    throw new Error(`build: expected ${CANDID} once in the program that Azle makes, got it ${parts.length - 1} times`);
  const without = parts.join("(() => '')(canisterIdlType,");
  return (await transform(without, { format: 'iife', minify: true, target: 'es2024', charset: 'utf8' })).code;
}
