/**
 * Added tokens: against what transformers makes of them (test/fixtures/tokenizer/make_added_fixtures.py), and what is
 * refused.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenMatcher } from '../../../src/model/tokenizer/added-tokens.ts';
import { readFolderTokenizer, type TokenizerFiles } from '../../../src/model/tokenizer/files/folder-tokenizer.ts';
import { PromptTokenizer } from '../../../src/model/tokenizer/prompt-tokenizer.ts';
import { decodeTokenizer } from '../../../src/model/tokenizer/unigram/tokenizer.ts';
import { decodeTokenizerData } from '../../../src/model/tokenizer/unigram/tokenizer-data.ts';
import type { AddedToken } from '../../../src/text/added-token.ts';
import { fixturePath, NFKC, readBytes, readJson, unit } from './fixtures.ts';

type Files = Record<string, unknown>;
interface Added {
  sets: { what: string; files: Files; cases: { text: string; ids: number[]; plainIds: number[]; decoded: string }[] }[];
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const bytesOf = (files: Files) => Object.fromEntries(Object.entries(files).map(([name, value]) => [name, json(value)]));
const read = (files: Files, rows?: number) =>
  readFolderTokenizer({ 'spiece.model': readBytes(NFKC), ...bytesOf(files) } as TokenizerFiles, rows)!;
function open(files: Files, rows?: number): PromptTokenizer {
  const { tables, addedTokens } = read(files, rows);
  return new PromptTokenizer(decodeTokenizer(tables, unit), addedTokens);
}
const { sets } = readJson(fixturePath('added.json')) as unknown as Added;

/** What of a set is not as in transformers, and why. */
const UNLIKE: Record<string, string> = {
  'the map alone': 'a token that no file numbers is refused by name; transformers 5 passes over it',
};

describe('as transformers', () => {
  it.each(sets.map((set) => [set.what, set] as const))('%s', (what, { files, cases }) => {
    if (UNLIKE[what]) {
      expect(() => open(files)).toThrow('expected "<hl>" to have an id, in added_tokens.json or another file');
      return;
    }
    const tokenizer = open(files);
    for (const { text, ids, plainIds, decoded } of cases) {
      expect(tokenizer.encode(text, { specialTokens: true }), `${JSON.stringify(text)}, special`).toEqual(ids);
      // the fast tokenizer's search takes "</s>" and its like for pieces of text, and SentencePiece does not
      const hasReserved = /<\/?s>|<pad>|<unk>|<extra_id_\d+>/.test(text);
      if (!hasReserved) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(plainIds);
      else expect(tokenizer.encode(text).slice(0, -1)).not.toContain(1);
      // SentencePiece writes what it does not know, transformers leaves it out as a special token
      // and it keeps the space before an added piece that begins an answer, as before no other piece
      const shown = what === 'one that is a piece' ? decoded.trimStart() : decoded;
      if (!ids.includes(2)) expect(tokenizer.decode(ids), JSON.stringify(ids)).toBe(shown);
      const stream = tokenizer.stream();
      expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe(tokenizer.decode(ids));
    }
  });

  it('the id that a file gives counts, with nothing said of sentinels, and past the pieces', () => {
    expect(open({ 'added_tokens.json': { '<hl>': 384 } }).encode('what is <hl> hot')).toEqual([53, 22, 384, 155, 1]);
    expect(open({ 'added_tokens.json': { '<hl>': 500 } }, 512).encode('what is <hl> hot')).toEqual([
      53, 22, 500, 155, 1,
    ]);
    const both = open({ 'added_tokens.json': { '<hl>': 500 } }, 512);
    expect(both.encode('<extra_id_0> <hl>', { specialTokens: true })).toEqual([483, 500, 1]);
    expect(both.encode('<extra_id_0> <hl>').slice(-2)).toEqual([500, 1]);
  });

  it('tokens of tokenizer.json beside spiece.model are honoured, and of tokenizer.json alone', () => {
    const added = [
      { id: 0, content: '<pad>', special: true, normalized: false },
      { id: 1, content: '</s>', special: true, normalized: false },
      { id: 2, content: '<unk>', special: true, normalized: false },
      { id: 384, content: '<hl>', special: false, normalized: true, lstrip: false, rstrip: false, single_word: false },
    ];
    const file = { ...fast(), added_tokens: added };
    expect(open({ 'tokenizer.json': file }).encode('what is <hl> hot')).toEqual([53, 22, 384, 155, 1]);
    const alone = readFolderTokenizer({ 'tokenizer.json': json(file) }, 400)!;
    const tokenizer = new PromptTokenizer(decodeTokenizer(alone.tables, unit), alone.addedTokens);
    expect(tokenizer.encode('what is <hl> hot')).toEqual([53, 22, 384, 155, 1]);
    expect(tokenizer.decode([53, 22, 384, 155, 1])).toBe('what is<hl> hot');
    expect(tokenizer.encode('hot</s>', { specialTokens: true })).toEqual([155, 1, 1]);
  });
});

