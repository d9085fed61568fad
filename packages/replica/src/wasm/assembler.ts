/**
 * Writes instructions: a Writer with a method for each form of instruction that the rewriter adds. Plumbing.
 */
import { Writer } from './bytes.ts';
import { Op } from './opcodes.ts';

export const emptyBlock = 0x40;

export class Assembler extends Writer {
  /** Instructions without immediates. */
  op(...codes: number[]): this {
    return this.bytes(codes);
  }

  get(local: number): this {
    return this.byte(Op.localGet).u32(local);
  }

  set(local: number): this {
    return this.byte(Op.localSet).u32(local);
  }

  tee(local: number): this {
    return this.byte(Op.localTee).u32(local);
  }

  globalGet(index: number): this {
    return this.byte(Op.globalGet).u32(index);
  }

  globalSet(index: number): this {
    return this.byte(Op.globalSet).u32(index);
  }

  i32(value: number): this {
    return this.byte(Op.i32Const).s32(value);
  }

  i64(value: number): this {
    return this.byte(Op.i64Const).s64(value);
  }

  call(index: number): this {
    return this.byte(Op.call).u32(index);
  }

  /** `if … end` without results; the condition is on the stack. */
  if(write: () => void): this {
    this.byte(Op.if).byte(emptyBlock);
    write();
    return this.byte(Op.end);
  }
}
