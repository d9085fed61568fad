/**
 * What runs programs: the kernels in Wasm (unit.ts) or the reference in TypeScript (reference.ts). Both keep one
 * memory, the arena, and address it by byte offsets, so that a program means the same on either.
 */
import { REGISTERS } from './assembly/protocol.ts';
import type { OpName } from './ops.ts';

/** One op of a program: where it begins, in words, and what it is for. */
export interface RecordedOp {
  name: OpName;
  /** The checkpoint's name of the tensor that the op uses or makes. */
  label: string;
  from: number;
  /** Multiply-adds for each row of activations, or 0. */
  macs: number;
}

/** A recorded list of ops, ready for the arena (picture in assembly/protocol.ts). */
export interface Program {
  words: Uint32Array;
  ops: RecordedOp[];
}

/** Values of the registers that a program reads; what they mean is the program's business. */
export type Registers = readonly number[];

export interface Machine {
  /** Takes `bytes` fresh zero bytes, aligned to 64 KiB. @throws RangeError where memory is exhausted. */
  grow(bytes: number): number;
  /** Ops of the program that this machine does not have, by name; a machine that has all need not say so. */
  missing?(program: Program): string[];
  write(pointer: number, bytes: Uint8Array): void;
  read(pointer: number, bytes: number): Uint8Array;
  /**
   * Runs the ops from word `from` to word `end`, at least one, and stops before an op once the message's instruction
   * counter has passed `budget`. Returns the word to go on from, `end` when all is done.
   */
  run(program: number, from: number, end: number, registers: Registers, budget?: bigint): number;
}

/** What stands in for stable memory where there is none: puts its bytes from an address on into an array. */
export type ReadStable = (from: number, into: Uint8Array) => void;

export const noStable: ReadStable = () => {
  throw new Error('machine: expected a program of resident weights, got one that reads stable memory');
};

/** No budget: everything in one go. */
export const UNLIMITED = (1n << 64n) - 1n;

export function checkRegisters(registers: Registers): void {
  if (registers.length > REGISTERS) {
    throw new RangeError(`run: expected at most ${REGISTERS} registers, got ${registers.length}`);
  }
}
