/** A unit whose instruction counter counts ops, so that a test can stop a program anywhere. */
import { buildKernels } from '../../../src/node/build/kernels.ts';
import { noStable, type ReadStable } from '../../../src/tensor/machine.ts';
import { kernelsInNode, Unit } from '../../../src/tensor/unit.ts';

const kernels = new WebAssembly.Module((await buildKernels()) as Uint8Array<ArrayBuffer>);

export class SlicingUnit extends Unit {
  /** Ops run so far, roughly: the kernels ask at the beginning and end of a run too. */
  count = 0n;

  constructor(readStable: ReadStable = noStable) {
    super(kernelsInNode(kernels, { readStable, performanceCounter: () => ++this.count }));
  }

  /** A budget that is used up after so many ops. */
  next(ops: number): bigint {
    return this.count + BigInt(ops);
  }
}
