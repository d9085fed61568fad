/** The tokenizer of a T5's GGUF file is the one of its folder: the same tables, the same tokens added to them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tokenOf } from '../../../src/model/tokenizer/added-tokens.ts';
import { readFolderTokenizer } from '../../../src/model/tokenizer/files/folder-tokenizer.ts';
import { readGgufTokenizer } from '../../../src/model/tokenizer/files/gguf-tokenizer.ts';
import { copyTokenizer } from '../../../src/model/tokenizer/pack-tokenizer.ts';
import type { Entry } from '../checkpoint/write-gguf.ts';
import { unigramEntries } from '../families/t5/gguf-t5.ts';
import { fixturePath, LITTLE_FLAN, largeTokenizer, NFKC, readBytes, readJson, unit } from './fixtures.ts';

const read = (entries: Record<string, Entry>) => readGgufTokenizer(new Map(Object.entries(entries)), 'm.gguf')!;
const fromFolder = (spiece: Uint8Array, rows: number, added?: object) =>
  readFolderTokenizer(
    {
      'spiece.model': spiece,
      ...(added && { 'added_tokens.json': new TextEncoder().encode(JSON.stringify(added)) }),
    },
    rows,
  )!;
const large = largeTokenizer('t5/spiece.model');

describe.each<[string, string, number]>([
  ['little-flan', LITTLE_FLAN, 1200],
  ['nfkc without room for more', NFKC, 384],
  ['nfkc with sentinels and padding', NFKC, 512],
  ['bytes', fixturePath('bytes.model'), 1000],
  ['dummy', fixturePath('dummy.model'), 1000],
  ...(large ? [['t5', large, 32128] as [string, string, number]] : []),
])('%s', (_, path, rows) => {
  const spiece = readBytes(path);
  it('the same tables and the same added tokens as from spiece.model', () => {
    const [gguf, folder] = [read(unigramEntries(spiece, rows)), fromFolder(spiece, rows)];
    expect(gguf.addedTokens).toEqual(folder.addedTokens);
    expect(Buffer.compare(gguf.tables, folder.tables)).toBe(0);
  });
});

it('ids and texts as SentencePiece recorded them', () => {
  const { cases, eos_id } = readJson(fixturePath('bytes.json'));
  const tokenizer = copyTokenizer(read(unigramEntries(readBytes(fixturePath('bytes.model')), 1000)), unit);
  for (const { text, ids, decoded } of cases) {
    expect(tokenizer.encode(text), JSON.stringify(text)).toEqual([...ids, eos_id]);
    expect(tokenizer.decode(ids), JSON.stringify(text)).toBe(decoded);
  }
});

it('padding is no text: a sentinel is one where a folder has it', () => {
  const { addedTokens } = read(unigramEntries(readBytes(NFKC), 512));
  const tokens = addedTokens!.map(tokenOf);
  expect(tokens.find(({ content }) => content === '<extra_id_0>')).toMatchObject({ id: 483, special: true });
  expect(tokens.filter(({ content }) => content.includes('PAD'))).toEqual([]);
  const tokenizer = copyTokenizer(read(unigramEntries(readBytes(NFKC), 512)), unit);
  expect(tokenizer.encode('a <extra_id_0>', { specialTokens: true })).toContain(483);
  expect(tokenizer.decode([483, 500])).toBe('');
});

describe('tokens that the folder added', () => {
  /** As the converter writes `added_tokens.json`. */
  const withAdded = (added: Record<string, number>): Record<string, Entry> => {
    const entries = unigramEntries(readBytes(NFKC), 512);
    for (const [content, id] of Object.entries(added)) {
      (entries['tokenizer.ggml.tokens'] as string[])[id] = content;
      (entries['tokenizer.ggml.scores'] as number[])[id] = -1000;
      (entries['tokenizer.ggml.token_type'] as number[])[id] = 4;
    }
    return entries;
  };

  it('are found as the folder finds them', () => {
    const added = { '<extra_id_0>': 385, '<extra_id_1>': 384, '<tool>': 390 };
    const gguf = read(withAdded(added));
    const folder = fromFolder(readBytes(NFKC), 512, added);
    const contents = (rows: typeof gguf) => rows.addedTokens!.map(tokenOf).map(({ id, content }) => [id, content]);
    expect(contents(gguf)).toEqual(contents(folder));
    expect(gguf.addedTokens!.map(tokenOf).find(({ id }) => id === 385)).toMatchObject({ special: true });
    const ids = (tokenizer: typeof gguf) => copyTokenizer(tokenizer, unit).encode('a <tool> b');
    expect(ids(gguf)).toEqual(ids(folder));
    expect(ids(gguf)).toContain(390);
  });

  it('</s> and <unk>, named again, are what they were', () => {
    const entries = unigramEntries(readBytes(NFKC), 384);
    const texts = entries['tokenizer.ggml.tokens'] as string[];
    const [eos, unk] = ['eos', 'unknown'].map((name) => entries[`tokenizer.ggml.${name}_token_id`] as number);
    const again = withAdded({ [texts[eos!]!]: eos!, [texts[unk!]!]: unk! });
    const tokenizer = copyTokenizer(read(again), unit);
    expect(tokenizer.encode('a').at(-1)).toBe(eos);
    expect(copyTokenizer(read(entries), unit).encode('a')).toEqual(tokenizer.encode('a'));
  });
});

describe('is refused by name', () => {
  const entries = () => unigramEntries(new Uint8Array(readFileSync(NFKC)), 384);
  it.each<[string, Record<string, Entry>, string]>([
    [
      "a T5 with another's tokenizer",
      { 'general.architecture': 't5', 'tokenizer.ggml.model': 'llama' },
      'm.gguf: expected tokenizer.ggml.model to be "t5", the unigram tokenizer of a T5, got "llama"',
    ],
    [
      "another model with a T5's",
      { 'general.architecture': 'llama' },
      'm.gguf: expected tokenizer.ggml.model to be "gpt2", byte-level BPE, or "llama"',
    ],
    ['a tokenizer of no model', { 'tokenizer.ggml.model': 'bert' }, 'got "bert"'],
    ['scores that are too few', { 'tokenizer.ggml.scores': [0.5] }, 'scores to have 384 entries, got 1'],
    ['a stop that is no token', { 'tokenizer.ggml.eos_token_id': 384 }, 'eos_token_id to be an id below 384, got 384'],
    ['a stop that is text', { 'tokenizer.ggml.eos_token_id': 100 }, 'expected a control piece'],
    ['a map that is none', { 'tokenizer.ggml.precompiled_charsmap': [1, 2, 3] }, 'm.gguf: '],
    [
      'a map of texts',
      { 'tokenizer.ggml.precompiled_charsmap': ['x'] },
      'precompiled_charsmap to be a list, each a number',
    ],
    [
      'a flag that is a number',
      { 'tokenizer.ggml.add_space_prefix': 1 },
      'add_space_prefix to be true or false, got 1',
    ],
  ])('%s', (_, change, message) => {
    expect(() => read({ ...entries(), ...change })).toThrow(message);
  });
});
