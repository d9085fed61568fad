import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSpieceModel } from '../../../src/model/tokenizer/files/spiece-model.ts';
import { buildTokenizerData } from '../../../src/model/tokenizer/unigram/build-tokenizer.ts';
import { decodeTokenizer, type Unigram } from '../../../src/model/tokenizer/unigram/tokenizer.ts';
import { decodeTokenizerData, encodeTokenizerData } from '../../../src/model/tokenizer/unigram/tokenizer-data.ts';
import { PieceType } from '../../../src/model/tokenizer/unigram/vocabulary.ts';
import {
  dataOf,
  fixturePath,
  LITTLE_FLAN,
  largeTokenizer,
  NFKC,
  openTokenizer,
  readBytes,
  tablesOf,
  unit,
} from './fixtures.ts';

const seed = Number(process.env['SEED'] ?? 2026);
const large = largeTokenizer('t5/spiece.model');
const tokenizers: [string, Unigram][] = [
  ['nfkc', openTokenizer(NFKC)],
  ['bytes', openTokenizer(fixturePath('bytes.model'))],
  ['user', openTokenizer(fixturePath('user.model'))],
  ['across', openTokenizer(fixturePath('across.model'))],
  ['little-flan', openTokenizer(LITTLE_FLAN)],
  ...(large ? [['t5', openTokenizer(large)] as [string, Unigram]] : []),
];

