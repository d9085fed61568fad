// Reads the Protocol Buffers wire format: fields of one message, one after the other. No schema, no writing, no groups.
// Source: protobuf.dev/programming-guides/encoding (varint, 64-bit, length-delimited, 32-bit).

/**
 * A message's bytes and a cursor: `next()` steps to a field, then exactly one of the reading methods takes its value.
 */
export class MessageReader {
  /** Number of the field that `next` found. */
  field = 0;
  private wireType = 0;
  private at = 0;
  private readonly view: DataView;

  /** @param where what errors name, such as `spiece.model: trainer_spec`. */
  constructor(
    readonly where: string,
    private readonly message: Uint8Array,
  ) {
    this.view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  }

  /** Steps to the next field; false at the message's end. @throws RangeError on a broken tag. */
  next(): boolean {
    if (this.at >= this.message.length) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field < 1 || this.field > 0x1fffffff) this.broken('a field number', `${this.field}`);
    return true;
  }

  /** An integer below 2^53; larger ones (negative int32) lose low bits, which no caller of ours needs. */
  integer(): number {
    this.expectWireType(0);
    return this.varint();
  }

  bool(): boolean {
    return this.integer() !== 0;
  }

  float(): number {
    this.expectWireType(5);
    return this.view.getFloat32(this.take(4), true);
  }

  /** The bytes of a string, of `bytes` or of a message within; a view, not a copy. */
  bytes(): Uint8Array {
    this.expectWireType(2);
    const length = this.varint();
    const from = this.take(length);
    return this.message.subarray(from, from + length);
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.broken('UTF-8', `${bytes.length} bytes that are not`);
    }
  }

  /** Steps over the value of a field that the caller does not know. */
  skip(): void {
    if (this.wireType === 0) this.varint();
    else if (this.wireType === 1) this.take(8);
    else if (this.wireType === 2) this.take(this.varint());
    else if (this.wireType === 5) this.take(4);
    else this.broken('wire type 0, 1, 2 or 5', `${this.wireType}`);
  }

  private expectWireType(expected: number): void {
    if (this.wireType !== expected) this.broken(`wire type ${expected}`, `${this.wireType}`);
  }

  private varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.message[this.take(1)]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return this.broken('a varint of at most 10 bytes', 'a longer one');
  }

  /** Steps over `count` bytes and gives where they began. */
  private take(count: number): number {
    const from = this.at;
    if (count > this.message.length - from) {
      this.broken(`${count} more bytes`, `${this.message.length - from}; the file is cut short or is no such file`);
    }
    this.at += count;
    return from;
  }

  private broken(expected: string, got: string): never {
    throw new RangeError(`${this.where}, byte ${this.at}, field ${this.field}: expected ${expected}, got ${got}`);
  }
}