/** the fixture's pieces as a tokenizer.json. */
function fast() {
  const { tables } = read({});
  const tokenizer = decodeTokenizer(tables, unit);
  const { scores } = decodeTokenizerData(tables);
  return {
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always' },
    model: {
      type: 'Unigram',
      unk_id: 2,
      vocab: Array.from({ length: 384 }, (_, id) => [tokenizer.pieceOf(id), scores[id]]),
    },
  };
}

describe('refused by name', () => {
  const T = 'tokenizer_config.json';
  const A = 'added_tokens.json';
  it.each<[string, Files, number | undefined, string]>([
    ['more pieces than rows', {}, 300, "spiece.model: expected at most 300 pieces, as config.json's vocab_size"],
    ['a token past the rows', { [A]: { '<hl>': 384 } }, 384, `${A}: expected "<hl>" to have an id below 384, the rows`],
    ['sentinels past the rows', { [T]: { extra_ids: 100 } }, 400, 'expected "<extra_id_0>" to have an id below 400'],
    [
      'the id of a piece',
      { [A]: { '<hl>': 53 } },
      400,
      'expected "<hl>" to have an id of its own, got 53, which "\u2581what"',
    ],
    ['a piece with another id', { [A]: { '\u2581what': 384 } }, 400, 'to have id 53, as spiece.model has it, got 384'],
    [
      'two with one id',
      { [A]: { '<a>': 384, '<b>': 384 } },
      400,
      'expected "<b>" to have an id of its own, got 384, which',
    ],
    [
      'two files that differ',
      { [A]: { '<a>': 384 }, [T]: { added_tokens_decoder: { 385: { content: '<a>' } } } },
      400,
      `${A}: expected "<a>" to have id 385, as tokenizer_config.json has it, got 384`,
    ],
    [
      'sentinels and a token',
      { [A]: { '<a>': 384 }, [T]: { extra_ids: 9 } },
      400,
      'expected "<extra_id_8>" to have an id of',
    ],
    ['no id', { [A]: { '<a>': '384' } }, 400, `${A}: expected "<a>" to be an integer from 0`],
    ['no text', { [T]: { added_tokens_decoder: { 384: { content: '' } } } }, 400, 'expected "content" to be a text'],
    ['no id in a decoder', { [T]: { added_tokens_decoder: { a: { content: 'x' } } } }, 400, 'to be the id of a token'],
    [
      'flags of another kind',
      { [T]: { added_tokens_decoder: { 384: { content: 'x', lstrip: 1 } } } },
      400,
      '"lstrip" to be',
    ],
    [
      'another vocabulary',
      { 'tokenizer.json': other() },
      400,
      'tokenizer.json: expected the piece of id 53 to be "\u2581what"',
    ],
    ['no JSON', { [A]: 7 }, 400, `${A}: expected a JSON object, got 7`],
  ])('%s', (_, files, rows, message) => {
    expect(() => read(files, rows)).toThrow(message);
  });

  function other() {
    const file = fast();
    file.model.vocab[53] = ['\u2581whatever', -3];
    return file;
  }
});

describe('a matcher', () => {
  const token = (id: number, content: string, more: Partial<AddedToken> = {}): AddedToken => ({
    ...{ id, content, special: false, normalized: false, lstrip: false, rstrip: false, singleWord: false },
    ...more,
  });

  it('gives back the text, whatever is in it', () => {
    const text = fc.string({ unit: fc.constantFrom('<', 'h', 'l', '>', ' ', '\ud83d\ude00', '.'), maxLength: 30 });
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 6 }), text, (contents, searched) => {
        const matcher = new TokenMatcher(contents.map((content, id) => token(id, content)));
        const parts = matcher.split(searched, () => false);
        expect(parts.map((part) => ('id' in part ? contents[part.id] : part.text)).join('')).toBe(searched);
        // nothing that is a token stays text
        for (const part of parts) {
          if ('text' in part)
            for (const content of contents) expect(content !== '' && part.text.includes(content)).toBe(false);
        }
      }),
    );
  });
});
