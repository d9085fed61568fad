/**
 * Every op in plain TypeScript, running the same programs over the same arena as the kernels: what the kernels are
 * checked against, and the place to read what an op means. Slow, and with no thought for speed. Integer ops agree with
 * the kernels to the bit; float ones to rounding, as the kernels add in lanes and have an exponential of their own.
 */
import { checkRegisters, type Machine, noStable, type ReadStable, type Registers } from '../machine.ts';
import { type OpArgs, type OpEntry, type OpName, opEntries } from '../ops.ts';
import * as attention from './attention.ts';
import * as choosing from './choosing.ts';
import * as elementwise from './elementwise.ts';
import * as images from './images.ts';
import * as linear from './linear.ts';
import { Memory } from './memory.ts';

/** A function for each op: all of the table, and no other. */
const run: { [N in OpName]: (m: Memory, args: OpArgs<N>) => void } = {
  ...linear,
  ...attention,
  ...elementwise,
  ...choosing.onRows,
  ...images,
  copy: (m, { out, source, bytes }) => m.write(out, m.read(source, bytes)),
  loadStable: (m, { out, page, offset, bytes }) => {
    const piece = new Uint8Array(bytes);
    m.readStable(page * 65_536 + offset, piece);
    m.write(out, piece);
  },
};

const bitsToFloat = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0]!;

/** Words of an op as its arguments by name. */
const named = (op: OpEntry, words: readonly number[]): Record<string, number> =>
  Object.fromEntries(op.names.map((name, i) => [name, op.isFloat[i] ? bitsToFloat(words[i]!) : words[i]! >>> 0]));

export class Reference implements Machine {
  private readonly memory: Memory;

  constructor(readStable: ReadStable = noStable) {
    this.memory = new Memory(readStable);
  }

  grow(bytes: number): number {
    return this.memory.grow(bytes);
  }

  write(pointer: number, bytes: Uint8Array): void {
    this.memory.write(pointer, bytes);
  }

  read(pointer: number, bytes: number): Uint8Array {
    return this.memory.read(pointer, bytes);
  }

  run(program: number, from: number, end: number, registers: Registers): number {
    checkRegisters(registers);
    const { u32 } = this.memory;
    let at = program / 4 + from;
    while (at < program / 4 + end) {
      const head = u32[at]!;
      const count = (head >> 8) & 0xff;
      const words = Array.from(u32.subarray(at + 1, at + 1 + count));
      at += 1 + count;
      for (let patch = 0; patch < head >>> 16; patch++, at += 2) {
        const which = u32[at]!;
        words[which & 0xff]! += (registers[which >> 8] ?? 0) * u32[at + 1]!;
      }
      const op = opEntries[head & 0xff];
      if (!op) throw new RangeError(`reference: expected a known op, got ${head & 0xff}`);
      (run[op.name] as (m: Memory, args: Record<string, number>) => void)(this.memory, named(op, words));
    }
    return end;
  }
}
