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
  [-2]: 1,
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
export function checkCandid(bytes: Uint8Array): void {
  let at = 4;
  let values = 0;
  let fields = 0;
  const types: { code: number; of: number[] }[] = [];

  const refuse = (expected: string, got: unknown): never => {
    throw new RangeError(`arguments: expected ${expected}, got ${got}`);
  };
  const byte = (): number => (at < bytes.length ? bytes[at++]! : refuse(`a byte at ${at}`, 'the end'));
  const atMost = (most: number, what: string, got: number): number =>
    got <= most ? got : refuse(`at most ${most} ${what}`, got);

  /** Of LEB128, in at most `most` bytes. */
  function number(signed = false, most = 10): number {
    let value = 0;
    let weight = 1;
    for (let i = 0; i < most; i++) {
      const next = byte();
      value += (next & 127) * weight;
      weight *= 128;
      if (next < 128) return signed && next & 64 ? value - weight : value;
    }
    return refuse(`a number of at most ${most} bytes`, 'a longer one');
  }
  function skip(count: number): void {
    if (count > bytes.length - at) refuse(`${count} bytes at ${at}`, bytes.length - at);
    at += count;
  }

  function readType(): void {
    const code = number(true);
    if (code === OPT || code === VEC) {
      types.push({ code, of: [number(true)] });
      return;
    }
    if (code !== RECORD && code !== VARIANT) refuse('a type of values', code);
    const of: number[] = [];
    const count = number();
    fields = atMost(MAX_FIELDS, 'fields', fields + count);
    for (let i = 0; i < count; i++) {
      number();
      of.push(number(true));
    }
    types.push({ code, of });
  }

  function walk(type: number, depth: number): void {
    values = atMost(MAX_VALUES, 'values', values + 1);
    atMost(MAX_DEPTH, 'values within one another', depth);
    if (type >= 0) {
      const { code, of } = types[type] ?? refuse(`a type below ${types.length}`, type);
      if (code === RECORD) for (const field of of) walk(field, depth + 1);
      else if (code === OPT) {
        if (byte() > 0) walk(of[0]!, depth + 1);
      } else if (code === VARIANT) walk(of[number()] ?? refuse('a case of the variant', 'another'), depth + 1);
      else {
        const count = number();
        const size = sizes[of[0]!];
        if (size !== undefined && of[0] !== -2) skip(count * size);
        else {
          atMost(MAX_VALUES, 'values', values + count);
          for (let i = 0; i < count; i++) walk(of[0]!, depth + 1);
        }
      }
    } else if (sizes[type] !== undefined) skip(sizes[type]);
    else if (type === TEXT) skip(atMost(MAX_TEXT_BYTES, 'bytes of text', number()));
    else if (type === NAT || type === INT) number();
    else if (type === PRINCIPAL) {
      byte();
      skip(number());
    } else if (type !== NULL && type !== RESERVED) refuse('a type of values', type);
  }

  const tableLength = atMost(MAX_TYPES, 'types', number());
  for (let i = 0; i < tableLength; i++) readType();
  const args: number[] = [];
  const count = atMost(MAX_FIELDS, 'arguments', number());
  for (let i = 0; i < count; i++) args.push(number(true));
  for (const type of args) walk(type, 0);
}
