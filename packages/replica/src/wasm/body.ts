/**
 * Decodes a function body into its instructions: opcode, where it stands, and the immediates that the rewriter needs.
 * Holds one body at a time in arrays that are used again for the next.
 */
import { Reader } from './bytes.ts';
import { Immediate, Op, opcodes } from './opcodes.ts';

const unknown = 255;
const immediateOf = new Uint8Array(0x10000).fill(unknown);
for (const { code, immediate } of opcodes.values()) immediateOf[code] = immediate;

export class Body {
  /** How many instructions there are. */
  count = 0;
  code = new Int32Array(1024);
  /** Where each instruction starts; `start[count]` is the end of the body. */
  start = new Int32Array(1025);
  /** First immediate: index, constant, memory offset. */
  a = new Int32Array(1024);
  /** Second immediate: table of `call_indirect`, memory of `memory.init`; for accesses, where the offset starts. */
  b = new Int32Array(1024);
  /** For accesses, where the offset ends. */
  c = new Int32Array(1024);
  /** Types of the locals (parameters not among them). */
  locals: { count: number; type: number }[] = [];
  localCount = 0;
  bytes: Uint8Array = new Uint8Array(0);

  #grow(): void {
    const twice = (old: Int32Array<ArrayBuffer>, extra = 0) => {
      const larger = new Int32Array(this.code.length * 2 + extra);
      larger.set(old);
      return larger;
    };
    [this.start, this.a, this.b, this.c] = [twice(this.start, 1), twice(this.a), twice(this.b), twice(this.c)];
    this.code = twice(this.code);
  }

  /** Reads `bytes` (locals, then code). @throws Error at an opcode that is not allowed */
  decode(bytes: Uint8Array): void {
    const r = new Reader(bytes);
    this.bytes = bytes;
    this.locals = r.vec(() => ({ count: r.u32(), type: r.byte() }));
    this.localCount = this.locals.reduce((sum, { count }) => sum + count, 0);
    this.count = 0;
    while (!r.done) {
      if (this.count === this.code.length) this.#grow();
      const i = this.count++;
      this.start[i] = r.position;
      let code = r.byte();
      if (code >= 0xfc) code = code * 256 + r.u32();
      this.code[i] = code;
      this.#immediates(r, i, code);
    }
    this.start[this.count] = r.position;
    if (this.count === 0 || this.code[this.count - 1] !== Op.end)
      throw new Error('wasm: expected a body that ends with end');
  }

  #immediates(r: Reader, i: number, code: number): void {
    switch (immediateOf[code]) {
      case Immediate.None:
        return;
      case Immediate.Index:
        this.a[i] = r.u32();
        return;
      case Immediate.TwoIndices:
        this.a[i] = r.u32();
        this.b[i] = r.u32();
        return;
      case Immediate.I32:
        this.a[i] = r.s32();
        return;
      case Immediate.MemArg:
      case Immediate.MemArgLane:
        if (r.u32() >= 64) throw new Error('wasm: expected memory 0, got an access to another memory');
        this.b[i] = r.position;
        this.a[i] = r.u32();
        this.c[i] = r.position;
        if (immediateOf[code] === Immediate.MemArgLane) r.byte();
        return;
      case Immediate.Block:
        this.a[i] = r.s32();
        return;
      case Immediate.I64:
        r.skipLeb();
        return;
      case Immediate.F32:
        r.slice(4);
        return;
      case Immediate.F64:
        r.slice(8);
        return;
      case Immediate.Bytes16:
        r.slice(16);
        return;
      case Immediate.Lane:
      case Immediate.HeapType:
        r.byte();
        return;
      case Immediate.Labels:
        for (let n = r.u32() + 1; n > 0; n--) r.u32();
        return;
      case Immediate.Types:
        for (let n = r.u32(); n > 0; n--) r.byte();
        return;
      default:
        throw new Error(`wasm: expected an allowed instruction, got opcode 0x${code.toString(16)}`);
    }
  }
}
