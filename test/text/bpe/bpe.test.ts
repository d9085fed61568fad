/**
 * Byte-level BPE: a small vocabulary by hand, the patterns against the engine's own regular expressions, SmolLM2's
 * against what Hugging Face's tokenizers recorded.
 */
import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Gguf } from '../../../src/model/checkpoint/gguf.ts';
import { copyTokenizer } from '../../../src/model/tokenizer/pack-tokenizer.ts';
import { nodeUnit } from '../../../src/node/model/node-unit.ts';
import { encodeBpeData } from '../../../src/text/bpe/bpe-data.ts';
import { buildBpe } from '../../../src/text/bpe/build-bpe.ts';
import { PRE_TOKENIZERS, type PreTokenizerName } from '../../../src/text/bpe/pre-tokenizers.ts';
import { readGgufBpe } from '../../../src/text/bpe/read-gguf.ts';
import { mergesOfScores } from '../../../src/text/bpe/scores.ts';
import {
  type BpeToken,
  type BpeVocabulary,
  BYTE_ALPHABET,
  bytesOfPiece,
  TokenType,
  utf8,
} from '../../../src/text/bpe/vocabulary.ts';

const seed = Number(process.env['SEED'] ?? 2026);
const unit = await nodeUnit();
const room = unit.grow(1 << 20);

const piece = (text: string): BpeToken => ({ text, bytes: bytesOfPiece(text)!, type: TokenType.NORMAL });
const PLAIN = { normalized: false, lstrip: false, rstrip: false, singleWord: false };

const NOTHING: BpeVocabulary = {
  where: 'v',
  tokens: [],
  merges: [],
  preTokenizer: 'gpt2',
  ignoreMerges: false,
  nfc: false,
  prefix: 'never',
  stripSpace: false,
  added: [],
  before: [],
  behind: [],
};

/** All bytes, then what merges make of them, then special tokens. */
function vocabularyOf(
  merges: string[],
  more: Partial<BpeVocabulary> = {},
  special = ['<|end|>', '<|e'],
): BpeVocabulary {
  const pairs = merges.map((merge) => merge.split(' ') as [string, string]);
  const texts = [...BYTE_ALPHABET, ...new Set(pairs.map((pair) => pair.join('')))];
  const tokens = texts.map(piece);
  for (const text of special) tokens.push({ text, bytes: utf8(text), type: TokenType.CONTROL });
  const added = special.map((content, i) => ({ id: texts.length + i, content, special: true, ...PLAIN }));
  return { ...NOTHING, tokens, merges: pairs, added, ...more };
}
const bytesOf = (vocabulary: BpeVocabulary): Uint8Array => encodeBpeData(buildBpe(vocabulary));
/** In memory of its own, or where the one before was. */
const openVocabulary = (vocabulary: BpeVocabulary, at?: number) =>
  copyTokenizer({ tables: bytesOf(vocabulary) }, unit, at);
const MERGES = ['h e', 'l l', 'he ll', 'Ġ w', 'hell o', 'o o', 'e l'];

