/** The kernels in this process, with memory of their own: for scripts, benches and tests. */
import { kernelsInNode, Unit } from '../../tensor/unit.ts';
import { buildKernels } from '../build/kernels.ts';

/** Builds the kernels if they are not up to date. */
export const nodeUnit = async (): Promise<Unit> =>
  new Unit(kernelsInNode((await buildKernels()) as Uint8Array<ArrayBuffer>));
