/**
 * Arguments as methods get them: against the library's reading of the same bytes, by Candid's rules of subtyping, and
 * what is refused.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { describe, expect, it } from 'vitest';
import { headOf } from '../../src/canister/candid/candid-encoder.ts';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { randomFrom } from '../random.ts';
import { absurd } from './abuse.ts';
import { bombs } from './dear-arguments.ts';
import { readerFor } from './native-arguments.ts';

const encode = (types: IDL.Type[], values: unknown[]): Uint8Array => new Uint8Array(IDL.encode(types, values));
/** `vec nat32` is an array in one place and a typed one in another; bytes have room before them. */
const plain = (value: unknown): unknown => {
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array);
  if (value instanceof Principal) return value.toText();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, plain(of)]));
};

describe('what a method takes', () => {
  it("comes as Candid's library reads it", () => {
    const random = randomFrom(1);
    let many = 0;
    for (const [method, { argTypes }] of service._fields) {
      const read = readerFor(argTypes, 2 ** 22);
      for (let i = 0; i < 20; i++) {
        const message = encode(
          argTypes,
          argTypes.map((type) => absurd(type, random)),
        );
        const wanted = IDL.decode(argTypes, message as Uint8Array<ArrayBuffer>);
        try {
          expect(plain(read(message)), method).toEqual(plain(wanted));
        } catch (error) {
          // lists of hundreds of lists are more than anybody gets
          if (!`${error}`.includes('expected at most 1088 values')) throw error;
          many += 1;
        }
      }
    }
    expect(many).toBeLessThan(40);
  });

  it('numbers of every type', () => {
    const types = [IDL.Nat8, IDL.Int8, IDL.Nat16, IDL.Int16, IDL.Int32, IDL.Int64, IDL.Nat, IDL.Int];
    const numbers = [255, -128, 65_535, -32_768, -(2 ** 31), -(2n ** 63n), 2n ** 127n + 5n, -(2n ** 100n) - 1n];
    expect(readerFor(types)(encode(types, numbers))).toEqual(numbers);
    for (const n of [0n, -1n, 63n, -64n, 64n, -65n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, -(2n ** 64n), 2n ** 70n])
      expect(readerFor([IDL.Int])(encode([IDL.Int], [n]))).toEqual([n]);
    const floats = [IDL.Float64, IDL.Float32];
    expect(readerFor(floats)(encode(floats, [0.1, 0.5]))).toEqual([0.1, 0.5]);
  });

  it('text across windows, and long bytes', () => {
    const text = 'aä€🙂'.repeat(9_000);
    expect(readerFor([IDL.Text])(encode([IDL.Text], [text]))).toEqual([text]);
    const bytes = Uint8Array.from({ length: 2 ** 20 }, (_, i) => i * i);
    const types = [IDL.Nat32, IDL.Vec(IDL.Nat8), IDL.Opt(IDL.Text)];
    const [index, got, hash] = readerFor(types, 2 ** 21)(encode(types, [7, bytes, ['x']]));
    expect([index, hash]).toEqual([7, ['x']]);
    expect(Buffer.compare(got as Uint8Array, bytes)).toBe(0);
  });
});

