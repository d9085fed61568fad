// Against what SentencePiece (C++) recorded: test/fixtures/tokenizer/make_tokenizer_fixtures.py, and T5's own goldens.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeTokenizer } from '../../../src/model/tokenizer/unigram/tokenizer.ts';
import { encodeTokenizerData } from '../../../src/model/tokenizer/unigram/tokenizer-data.ts';
import {
  bareIds,
  dataOf,
  fixturePath,
  LITTLE_FLAN,
  largeTokenizer,
  NFKC,
  openTokenizer,
  readJson,
  unit,
} from './fixtures.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

describe.each(['bytes', 'user', 'keep', 'dummy', 'suffix', 'across', 'unused', 'plain-spaces'])(
  'the model "%s"',
  (name) => {
    const tokenizer = openTokenizer(fixturePath(`${name}.model`));
    const { cases, decodings, eos_id } = readJson(fixturePath(`${name}.json`));

    it(`normalises, encodes and decodes ${cases.length} texts as SentencePiece does`, () => {
      for (const { text, normalized, ids, decoded } of cases) {
        expect(tokenizer.normalize(text), JSON.stringify(text)).toBe(normalized);
        expect(tokenizer.encode(text), JSON.stringify(text)).toEqual([...ids, eos_id]);
        expect(tokenizer.encode(utf8(text)), JSON.stringify(text)).toEqual([...ids, eos_id]);
        expect(tokenizer.decode(ids), JSON.stringify(text)).toBe(decoded);
      }
    });

    it(`decodes ${decodings.length} lists of ids that no text gives`, () => {
      for (const { ids, text } of decodings) expect(tokenizer.decode(ids), `${ids}`).toBe(text);
    });
  },
);

it('tokenises the prompts and gives the texts of little-flan as transformers does', () => {
  const tokenizer = openTokenizer(LITTLE_FLAN);
  const { cases, texts } = readJson(LITTLE_FLAN.replace('spiece.model', 'expected.json'));
  expect(cases.length).toBe(60);
  for (const { text, ids } of texts) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  for (const { prompt, prompt_ids, ids, text } of cases) {
    expect(tokenizer.encode(prompt)).toEqual(prompt_ids);
    expect(tokenizer.decode(ids)).toBe(text);
  }
});

const spiece = largeTokenizer('t5/spiece.model');
describe.runIf(spiece)('T5', () => {
  const { cases } = spiece ? readJson(largeTokenizer('t5/goldens.json')!) : { cases: [] };
  const ofModel = spiece ? openTokenizer(spiece) : undefined;
  const ofJson = spiece ? openTokenizer(largeTokenizer('t5/tokenizer.json')!) : undefined;

  it(`spiece.model: ${cases.length} texts`, () => {
    for (const { text, ids, decoded } of cases) {
      expect(ofModel!.encode(text), JSON.stringify(text)).toEqual(ids);
      expect(ofModel!.encode(utf8(text)), JSON.stringify(text)).toEqual(ids);
      expect(ofModel!.decode(ids), JSON.stringify(text)).toBe(decoded);
    }
  });

  it(`tokenizer.json: ${cases.length} texts, the ids of spiece.model`, () => {
    for (const { text, ids, decoded } of cases) {
      expect(ofJson!.encode(text), JSON.stringify(text)).toEqual(ids);
      expect(ofJson!.decode(ids), JSON.stringify(text)).toBe(decoded);
    }
  });

  it('keeps to SentencePiece where the fast tokenizer of the same file differs', () => {
    const { divergences } = readJson(fixturePath('t5-fast-divergences.json'));
    for (const { text, ids, fastIds, why } of divergences) {
      expect(ofJson!.encode(text), why).toEqual(ids);
      expect(ids, why).not.toEqual(fastIds);
    }
  });

  it('has 32,000 pieces in the model, 100 more in the file with the sentinels, which decode to nothing', () => {
    expect(ofModel!.vocabularySize).toBe(32000);
    expect(ofJson!.vocabularySize).toBe(32100);
    expect(ofJson!.pieceOf(32099)).toBe('<extra_id_0>');
    for (const tokenizer of [ofModel!, ofJson!]) expect(tokenizer.decode([8774, 32099, 32127, 1])).toBe('Hello');
  });

  it('gives the ids of SentencePiece for 100,000 digits, where scores must begin anew', () => {
    let [text, x] = ['', 1];
    for (let i = 0; i < 100_000; i++) {
      x = (x * 48271) % 2147483647;
      text += x % 11 ? x % 10 : ' ';
    }
    const ids = ofModel!.encode(text);
    expect(ids.length).toBe(45754);
    // Of sentencepiece 0.2.2 and 0.2.3.
    expect(createHash('sha256').update(ids.join()).digest('hex')).toBe(
      '3eb01421c562dad21a1db1c2eb04d3e9a1c30b05d2aaa78b983297df271c3fba',
    );
  });

  it('gives the same ids without the short cuts for certain pieces', () => {
    const data = dataOf(spiece!);
    data.cuts.fill(0);
    const plain = decodeTokenizer(encodeTokenizerData(data), unit);
    for (const { text, ids } of cases) expect(plain.encode(text)).toEqual(ids);
  });
});

it('marks most words of the vocabulary as certain', () => {
  const { units } = dataOf(NFKC);
  const [keys, certain] = [0x100, 0x200].map(
    (bit) => units.filter((unit) => (unit & 0xff) !== 0 && (unit & bit) !== 0).length,
  );
  expect(keys).toBe(381);
  expect(certain! / keys!).toBeGreaterThan(0.5);
});

it('gives ids in a row as one list, whatever was encoded before', () => {
  const tokenizer = openTokenizer(LITTLE_FLAN);
  const long = bareIds(tokenizer, 'joe has 22 apples '.repeat(500));
  expect(bareIds(tokenizer, 'joe has 22 apples')).toEqual(long.slice(0, long.length / 500));
});
