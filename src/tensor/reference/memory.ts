import type { ReadStable } from '../machine.ts';

/** The arena of the reference: one buffer, seen as numbers of each size. Pointers are bytes, as in the kernels. */
export class Memory {
  readonly readStable: ReadStable;
  // the first page stays free, so that no pointer is 0
  private used = 65536;
  private buffer = new ArrayBuffer(1 << 20);
  f32 = new Float32Array(this.buffer);
  u32 = new Uint32Array(this.buffer);
  i8 = new Int8Array(this.buffer);
  i16 = new Int16Array(this.buffer);

  constructor(readStable: ReadStable) {
    this.readStable = readStable;
  }

  grow(bytes: number): number {
    const pointer = this.used;
    this.used += Math.ceil(bytes / 65536) * 65536;
    if (this.used > this.buffer.byteLength) {
      const larger = new ArrayBuffer(Math.max(this.used, this.buffer.byteLength * 2));
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
      this.f32 = new Float32Array(larger);
      this.u32 = new Uint32Array(larger);
      this.i8 = new Int8Array(larger);
      this.i16 = new Int16Array(larger);
    }
    return pointer;
  }

  write(pointer: number, bytes: Uint8Array): void {
    new Uint8Array(this.buffer).set(bytes, pointer);
  }

  read(pointer: number, bytes: number): Uint8Array {
    return new Uint8Array(this.buffer.slice(pointer, pointer + bytes));
  }

  /** `count` floats at a pointer, as a view. */
  floats(pointer: number, count: number): Float32Array {
    return this.f32.subarray(pointer / 4, pointer / 4 + count);
  }

  /** All floats from a pointer on, for ops that reach them by listed ids. */
  rest(pointer: number): Float32Array {
    return this.f32.subarray(pointer / 4);
  }

  words(pointer: number, count: number): Uint32Array {
    return this.u32.subarray(pointer / 4, pointer / 4 + count);
  }
}
