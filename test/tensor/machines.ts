/** Both machines side by side: a test records a program once, fills its inputs, and gets what each makes of it. */
import { buildKernels } from '../../scripts/build/kernels.ts';
import { Arena } from '../../src/tensor/arena.ts';
import { ACCUMULATOR_BYTES } from '../../src/tensor/assembly/protocol.ts';
import type { Machine, Registers } from '../../src/tensor/machine.ts';
import { Recorder, type Rows, type Scratch } from '../../src/tensor/recorder.ts';
import { Reference } from '../../src/tensor/reference.ts';
import { kernelsInNode, Unit } from '../../src/tensor/unit.ts';

const kernels = await buildKernels();
export const newUnit = (): Unit => new Unit(kernelsInNode(kernels as Uint8Array<ArrayBuffer>));

export type Bytes = Float32Array | Uint32Array | Int16Array | Uint8Array;

/** What a test sees while it records. */
export class Bench {
  readonly recorder: Recorder;
  readonly arena: Arena;
  readonly machine: Machine;
  readonly scratch: Scratch;

  constructor(machine: Machine, most = { rows: 64, cols: 8192, keys: 1024 }) {
    this.machine = machine;
    this.arena = new Arena(machine);
    this.scratch = {
      quantized: this.arena.allocate(most.rows * most.cols * 2),
      quantizedScales: this.arena.allocate(most.rows * 4),
      sums: this.arena.allocate(ACCUMULATOR_BYTES),
      scores: this.arena.allocate(most.keys * 32),
      unpacked: this.arena.allocate(1 << 21),
    };
    this.recorder = new Recorder(this.scratch);
  }

  put(values: Bytes): number {
    const at = this.arena.allocate(values.byteLength);
    this.machine.write(at, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }

  rows(rows: number, cols: number, values?: Float32Array, width = cols): Rows {
    return { at: values ? this.put(values) : this.arena.allocate(rows * cols * 4), rows, cols, width };
  }

  run(registers: Registers = []): void {
    const program = this.recorder.finish();
    const at = this.put(program.words);
    this.machine.run(at, program.ops[0]!.from, program.words.length, registers);
  }

  floats(at: number, count: number): Float32Array {
    return new Float32Array(this.machine.read(at, count * 4).buffer);
  }
}

/** Runs `body` on the kernels and on the reference; gives what it returned for each. */
export function onBoth<T>(body: (bench: Bench) => T): { kernels: T; reference: T } {
  return { kernels: body(new Bench(newUnit())), reference: body(new Bench(new Reference())) };
}

/** Numbers from a seed, spread like a normal distribution's; for test inputs, not for drawing tokens. */
export function noise(count: number, seed: number, scale = 1): Float32Array {
  let state = seed * 2654435761;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => (next() + next() + next() + next() - 2) * 1.7 * scale);
}
