/**
 * Bounds what arguments take to read before anything reads them. Candid's cost has no bound in its length: twenty bytes claim a `vec null` of 2^31
 * elements, a record of two records of two records doubles with each level, and the library reads a long number in squared time. An update call of
 * that kind would cost the canister the 40 B instructions of a message. Walks the values by the types that stand before them; whether those are the
 * types a method expects, the library says. Source: Candid specification, "Binary Format".
 */

const MAX_TYPES = 100;
const MAX_FIELDS = 250;
/** Values within values, a vector of fixed-size numbers being one. */
const MAX_VALUES = 2_000;
const MAX_DEPTH = 32;
const MAX_TEXT_BYTES = 100_000;

const NULL = -1;
const BOOL = -2;
const NAT = -3;
const INT = -4;
const TEXT = -15;
const RESERVED = -16;
const OPT = -18;
const VEC = -19;
const RECORD = -20;
const VARIANT = -21;
const PRINCIPAL = -24;
/** Bytes of what always has as many, by type: bool, nat8 to nat64, int8 to int64, float32, float64. */
const sizes: Record<number, number> = {
  [BOOL]: 1,
  [-5]: 1,
  [-6]: 2,
  [-7]: 4,
  [-8]: 8,
  [-9]: 1,
  [-10]: 2,
  [-11]: 4,
  [-12]: 8,
  [-13]: 4,
  [-14]: 8,
};

export const isCandid = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x44 && bytes[1] === 0x49 && bytes[2] === 0x44 && bytes[3] === 0x4c;

/** @throws RangeError for arguments that nobody sends who means well: too deep, too many values, numbers without end, cut off */
export const checkCandid = (bytes: Uint8Array): void => new Walk(bytes).walkAll();

/**
 * A class, not functions within one: a function that calls itself by a name of the scope around it is a ring, which QuickJS frees by its collector
 * only, and that does not count the bytes of arguments. Rings around chunks of 1 MiB grew the heap by as much as was uploaded.
 */
class Walk {
  private readonly bytes: Uint8Array;
  private at = 4;
  private values = 0;
  private fields = 0;
  private readonly types: { code: number; of: number[] }[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  walkAll(): void {
    const tableLength = atMost(MAX_TYPES, 'types', this.number());
    for (let i = 0; i < tableLength; i++) this.readType();
    const args: number[] = [];
    const count = atMost(MAX_FIELDS, 'arguments', this.number());
    for (let i = 0; i < count; i++) args.push(this.number(true));
    for (const type of args) this.walk(type, 0);
  }

  private byte(): number {
    const { at, bytes } = this;
    if (at >= bytes.length) refuse(`a byte at ${at}`, 'the end');
    this.at = at + 1;
    return bytes[at]!;
  }

  /** Of LEB128, in at most ten bytes. */
  private number(signed = false): number {
    let value = 0;
    let weight = 1;
    for (let i = 0; i < 10; i++) {
      const next = this.byte();
      value += (next & 127) * weight;
      weight *= 128;
      if (next < 128) return signed && next & 64 ? value - weight : value;
    }
    return refuse('a number of at most 10 bytes', 'a longer one');
  }

  private skip(count: number): void {
    const left = this.bytes.length - this.at;
    if (count > left) refuse(`${count} bytes at ${this.at}`, left);
    this.at += count;
  }

  private readType(): void {
    const code = this.number(true);
    if (code === OPT || code === VEC) {
      this.types.push({ code, of: [this.number(true)] });
      return;
    }
    if (code !== RECORD && code !== VARIANT) refuse('a type of values', code);
    const of: number[] = [];
    const count = this.number();
    this.fields = atMost(MAX_FIELDS, 'fields', this.fields + count);
    for (let i = 0; i < count; i++) {
      this.number();
      of.push(this.number(true));
    }
    this.types.push({ code, of });
  }

  private walk(type: number, depth: number): void {
    this.values = atMost(MAX_VALUES, 'values', this.values + 1);
    atMost(MAX_DEPTH, 'values within one another', depth);
    if (type >= 0) this.walkInto(this.types[type] ?? refuse(`a type below ${this.types.length}`, type), depth + 1);
    else if (sizes[type] !== undefined) this.skip(sizes[type]);
    else if (type === TEXT) this.skip(atMost(MAX_TEXT_BYTES, 'bytes of text', this.number()));
    else if (type === NAT || type === INT) this.number();
    else if (type === PRINCIPAL) {
      this.byte();
      this.skip(this.number());
    } else if (type !== NULL && type !== RESERVED) refuse('a type of values', type);
  }

  private walkInto({ code, of }: { code: number; of: number[] }, depth: number): void {
    if (code === RECORD) for (const field of of) this.walk(field, depth);
    else if (code === OPT) {
      if (this.byte() > 0) this.walk(of[0]!, depth);
    } else if (code === VARIANT) this.walk(of[this.number()] ?? refuse('a case of the variant', 'another'), depth);
    else {
      const count = this.number();
      const size = sizes[of[0]!];
      if (size !== undefined && of[0] !== BOOL) this.skip(count * size);
      else {
        atMost(MAX_VALUES, 'values', this.values + count);
        for (let i = 0; i < count; i++) this.walk(of[0]!, depth);
      }
    }
  }
}

const refuse = (expected: string, got: unknown): never => {
  throw new RangeError(`arguments: expected ${expected}, got ${got}`);
};

const atMost = (most: number, what: string, got: number): number =>
  got <= most ? got : refuse(`at most ${most} ${what}`, got);
