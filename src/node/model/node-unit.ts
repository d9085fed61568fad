/** The kernels in this process, with memory of their own: for scripts, benches and tests. */
import { kernelsInNode, Unit } from '../../tensor/unit.ts';
import { buildKernels } from '../build/kernels.ts';

/** Builds the kernels if they are not up to date. That takes a while, so it says so to whoever sits at a terminal. */
export const nodeUnit = async (): Promise<Unit> =>
  new Unit(kernelsInNode((await buildKernels({ onProgress })) as Uint8Array<ArrayBuffer>));

function onProgress(step: string): void {
  if (process.stderr.isTTY) console.error(`Building, the first time only: ${step}`);
}
