/**
 * Leaves out of the kernels what a canister does not use: the flags of its ops stay 1, the others become 0
 * (src/tensor/dispatch.ts), and Binaryen drops the code that nothing reaches any more. The passes are the ones that do
 * this and no others, so that the kernels that stay are as they were.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flagOf } from '../../tensor/dispatch.ts';
import { type OpName, opEntries } from '../../tensor/ops.ts';
import { editExports, Kind, readExports, setGlobals } from './exports.ts';
import { binaryenTool, enabledFeatures } from './link.ts';
import { runNode } from './run.ts';
import { readSections, writeSections } from './sections.ts';

const passes = ['--simplify-globals', '--precompute', '--vacuum', '--dce', '--remove-unused-module-elements'];

/** @throws RangeError for an op that the kernels do not have */
export async function keepOps(kernels: Uint8Array, keep: Iterable<OpName>): Promise<Uint8Array> {
  const kept = new Set<string>(Array.from(keep, flagOf));
  const sections = readSections(kernels);
  const flags = new Map(
    readExports(sections)
      .filter(({ name, kind }) => kind === Kind.global && opEntries.some((op) => flagOf(op.name) === name))
      .map(({ name, index }) => [name, index]),
  );
  for (const flag of kept)
    if (!flags.has(flag)) throw new RangeError(`keepOps: expected an op of the kernels, got ${flag}`);
  const values = new Map(Array.from(flags, ([name, index]) => [index, kept.has(name) ? 1 : 0]));
  const flagged = editExports(setGlobals(sections, values), (all) => all.filter(({ name }) => !flags.has(name)));
  const folder = await mkdtemp(join(tmpdir(), 'stepwise-ops-'));
  try {
    await writeFile(join(folder, 'all.wasm'), writeSections(flagged));
    const args = [binaryenTool('wasm-opt'), 'all.wasm', '-o', 'kept.wasm', ...passes, ...enabledFeatures];
    await runNode('wasm-opt', args, { cwd: folder });
    return await readFile(join(folder, 'kept.wasm'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