describe('a word', () => {
  const vocabulary = vocabularyOf(MERGES);
  const bpe = openVocabulary(vocabulary);
  const pieces = (text: string, specialTokens = false) =>
    bpe.encode(text, { specialTokens }).map((id) => vocabulary.tokens[id]!.text);

  it('is merged by rank, the leftmost first', () => {
    expect(pieces('hello w')).toEqual(['hello', 'Ġw']);
    expect(pieces('ooo')).toEqual(['oo', 'o']);
    expect(pieces('elle')).toEqual(['e', 'll', 'e']);
    expect(pieces('é')).toEqual(['Ã', '©']);
    expect(pieces('')).toEqual([]);
  });

  it('takes special tokens for their texts unless they are asked for, and then the longest', () => {
    expect(pieces('o<|end|>o', true)).toEqual(['o', '<|end|>', 'o']);
    expect(pieces('<|ex', true)).toEqual(['<|e', 'x']);
    expect(pieces('<|end|>')).not.toContain('<|end|>');
    expect(bpe.decode(bpe.encode('<|end|>o', { specialTokens: true }))).toBe('o');
    expect(bpe.decode(bpe.encode('<|end|>o', { specialTokens: true }), { specialTokens: true })).toBe('<|end|>o');
  });

  it('is merged as by trying every pair anew each time', () => {
    const ranks = new Map(vocabulary.merges.map((pair, rank) => [pair.join(' '), rank]));
    const slowly = (word: string): string[] => {
      const parts = [...word];
      for (;;) {
        const found = parts.slice(1).map((right, i) => ranks.get(`${parts[i]} ${right}`) ?? Number.POSITIVE_INFINITY);
        const lowest = Math.min(...found);
        if (lowest === Number.POSITIVE_INFINITY) return parts;
        const at = found.indexOf(lowest);
        parts.splice(at, 2, parts[at]! + parts[at + 1]!);
      }
    };
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'helo'), minLength: 1, maxLength: 60 }), (word) => {
        expect(pieces(word)).toEqual(slowly(word));
      }),
      { seed, numRuns: 1000 },
    );
  });

  it('of 100,000 letters is done at once, where work that grew with its square would run into the time limit', () => {
    expect(bpe.encode('hello'.repeat(20_000))).toHaveLength(20_000);
    expect(bpe.encode('o'.repeat(100_000))).toHaveLength(50_000);
  });

  it('is taken whole where the model says so', () => {
    const more = vocabularyOf(['h e'], { ignoreMerges: true });
    more.tokens.push(piece('xyz'));
    expect(openVocabulary(more).encode('xyz')).toEqual([more.tokens.length - 1]);
    more.ignoreMerges = false;
    expect(openVocabulary(more).encode('xyz')).toHaveLength(3);
  });

  it('stops at as many tokens as are wanted', () => {
    expect(bpe.encodeUpTo('hello hello', 1)).toBeUndefined();
    expect(bpe.encodeUpTo('hello', 1)).toHaveLength(1);
  });
});