/** Any code units, lone surrogates too; much of it from the characters that rules and vocabularies are about. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: fc.constantFrom(...'ab the of \t\n\u00a0\u2581\u3000\0é🎉ﬁ…</s><pad>½'), maxLength: 60 }),
);

describe.each(tokenizers)(`any text (seed ${seed}), %s`, (_, tokenizer) => {
  const { unkId, eosId } = tokenizer;

  it('is encoded without a throw, and comes back normalised where nothing is unknown: 10,000 texts', () => {
    let known = 0;
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text);
        expect(ids.at(-1)).toBe(eosId);
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize)).toBe(true);
        const decoded = tokenizer.decode(ids);
        if (ids.includes(unkId)) return;
        known++;
        expect(decoded.replace(/^ +/, '')).toBe(tokenizer.normalize(text).replaceAll('\u2581', ' ').replace(/^ +/, ''));
      }),
      { numRuns: 10_000, seed },
    );
    expect(known).toBeGreaterThan(300);
  });

  it('has the same ids as its UTF-8', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.encode(new TextEncoder().encode(text))).toEqual(tokenizer.encode(text));
      }),
      { numRuns: 1000, seed },
    );
  });
});

it('takes bytes that are no UTF-8', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const tokenizer = tokenizers[1]![1];
      expect(tokenizer.encode(bytes).at(-1)).toBe(tokenizer.eosId);
    }),
    { seed },
  );
  // One U+FFFD for each byte that is no part of a character.
  const bytes = Uint8Array.of(0x61, 0xc3, 0x28, 0xf0, 0x9f, 0x98, 0xed, 0xa0, 0x80);
  expect(tokenizers[1]![1].encode(bytes)).toEqual(
    tokenizers[1]![1].encode('a\ufffd(\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd'),
  );
});

describe.each(tokenizers)('no more ids than wanted, %s', (_, tokenizer) => {
  it('are those of the whole text, or none', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 400 }), (part, most, times) => {
        const text = part.repeat(times);
        const ids = tokenizer.encode(text);
        expect(tokenizer.encodeUpTo(text, most)).toEqual(ids.length <= most ? ids : undefined);
        expect(tokenizer.encodeUpTo(text, ids.length)).toEqual(ids);
      }),
      { numRuns: 300, seed },
    );
  });
});

it('has the same ids of a long text whether it can be cut up part by part or not', () => {
  const data = dataOf(NFKC);
  data.cuts.fill(0);
  const whole = decodeTokenizer(encodeTokenizerData(data), unit);
  fc.assert(
    fc.property(fc.array(anyText, { minLength: 1, maxLength: 20 }), (parts) => {
      const text = parts.join(' a b').repeat(200);
      expect(tokenizers[0]![1].encode(text)).toEqual(whole.encode(text));
    }),
    { numRuns: 40, seed },
  );
});

it('stops where steps along a trie are as many as wanted, whatever the vocabulary is', () => {
  const vocabulary = readSpieceModel(readBytes(fixturePath('dummy.model')));
  const pieces = [...vocabulary.pieces, { piece: 'a'.repeat(5000), score: -9, type: PieceType.NORMAL }];
  const tokenizer = decodeTokenizer(encodeTokenizerData(buildTokenizerData({ ...vocabulary, pieces })), unit);
  const text = 'a'.repeat(8192);
  expect(tokenizer.encodeUpTo(text, 10_000, 1000)).toBeUndefined();
  expect(tokenizer.encodeUpTo(text, 10_000, 40_000)).toBeDefined();
});

it('gets through 200,000 characters, where work that grew with their square would run into the time limit', () => {
  const [, tokenizer] = tokenizers[0]!;
  for (const text of ['a'.repeat(200_000), ' '.repeat(200_000), '\u0301'.repeat(200_000), 'é'.repeat(200_000)])
    expect(tokenizer.encode(text).at(-1)).toBe(tokenizer.eosId);
});

describe('a stream', () => {
  const bytes = openTokenizer(fixturePath('bytes.model'));
  const { byteIds } = dataOf(fixturePath('bytes.model'));
  const idOf = (byte: number) => byteIds[byte]!;

  it('gives a character when its last byte has come', () => {
    const stream = bytes.stream();
    expect([0xf0, 0x9f, 0x98, 0x80].map((byte) => stream.push(idOf(byte)))).toEqual(['', '', '', '😀']);
    expect(stream.push(idOf(0x41))).toBe('A');
    expect(stream.end()).toBe('');
  });

  it('gives U+FFFD for a byte as soon as no character can come of it', () => {
    const stream = bytes.stream();
    expect(stream.push(idOf(0xf0))).toBe('');
    expect(stream.push(idOf(0x28))).toBe('\ufffd(');
    expect(stream.push(idOf(0xe2))).toBe('');
    expect(stream.push(idOf(0x82))).toBe('');
    expect(stream.end()).toBe('\ufffd\ufffd');
    expect(stream.end()).toBe('');
  });

  it('leaves the first space out, and no other', () => {
    const [, tokenizer] = tokenizers[0]!;
    const ids = tokenizer.encode('joe has 22 apples');
    const stream = tokenizer.stream();
    expect(ids.map((id) => stream.push(id)).join('|')).toBe('joe| has| |2|2| apples|');
  });

  it('is, put together, what decode gives', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.vocabularySize + 5), { maxLength: 40 }), (ids) => {
        const stream = bytes.stream();
        const text = ids.map((id) => stream.push(id)).join('') + stream.end();
        expect(text).toBe(bytes.decode(ids));
        expect(() => encodeURIComponent(text)).not.toThrow(); // it does on half a surrogate pair
      }),
      { seed },
    );
  });
});

describe('pieces', () => {
  const [, tokenizer] = tokenizers[0]!;

  it('are known by id', () => {
    expect([0, 1, 2, 3, 4].map((id) => tokenizer.pieceOf(id))).toEqual(['<pad>', '</s>', '<unk>', '\u2581', '2']);
  });

  it.each([-1, 384, 1.5, Number.NaN])('are not there for %d', (id) => {
    expect(() => tokenizer.pieceOf(id)).toThrow(`tokenizer: expected an id from 0 to 383, got ${id}`);
  });

  it('that are not there decode to nothing', () => {
    expect(tokenizer.decode([384, 1e9, -1, 0.5, Number.NaN])).toBe('');
  });
});

describe('the bytes of a tokenizer', () => {
  const [, tokenizer] = tokenizers[0]!;
  const bytes = tablesOf(NFKC);
  const at = unit.grow(bytes.length);

  it('are the same for the same tokenizer, whole multiples of 16, and may lie anywhere', () => {
    expect(encodeTokenizerData(decodeTokenizerData(bytes))).toEqual(bytes);
    expect(bytes.length % 16).toBe(0);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeTokenizer(shifted.subarray(1), unit).encode('joe has 22 apples')).toEqual(
      tokenizer.encode('joe has 22 apples'),
    );
  });

  it('are read as views', () => {
    const { units, pieceBytes } = decodeTokenizerData(bytes);
    expect(units.buffer).toBe(bytes.buffer);
    expect(pieceBytes.buffer).toBe(bytes.buffer);
  });

  it('are refused with a reason where the head is wrong', () => {
    const change = (at: number, value: number) => {
      const changed = bytes.slice();
      new DataView(changed.buffer).setInt32(at * 4, value, true);
      return () => decodeTokenizer(changed, unit, at);
    };
    expect(() => decodeTokenizer(new Uint8Array(10), unit, at)).toThrow('tokenizer: expected a head of bytes:');
    expect(() => decodeTokenizer(bytes.slice(0, -16), unit, at)).toThrow(
      `expected length ${bytes.length}, got ${bytes.length - 16}`,
    );
    expect(change(0, 7)).toThrow('expected magic');
    expect(change(1, 99)).toThrow('expected version 1, got 99; convert the model again');
    expect(change(4, 385)).toThrow('expected scores: 385, got 384');
    expect(change(5, 384)).toThrow('expected unkId below 384, got 384');
    expect(change(8, 1 << 30)).toThrow('expected section units to be a multiple of 4 of at most');
    expect(change(8, -4)).toThrow('expected section units');
  });

  it('with anything changed are refused, or give ids and texts without a hang or a read outside', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 400 }),
        (changes) => {
          const changed = bytes.slice();
          for (const [at, value] of changes) changed[at] = value;
          let spoilt: Unigram;
          try {
            spoilt = decodeTokenizer(changed, unit, at);
          } catch (error) {
            expect((error as Error).message).toMatch(/^tokenizer: expected .* got /);
            return;
          }
          expect(spoilt.encode('joe has 22 apples, he gave away half… ½').length).toBeLessThan(200);
          expect(spoilt.decode([3, 4, 5, 2, 1, 383])).toEqual(expect.any(String));
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});
