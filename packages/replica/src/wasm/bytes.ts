/**
 * Reading and writing the primitive values of the Wasm binary format: bytes, LEB128 integers, names, vectors.
 * Plumbing; the format is WebAssembly core specification 2.0, section 5.2.
 */

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** A cursor over the bytes of a module. Reading past the end throws. */
export class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
    readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    if (this.position >= this.end) throw new Error(`wasm: unexpected end at byte ${this.position}`);
    return this.bytes[this.position++];
  }

  u32(): number {
    let result = 0;
    let shift = 0;
    for (;;) {
      const byte = this.byte();
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
      shift += 7;
      if (shift > 28 + 7) throw new Error(`wasm: LEB128 integer too long at byte ${this.position}`);
    }
  }

  /** A signed 32-bit integer (also good for the block types of `block`, which have 33 bits but small values). */
  s32(): number {
    let result = 0;
    let shift = 0;
    for (;;) {
      const byte = this.byte();
      result |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte < 0x80) return shift < 32 && byte & 0x40 ? result | (-1 << shift) : result;
      if (shift > 35) throw new Error(`wasm: LEB128 integer too long at byte ${this.position}`);
    }
  }

  /** Passes over a LEB128 integer of any width. */
  skipLeb(): void {
    while (this.byte() >= 0x80);
  }

  slice(length: number): Uint8Array {
    if (length > this.end - this.position) throw new Error(`wasm: unexpected end at byte ${this.position}`);
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  name(): string {
    return decoder.decode(this.slice(this.u32()));
  }

  vec<T>(element: (reader: Reader) => T): T[] {
    const count = this.u32();
    if (count > this.end - this.position)
      throw new Error(`wasm: vector longer than its section at byte ${this.position}`);
    const out: T[] = [];
    for (let i = 0; i < count; i++) out.push(element(this));
    return out;
  }
}

/** A growing buffer of bytes. */
export class Writer {
  #bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }

  byte(value: number): this {
    if (this.length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.length++] = value;
    return this;
  }

  bytes(values: ArrayLike<number>, from = 0, to = values.length): this {
    const count = to - from;
    this.#reserve(count);
    if (values instanceof Uint8Array && count > 16) this.#bytes.set(values.subarray(from, to), this.length);
    else for (let i = 0; i < count; i++) this.#bytes[this.length + i] = values[from + i];
    this.length += count;
    return this;
  }

  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.byte(rest);
  }

  s32(value: number): this {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** A signed LEB128 integer of up to 53 bits. */
  s64(value: number): this {
    let rest = value;
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = Math.floor(rest / 128);
      if ((rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  name(text: string): this {
    const bytes = encoder.encode(text);
    return this.u32(bytes.length).bytes(bytes);
  }

  /** Appends what `write` writes, its length before it. */
  sized(write: (writer: Writer) => void): this {
    const inner = new Writer();
    write(inner);
    return this.u32(inner.length).bytes(inner.view());
  }

  section(id: number, write: (writer: Writer) => void): this {
    return this.byte(id).sized(write);
  }

  clear(): this {
    this.length = 0;
    return this;
  }

  /** What was written; valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length) as Uint8Array<ArrayBuffer>;
  }
}
