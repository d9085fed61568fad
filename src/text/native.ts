/**
 * The way to the native code of tokenizers (assembly/): a command has a record of words, an input, and room for an
 * output and for work, all in one mailbox that lives as long as the call. In an interpreter a loop over a text costs
 * some thousand instructions a character, there some thirty.
 */
import { HEADER_BYTES, RESULT } from '../tensor/assembly/protocol.ts';
import type { Unit } from '../tensor/unit.ts';
import { COUNT, INPUT_BYTES, OUTPUT_MOST, RECORD_BYTES, STEPS, WORK_BYTES } from './assembly/protocol.ts';

/** Kernels that take commands with a payload, and their memory. */
export type Native = Pick<Unit, 'bulk' | 'read' | 'write' | 'grow'>;

/** Where the input of a command stands in a mailbox. */
export const INPUT_AT = HEADER_BYTES + RECORD_BYTES;

export class NativeCall {
  private readonly mailbox: Uint8Array;
  private readonly record: Uint32Array;
  private readonly outputAt: number;

  /** @param most units of the output, of `width` bytes each */
  constructor(inputBytes: number, most: number, width: number, workBytes: number) {
    this.outputAt = INPUT_AT + ((inputBytes + 3) & ~3);
    this.mailbox = new Uint8Array(this.outputAt + most * width + workBytes + 8);
    this.record = new Uint32Array(this.mailbox.buffer, HEADER_BYTES, RECORD_BYTES / 4);
    this.record[INPUT_BYTES] = inputBytes;
    this.record[OUTPUT_MOST] = most;
    this.record[WORK_BYTES] = workBytes;
  }

  /** Room for the input, to be filled before `run`. */
  get input(): Uint8Array {
    return this.mailbox.subarray(INPUT_AT, INPUT_AT + this.record[INPUT_BYTES]!);
  }

  /** A further word of the record. */
  set(word: number, value: number): void {
    this.record[word] = value;
  }

  get(word: number): number {
    return this.record[word]!;
  }

  /** @returns one of the results of protocol.ts */
  run(native: Native, command: number, tables: number): number {
    native.bulk(this.mailbox, command, tables);
    return new Uint32Array(this.mailbox.buffer, 0, RESULT + 1)[RESULT]!;
  }

  get count(): number {
    return this.record[COUNT]!;
  }

  /** Thousands of steps along tries. */
  get steps(): number {
    return this.record[STEPS]!;
  }

  get words(): Uint32Array {
    return new Uint32Array(this.mailbox.buffer, this.outputAt, this.count);
  }

  get bytes(): Uint8Array {
    return this.mailbox.subarray(this.outputAt, this.outputAt + this.count);
  }
}