describe('subtyping', () => {
  const Options = IDL.Record({ a: IDL.Opt(IDL.Nat32), b: IDL.Opt(IDL.Text) });
  const read = readerFor([IDL.Text, IDL.Opt(Options)]);
  const foreign: [string, IDL.Type, unknown][] = [
    ['text', IDL.Text, 'x'],
    ['a number', IDL.Nat, 2n ** 500n],
    ['floats', IDL.Vec(IDL.Float32), Array(100).fill(1)],
    ['a function', IDL.Func([IDL.Text], [IDL.Nat], ['query']), [Principal.anonymous(), 'f']],
    ['a service', IDL.Service({ f: IDL.Func([], [], []) }), Principal.anonymous()],
    ['a principal', IDL.Principal, Principal.anonymous()],
    ['a variant', IDL.Variant({ x: IDL.Null, y: IDL.Text }), { y: 'z' }],
    ['records', IDL.Vec(IDL.Record({ p: IDL.Opt(IDL.Bool), q: IDL.Reserved })), [{ p: [true], q: null }]],
    ['a list', list(), [{ head: 1n, tail: [{ head: 2n, tail: [] }] }]],
  ];
  function list(): IDL.Type {
    const type = IDL.Rec();
    type.fill(IDL.Opt(IDL.Record({ head: IDL.Int, tail: type })));
    return type;
  }

  it.each(foreign)('skips %s as a field and as an argument more', (_, type, value) => {
    const wider = IDL.Record({ a: IDL.Opt(IDL.Nat32), aa: type, b: IDL.Opt(IDL.Text), zz: type });
    const given = { a: [1], aa: value, b: ['later'], zz: value };
    expect(read(encode([IDL.Text, IDL.Opt(wider), type], ['hi', [given], value]))).toEqual([
      'hi',
      [{ a: [1], b: ['later'] }],
    ]);
    expect(read(encode([IDL.Text, wider, type], ['hi', given, value]))).toEqual(['hi', [{ a: [1], b: ['later'] }]]);
  });

  it('skips a type of a later Candid', () => {
    // type -40 with two bytes of what it is; a value of three bytes and no references
    const type = [0x58, 2, 9, 9];
    const head = [0x44, 0x49, 0x44, 0x4c, 2, ...type, 0x6c, 2, 97, 0x6e, 0x79];
    const record = [0x6c, 2, 97, 0, 98, 0x79];
    const message = [...head.slice(0, 4), 2, ...type, ...record, 2, 0x71, 1, 1, 104, 3, 0, 1, 2, 3, 5, 0, 0, 0];
    const A = readerFor([IDL.Text, IDL.Record({ b: IDL.Opt(IDL.Nat32) })]);
    expect(A(Uint8Array.from(message))).toEqual(['h', { b: [5] }]);
  });

  it('what is missing and optional is none; what is not there and required is refused', () => {
    expect(read(encode([IDL.Text], ['hi']))).toEqual(['hi', []]);
    expect(read(encode([IDL.Text, IDL.Null], ['hi', null]))).toEqual(['hi', []]);
    expect(read(encode([IDL.Text, IDL.Record({})], ['hi', {}]))).toEqual(['hi', [{ a: [], b: [] }]]);
    expect(read(encode([IDL.Text, IDL.Opt(IDL.Record({ b: IDL.Text }))], ['hi', [{ b: 'x' }]]))).toEqual([
      'hi',
      [{ a: [], b: ['x'] }],
    ]);
    expect(() => read(encode([], []))).toThrow(
      'm: expected (text, opt record {…}), got something else: argument 1: expected text, got nothing',
    );
    expect(() => readerFor([IDL.Record({ a: IDL.Text })])(encode([IDL.Record({})], [{}]))).toThrow(
      'a: expected text, got nothing',
    );
  });

  it('a number of another type is taken if it fits, and refused by its name if not', () => {
    const take = (type: IDL.Type, value: unknown) =>
      (read(encode([IDL.Text, IDL.Record({ a: type })], ['', { a: value }]))[1] as [{ a: number[] }])[0].a;
    for (const [type, value] of [
      [IDL.Nat, 5n],
      [IDL.Int, 5n],
      [IDL.Nat64, 5n],
      [IDL.Int8, 5],
      [IDL.Float64, 5],
    ] as const) {
      expect(take(type, value)).toEqual([5]);
      expect(take(IDL.Opt(type), [value])).toEqual([5]);
    }
    for (const [type, value] of [
      [IDL.Nat, 2n ** 32n],
      [IDL.Int, -1n],
      [IDL.Int64, -5n],
      [IDL.Float64, 0.5],
      [IDL.Float64, Number.NaN],
      [IDL.Nat, 2n ** 64n],
    ] as const)
      expect(() => take(type, value)).toThrow(/a: expected nat32, got a \w+ that is none/);
    expect(() => take(IDL.Text, '5')).toThrow('a: expected nat32, got text');
    expect(() => take(IDL.Nat, 2n ** 500n)).toThrow('a: expected a number of at most 128 bits');
    expect(take(IDL.Reserved, null)).toEqual([]);
    expect(take(IDL.Func([], [], []), [Principal.anonymous(), 'f'])).toEqual([]);
  });
});

