/**
 * The kernels as a machine. All commands travel through one function that takes a byte array: in the canister Azle's
 * `certifiedDataSet`, to which the kernels are linked, in Node an export of the kernels' own module (`kernelsInNode`).
 */
import {
  COMMAND_CHECK,
  COMMAND_GROW,
  COMMAND_HAS,
  COMMAND_HASH,
  COMMAND_READ,
  COMMAND_RUN,
  COMMAND_WRITE,
  HEADER_BYTES,
  INSTRUCTIONS,
  MAGIC,
  REGISTERS,
  RESULT,
} from './assembly/protocol.ts';
import {
  checkRegisters,
  type Machine,
  noStable,
  type Program,
  type ReadStable,
  type Registers,
  UNLIMITED,
} from './machine.ts';
import { opEntry } from './ops.ts';

/** Hands an array to the kernels, which read it and write into it where it lies. */
export type Send = (mailbox: Uint8Array) => void;

export class Unit implements Machine {
  private readonly send: Send;
  private readonly header = new Uint8Array(HEADER_BYTES);
  private readonly words = new Uint32Array(this.header.buffer);
  /** Instructions that programs have taken so far, by the message's counter; 0 in Node, which has none. */
  instructions = 0;

  constructor(send: Send) {
    this.send = send;
    this.words[0] = MAGIC;
  }

  grow(bytes: number): number {
    const pointer = this.command(COMMAND_GROW, bytes);
    if (pointer === 0) throw new RangeError(`arena: expected room for ${bytes} bytes more, got no memory`);
    return pointer;
  }

  write(pointer: number, bytes: Uint8Array): void {
    const mailbox = new Uint8Array(HEADER_BYTES + bytes.length);
    mailbox.set(bytes, HEADER_BYTES);
    this.writeMailbox(pointer, mailbox);
  }

  /** As `write`, for bytes that already stand behind HEADER_BYTES of room: nothing is copied but into the arena. */
  writeMailbox(pointer: number, mailbox: Uint8Array): void {
    this.bulk(mailbox, COMMAND_WRITE, pointer);
  }

  read(pointer: number, bytes: number): Uint8Array {
    const mailbox = new Uint8Array(HEADER_BYTES + bytes);
    this.bulk(mailbox, COMMAND_READ, pointer);
    return mailbox.slice(HEADER_BYTES);
  }

  /**
   * Runs SHA-256's compression over the payload behind HEADER_BYTES, a multiple of 64 bytes (sha256.ts has the rest).
   */
  hashMailbox(state: number, constants: number, mailbox: Uint8Array): void {
    this.bulk(mailbox, COMMAND_HASH, state, constants);
  }

  /**
   * Where the payload behind HEADER_BYTES has the first number that is not what CHECK_FINITE or CHECK_MULTIPLIERS
   * wants; undefined where all are.
   */
  firstWrong(kind: number, mailbox: Uint8Array): number | undefined {
    this.bulk(mailbox, COMMAND_CHECK, kind);
    const found = new DataView(mailbox.buffer, mailbox.byteOffset).getUint32(RESULT * 4, true);
    return found === 0 ? undefined : found - 1;
  }

  run(program: number, from: number, end: number, registers: Registers, budget: bigint = UNLIMITED): number {
    checkRegisters(registers);
    const w = this.words;
    w[6] = Number(budget >> 32n);
    for (let i = 0; i < REGISTERS; i++) w[7 + i] = registers[i] ?? 0;
    const position = this.command(COMMAND_RUN, program, from, end, Number(budget & 0xffffffffn));
    this.instructions += w[INSTRUCTIONS]! + w[INSTRUCTIONS + 1]! * 2 ** 32;
    return position;
  }

  /** Ops of the program that the linker left out of these kernels, by name. To run one is a trap. */
  missing({ ops }: Program): string[] {
    const names = new Set(ops.map(({ name }) => name));
    return [...names].filter((name) => this.command(COMMAND_HAS, opEntry(name).code) === 0);
  }

  /** A command without a payload, of the kernels or of what is linked with them. @returns its result */
  command(command: number, a = 0, b = 0, c = 0, d = 0): number {
    const w = this.words;
    w[1] = command;
    w[2] = a;
    w[3] = b;
    w[4] = c;
    w[5] = d;
    this.send(this.header);
    return w[RESULT]!;
  }

  /** A command with the payload behind HEADER_BYTES of room; the third word is its length. */
  bulk(mailbox: Uint8Array, command: number, a = 0, c = 0, d = 0): void {
    const w = this.words;
    w[1] = command;
    w[2] = a;
    w[3] = mailbox.length - HEADER_BYTES;
    w[4] = c;
    w[5] = d;
    mailbox.set(this.header);
    this.send(mailbox);
  }
}

/** What the kernels ask of whoever instantiates them. */
export interface Host {
  readStable: ReadStable;
  /** Instructions so far. Stands still unless told otherwise. */
  performanceCounter(): bigint;
}

/**
 * Instantiates the kernels' own module, for Node and browsers: the arena is its memory, above a window through which
 * mailboxes pass.
 */
export function kernelsInNode(
  kernels: BufferSource | WebAssembly.Module,
  { readStable = noStable, performanceCounter = () => 0n }: Partial<Host> = {},
): Send {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const module = kernels instanceof WebAssembly.Module ? kernels : new WebAssembly.Module(kernels);
  const instance = new WebAssembly.Instance(module, {
    env: { memory },
    ic0: { performance_counter: performanceCounter },
    ic0real: {
      certified_data_set: () => {
        throw new Error('kernels: expected a mailbox, got certified data, which Node has no use for');
      },
      stable64_read: (to: bigint, from: bigint, bytes: bigint) => {
        readStable(Number(from), new Uint8Array(memory.buffer, Number(to), Number(bytes)));
      },
    },
  });
  const send = instance.exports['certified_data_set'] as (pointer: number, bytes: number) => void;
  let window = { at: 65536, bytes: 0 };
  return (mailbox) => {
    if (mailbox.length > window.bytes) {
      const bytes = Math.ceil(mailbox.length / 65536) * 65536;
      window = { at: memory.grow(bytes / 65536) * 65536, bytes };
    }
    new Uint8Array(memory.buffer, window.at).set(mailbox);
    send(window.at, mailbox.length);
    mailbox.set(new Uint8Array(memory.buffer, window.at, mailbox.length));
  };
}
