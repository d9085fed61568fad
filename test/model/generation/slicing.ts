/**
 * A unit whose instruction counter counts ops, so that a test can stop a program anywhere; kernelsInNode's counter
 * stands still.
 */
import { buildKernels } from '../../../src/node/build/kernels.ts';
import { noStable, type ReadStable } from '../../../src/tensor/machine.ts';
import { Unit } from '../../../src/tensor/unit.ts';

const kernels = new WebAssembly.Module((await buildKernels()) as Uint8Array<ArrayBuffer>);

export class SlicingUnit extends Unit {
  /** Ops run so far, roughly: the kernels ask at the beginning and end of a run too. */
  count = 0n;

  constructor(readStable: ReadStable = noStable) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
    const mailboxAt = 1024;
    const { exports } = new WebAssembly.Instance(kernels, {
      env: { memory },
      ic0: { performance_counter: () => ++this.count },
      ic0real: {
        certified_data_set: () => {},
        stable64_read: (to: bigint, from: bigint, bytes: bigint) =>
          readStable(Number(from), new Uint8Array(memory.buffer, Number(to), Number(bytes))),
      },
    });
    const send = exports['certified_data_set'] as (pointer: number, bytes: number) => void;
    let window = { at: mailboxAt, bytes: 65536 - mailboxAt };
    super((mailbox) => {
      if (mailbox.length > window.bytes) {
        const bytes = Math.ceil(mailbox.length / 65536) * 65536;
        window = { at: memory.grow(bytes / 65536) * 65536, bytes };
      }
      new Uint8Array(memory.buffer, window.at).set(mailbox);
      send(window.at, mailbox.length);
      mailbox.set(new Uint8Array(memory.buffer, window.at, mailbox.length));
    });
  }

  /** A budget that is used up after so many ops. */
  next(ops: number): bigint {
    return this.count + BigInt(ops);
  }
}