/** Any code units; much of it from what patterns are about. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(..."aB1٣½'sſtReLL \t\n\r\u00a0\u0085\ufeff\u3000_.!é漢🎉\u0301"), maxLength: 60 }),
);

describe.each(Object.keys(PRE_TOKENIZERS) as PreTokenizerName[])(`the pattern of %s (seed ${seed})`, (name) => {
  // every word a token of its own: a word begins where a merge of all two bytes may not reach over
  const { pattern, digits } = PRE_TOKENIZERS[name];
  const insensitive = "'[sSſ]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
  const regex = new RegExp(
    pattern
      .replace(/^\(\?i:.*?\)/, insensitive)
      .replaceAll('\\s', '\\p{White_Space}')
      .replace('(?!\\S)', '(?!\\P{White_Space})'),
    'gu',
  );
  const words = (text: string): string[] =>
    (digits ? text.split(/(\p{N})/u) : [text]).flatMap((part) => part.match(regex) ?? []);
  const bpe = openVocabulary(vocabularyOf([], { preTokenizer: name, ignoreMerges: true }));

  it('parts texts as the regular expression does', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text));
        const parts = [...new Set(words(whole))];
        expect(parts.join('').length).toBeLessThanOrEqual(whole.length);
        expect(words(whole).join('')).toBe(whole);
        // words that are whole tokens: as many tokens as words if they are parted alike
        const known = parts.map((part) =>
          piece(Array.from(new TextEncoder().encode(part), (byte) => BYTE_ALPHABET[byte]!).join('')),
        );
        const tokens = [...BYTE_ALPHABET.map(piece), ...known.filter(({ text: t }) => t.length > 1)];
        const own = openVocabulary({ ...NOTHING, tokens, preTokenizer: name, ignoreMerges: true }, room);
        expect(own.encode(whole).map((id) => own.decode([id]))).toEqual(words(whole));
        expect(bpe.decode(bpe.encode(whole))).toBe(whole);
      }),
      { seed, numRuns: 60 },
    );
  });
});

describe('tables', () => {
  const good = bytesOf(vocabularyOf(MERGES, { ignoreMerges: true }));

  it('with anything changed are refused, or give ids and texts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }),
        (changes) => {
          const changed = good.slice();
          for (const [at, value] of changes) changed[at] = value;
          let spoilt: ReturnType<typeof copyTokenizer>;
          try {
            spoilt = copyTokenizer({ tables: changed }, unit, room);
          } catch (error) {
            expect((error as Error).message).toMatch(/^tokenizer: expected .* got /);
            return;
          }
          expect(spoilt.decode(spoilt.encode('hello wé 12', { specialTokens: true }))).toEqual(expect.any(String));
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  it.each<[string, Partial<BpeVocabulary>, string]>([
    ['no tokens', { tokens: [] }, 'v: expected 1 to 1048576 tokens, got 0'],
    [
      'a merge of what is no token',
      { merges: [['x', 'y']] },
      'v: merge 0: expected tokens that are there, "xy" among them',
    ],
    [
      'a pair twice',
      {
        merges: [
          ['h', 'e'],
          ['h', 'e'],
        ],
      },
      'v: merge 1: expected each pair once, got ["h","e"]',
    ],
    [
      'a token twice',
      {
        tokens: [piece('a'), piece('a')],
      },
      'v: token 1: expected a text of its own, got "a", which 0 has',
    ],
    ['a type that is none', { tokens: [{ ...piece('a'), type: 9 }] }, 'v: token 0: expected a type from 1 to 6, got 9'],
  ])('are refused for %s', (_, more, message) => {
    expect(() => buildBpe({ ...vocabularyOf(MERGES), ...more })).toThrow(message);
  });
});

it('shows no half of a character', () => {
  const bpe = openVocabulary(vocabularyOf([]));
  const stream = bpe.stream();
  expect(bpe.encode('a😀é').map((id) => stream.push(id))).toEqual(['a', '', '', '', '😀', '', 'é']);
  expect(stream.end()).toBe('');
});

describe('scores that merges are made of', () => {
  const token = (text: string) => ({ text, bytes: new TextEncoder().encode(text), type: 1 });
  const merges = (texts: string[], scores: number[]) => mergesOfScores(texts.map(token), scores, 'm.gguf');

  it('the highest comes first', () => {
    const found = merges(['a', 'b', 'c', 'ab', 'bc', 'abc'], [0, 0, 0, -2, -1, -3]);
    expect(found.map((pair) => pair.join(' '))).toEqual(['b c', 'a b', 'a bc', 'ab c']);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d is none', (score) => {
    const message = `m.gguf: token 2: expected a finite score, got ${score}`;
    expect(() => merges(['a', 'b', 'ab'], [0, 0, score])).toThrow(message);
  });

  it('a piece of any length is not cut at each place', () => {
    const message = 'm.gguf: token 1: expected fewer than 8000 characters, got 1000000';
    expect(() => merges(['a', 'a'.repeat(1_000_000)], [0, 0])).toThrow(message);
  });

  it('pieces of which each makes up others come to no end of merges', () => {
    // all texts of up to 16 letters a and b
    const texts = Array.from({ length: 2 ** 17 - 2 }, (_, i) =>
      (i + 2).toString(2).slice(1).replaceAll('0', 'a').replaceAll('1', 'b'),
    );
    const message = 'm.gguf: expected scores that come to at most 1048576 merges, got more';
    expect(() => merges(texts, Array(texts.length).fill(0))).toThrow(message);
  });
});

describe('a GGUF file', () => {
  const metadata = (change: Record<string, unknown> = {}) =>
    new Map(
      Object.entries({
        'tokenizer.ggml.model': 'gpt2',
        'tokenizer.ggml.pre': 'smollm',
        'tokenizer.ggml.tokens': [...BYTE_ALPHABET, 'he', '<|end|>'],
        'tokenizer.ggml.token_type': [...BYTE_ALPHABET.map(() => 1), 1, 3],
        'tokenizer.ggml.merges': ['h e'],
        ...change,
      }).filter(([, value]) => value !== undefined),
    );

  it('is read', () => {
    expect(openVocabulary(readGgufBpe(metadata(), 'm.gguf')).encode('he<|end|>', { specialTokens: true })).toEqual([
      256, 257,
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'another kind',
      { 'tokenizer.ggml.model': 'rwkv' },
      'm.gguf: expected tokenizer.ggml.model to be "gpt2", byte-level BPE, or "llama", SentencePiece\'s (no other is built in), got "rwkv"',
    ],
    [
      'another alphabet',
      { 'tokenizer.ggml.tokens': ['▁a'], 'tokenizer.ggml.token_type': [1] },
      'm.gguf: token 0: expected characters of GPT-2\'s alphabet of bytes, got "▁a"',
    ],
    ['none', { 'tokenizer.ggml.model': undefined }, '(no other is built in), got nothing'],
    [
      'another pre-tokenizer',
      { 'tokenizer.ggml.pre': 'tekken' },
      'm.gguf: expected tokenizer.ggml.pre to be one of gpt-2, gpt2, smollm, llama-bpe, llama3, llama-v3, qwen2, got "tekken"',
    ],
    [
      'no merges',
      { 'tokenizer.ggml.merges': undefined },
      'm.gguf: expected tokenizer.ggml.merges to be a list, each a string, got nothing',
    ],
    [
      'a merge of three',
      { 'tokenizer.ggml.merges': ['a b c'] },
      'm.gguf: merge 0: expected two pieces and a space between, got "a b c"',
    ],
    [
      'types of others',
      { 'tokenizer.ggml.token_type': [1] },
      'm.gguf: expected tokenizer.ggml.token_type to have 258 entries, got 1',
    ],
  ])('is refused for %s', (_, change, message) => {
    expect(() => readGgufBpe(metadata(change), 'm.gguf')).toThrow(message);
  });
});

const gguf = process.env['STEPWISE_SMOLLM2'];
const folder = process.env['STEPWISE_TOKENIZERS'];
const goldens = folder && `${folder}/smollm2/goldens.json`;
const isThere = Boolean(gguf && goldens && existsSync(gguf) && existsSync(goldens));
if (!isThere)
  console.warn(
    "skipped: SmolLM2's tokenizer (set STEPWISE_SMOLLM2 to its GGUF, STEPWISE_TOKENIZERS to a folder with smollm2/goldens.json)",
  );

describe.runIf(isThere)('SmolLM2', async () => {
  if (!isThere) return;
  const file = await open(gguf!);
  const { size } = await file.stat();
  const read = async (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    await file.read(bytes, 0, length, offset);
    return bytes;
  };
  const { metadata } = await Gguf.open({ size, read }, gguf!);
  await file.close();
  const bpe = copyTokenizer({ tables: bytesOf(readGgufBpe(metadata, gguf!)) }, unit);
  const { cases } = JSON.parse(readFileSync(goldens!, 'utf8'));

  it(`encodes and decodes ${cases.length} texts as Hugging Face's tokenizers do, special tokens special and plain`, () => {
    expect(cases.length).toBe(468);
    for (const { text, ids, plain_ids, decoded } of cases) {
      expect(bpe.encode(text, { specialTokens: true }), JSON.stringify(text)).toEqual(ids);
      expect(bpe.encode(text), JSON.stringify(text)).toEqual(plain_ids);
      expect(bpe.decode(plain_ids, { specialTokens: true }), JSON.stringify(text)).toBe(decoded);
    }
  });
});