describe('refused', () => {
  const read = readerFor([IDL.Text]);
  const takesNothing = readerFor([]);

  it.each(bombs)('%s, which who takes nothing does not read', (_, message) => {
    expect(() => read(message)).toThrow(/^m: expected .+, got .+/s);
    expect(takesNothing(message.subarray(0, 110_000))).toEqual([]);
  });

  it('by length, by the first bytes, and what is no Candid', () => {
    expect(() => readerFor([], 10)(new Uint8Array(11))).toThrow('m: expected at most 10 bytes of arguments, got 11');
    expect(() => takesNothing(Uint8Array.of(1, 2, 3, 4, 5))).toThrow('expected Candid, got 5 other bytes');
    expect(() => takesNothing(new Uint8Array())).toThrow('expected Candid, got 0 other bytes');
  });

  it('what is cut off, wherever, and bytes at random: in words, never a trap', () => {
    const types = [IDL.Text, IDL.Opt(IDL.Record({ a: IDL.Opt(IDL.Nat32), v: IDL.Vec(IDL.Text), p: IDL.Principal }))];
    const readAll = readerFor(types);
    const message = encode(types, ['häl', [{ a: [7], v: ['x', 'yy'], p: Principal.anonymous() }]]);
    for (let n = 0; n < message.length; n++)
      expect(() => readAll(message.subarray(0, n)), `${n}`).toThrow('m: expected');
    const random = randomFrom(5);
    for (let i = 0; i < 20_000; i++) {
      const changed = message.slice();
      for (let j = 0; j < 3; j++) changed[4 + Math.floor(random() * (changed.length - 4))] = random() * 256;
      try {
        readAll(changed);
      } catch (error) {
        expect((error as Error).message).toMatch(/^m: expected /);
      }
    }
  });

  it('text that is no UTF-8', () => {
    for (const bad of [
      [0x80],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xe2, 0x82],
      [0xf0, 0x80, 0x80, 0x80],
    ]) {
      const message = Uint8Array.from([0x44, 0x49, 0x44, 0x4c, 0, 1, 0x71, bad.length, ...bad]);
      expect(() => read(message), `${bad}`).toThrow('expected UTF-8');
    }
  });

  it('what is UTF-8 is what the platform takes for it: every lead with bytes around the limits, within text and at its end', () => {
    const readText = readerFor([IDL.Text]);
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const limits = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    let taken = 0;
    for (let lead = 0x80; lead < 0x100; lead++)
      for (const second of limits)
        for (const rest of [[], [0x80], [0xbf, 0x80], [0x80, 0xc0], [0xbf, 0x7f]])
          for (const after of [[], Array<number>(20).fill(0x78)]) {
            const bytes = [0x61, 0xc3, 0xa9, lead, second, ...rest, ...after];
            let wanted: string | undefined;
            try {
              wanted = decoder.decode(Uint8Array.from(bytes));
              taken += 1;
            } catch {
              wanted = undefined;
            }
            const message = Uint8Array.from([0x44, 0x49, 0x44, 0x4c, 0, 1, 0x71, bytes.length, ...bytes]);
            if (wanted === undefined) expect(() => readText(message), `${bytes}`).toThrow('expected UTF-8');
            else expect(readText(message), `${bytes}`).toEqual([wanted]);
          }
    expect(taken).toBeGreaterThan(500);
  });
});

it('a head is what the library writes, or says the same', () => {
  const random = randomFrom(2);
  for (const [method, { retTypes }] of service._fields) {
    const [type] = retTypes as [IDL.Type];
    const value = absurd(type, random);
    const whole = Uint8Array.from([...headOf(type), ...type.encodeValue(value)]);
    expect(plain(IDL.decode(retTypes, whole)), method).toEqual(
      plain(IDL.decode(retTypes, encode(retTypes, [value]) as Uint8Array<ArrayBuffer>)),
    );
  }
});
