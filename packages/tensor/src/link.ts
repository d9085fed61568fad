/** Links the kernels into a canister that Azle built. Binaryen does the work. */
import { keepOps } from '../../../src/node/build/keep-ops.ts';
import { checkImportsOnce, finish, mergeKernels } from '../../../src/node/build/link.ts';
import type { Program } from '../../../src/tensor/machine.ts';
import { kernels } from './node.ts';

export interface LinkOptions {
  /** What the canister runs: ops of other programs are left out. */
  programs: readonly Program[];
  /** Public metadata, by name: `candid:service` is what tools ask for. */
  metadata?: Record<string, string>;
}

/**
 * @param wasm as Azle 0.33 writes it, `.azle/<name>/<name>.wasm`
 * @returns the module to install: `certifiedDataSet` of a unit's commands reaches the kernels
 * @throws Error where the module is none of Azle's
 */
export async function link(wasm: Uint8Array, { programs, metadata = {} }: LinkOptions): Promise<Uint8Array> {
  const ops = new Set(programs.flatMap((program) => program.ops.map(({ name }) => name)));
  const linked = finish(await mergeKernels(wasm, await keepOps(kernels(), ops)), metadata);
  checkImportsOnce(linked);
  return linked;
}
