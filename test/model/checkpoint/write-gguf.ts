/**
 * Writes a GGUF file of version 3, float32, for tests: metadata and tensors as they are given. Source: ggml,
 * `docs/gguf.md`.
 */

export type Entry = string | number | boolean | string[] | number[];

export interface GgufTensor {
  name: string;
  /** Rows first, as in a checkpoint. */
  shape: readonly number[];
  values: Float32Array;
}

const TYPE = { uint32: 4, float32: 6, bool: 7, string: 8, array: 9 };
const ALIGNMENT = 32;

class Writer {
  private readonly bytes: number[] = [];
  u32(n: number): this {
    this.bytes.push(n & 255, (n >>> 8) & 255, (n >>> 16) & 255, (n >>> 24) & 255);
    return this;
  }
  u64(n: number): this {
    return this.u32(n % 2 ** 32).u32(Math.floor(n / 2 ** 32));
  }
  f32(x: number): this {
    return this.u32(new Uint32Array(Float32Array.of(x).buffer)[0]!);
  }
  text(text: string): this {
    const utf8 = new TextEncoder().encode(text);
    this.u64(utf8.length);
    for (const byte of utf8) this.bytes.push(byte);
    return this;
  }
  byte(value: number): this {
    this.bytes.push(value);
    return this;
  }
  value(value: Entry, isInArray = false): this {
    if (Array.isArray(value)) {
      const type = typeof value[0] === 'string' ? TYPE.string : numberType(value as number[]);
      this.u32(TYPE.array).u32(type).u64(value.length);
      for (const one of value) this.plain(one, type);
      return this;
    }
    const type = typeof value === 'string' ? TYPE.string : typeof value === 'boolean' ? TYPE.bool : numberType([value]);
    return isInArray ? this.plain(value, type) : this.u32(type).plain(value, type);
  }
  private plain(value: string | number | boolean, type: number): this {
    if (type === TYPE.string) return this.text(value as string);
    if (type === TYPE.bool) return this.byte(value ? 1 : 0);
    return type === TYPE.float32 ? this.f32(value as number) : this.u32(value as number);
  }
  pad(): this {
    while (this.bytes.length % ALIGNMENT !== 0) this.bytes.push(0);
    return this;
  }
  done(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

const numberType = (values: readonly number[]): number =>
  values.every((value) => Number.isInteger(value) && value >= 0) ? TYPE.uint32 : TYPE.float32;

export function writeGguf(metadata: Record<string, Entry>, tensors: readonly GgufTensor[]): Uint8Array {
  const writer = new Writer().u32(0x46554747).u32(3).u64(tensors.length).u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) writer.text(key).value(value);
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    writer.text(name).u32(shape.length);
    for (const size of [...shape].reverse()) writer.u64(size);
    writer.u32(0).u64(offset);
    offset += Math.ceil((values.length * 4) / ALIGNMENT) * ALIGNMENT;
  }
  const head = writer.pad().done();
  const file = new Uint8Array(head.length + offset);
  file.set(head);
  let at = head.length;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += Math.ceil((values.length * 4) / ALIGNMENT) * ALIGNMENT;
  }
  return file;
}
