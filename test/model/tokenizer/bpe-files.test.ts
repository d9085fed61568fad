/**
 * BPE from tokenizer.json, tokenizer.model and GGUF, against what tokenizers, transformers and sentencepiece recorded
 * of tokenizers trained for this (test/fixtures/bpe/make_bpe_fixtures.py); and what is refused.
 */
import { describe, expect, it } from 'vitest';
import { readFolderTokenizer, type TokenizerFiles } from '../../../src/model/tokenizer/files/folder-tokenizer.ts';
import { readGgufTokenizer } from '../../../src/model/tokenizer/files/gguf-tokenizer.ts';
import { readSentencePiece } from '../../../src/model/tokenizer/files/spiece-model.ts';
import { copyTokenizer } from '../../../src/model/tokenizer/pack-tokenizer.ts';
import type { Tokenizer } from '../../../src/text/tokenizer.ts';
import { readBytes, readJson, unit } from './fixtures.ts';

interface Case {
  text: string;
  ids: number[];
  bareIds: number[];
  plainIds: number[];
  decoded: string;
  shown: string;
}
interface Fixture {
  files: { 'tokenizer.json': Record<string, unknown> };
  cases: Case[];
  answers: { ids: number[]; shown: string }[];
}
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const fixture = (name: string) => readJson(`test/fixtures/bpe/${name}.json`) as unknown as Fixture;
const open = (files: TokenizerFiles) => copyTokenizer(readFolderTokenizer(files, undefined)!, unit);
const openJson = (name: string) => open({ 'tokenizer.json': json(fixture(name).files['tokenizer.json']) });
const streamed = (tokenizer: Tokenizer, ids: readonly number[], specialTokens = false): string => {
  const stream = tokenizer.stream({ specialTokens });
  return ids.map((id) => stream.push(id)).join('') + stream.end();
};

const FAST = ['gpt2', 'smollm', 'llama3', 'qwen2', 'llama2-legacy', 'llama2-first', 'llama2-always', 'gemma-fast'];
/**
 * Old files of Llama 2 have *normalized* tokens: tokenizers takes such a token for its name with a space before it,
 * shows it so, and does not leave out special ones.
 */
const isShownUnlike = (name: string, ids: readonly number[]): boolean => {
  const added = fixture(name).files['tokenizer.json']['added_tokens'] as { id: number; normalized: boolean }[];
  return name === 'llama2-legacy' && added.some(({ id, normalized }) => normalized && ids.includes(id));
};

describe.each(FAST)('%s: tokenizer.json as tokenizers has it', (name) => {
  const tokenizer = openJson(name);
  const { cases, answers } = fixture(name);

  it(`${cases.length} texts`, () => {
    expect(cases.length).toBeGreaterThan(190);
    for (const { text, ids, bareIds, plainIds, decoded, shown } of cases) {
      const what = JSON.stringify(text);
      expect(tokenizer.encode(text, { specialTokens: true }), what).toEqual(ids);
      expect(tokenizer.encode(text, { specialTokens: true, bare: true }), what).toEqual(bareIds);
      expect(tokenizer.encode(text, { bare: true }), what).toEqual(plainIds);
      if (!isShownUnlike(name, bareIds)) {
        expect(tokenizer.decode(bareIds, { specialTokens: true }), what).toBe(decoded);
        expect(tokenizer.decode(bareIds), what).toBe(shown);
      }
      expect(streamed(tokenizer, bareIds), what).toBe(tokenizer.decode(bareIds));
    }
  });

  it(`${answers.length} answers of any ids`, () => {
    for (const { ids, shown } of answers) {
      // one U+FFFD for each byte of a character that is broken, where tokenizers has one for each byte of a run with
      // such a one in it
      const isBroken = /^(llama2|gemma)/.test(name) && shown.includes('\ufffd');
      if (!isBroken && !isShownUnlike(name, ids)) expect(tokenizer.decode(ids), JSON.stringify(ids)).toBe(shown);
      expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
    }
  });
});

describe.each(['llama2', 'gemma'])('%s: tokenizer.model as sentencepiece has it', (name) => {
  const file = readBytes(`test/fixtures/bpe/${name}.model`);
  const { cases } = fixture(name);

  it(`${cases.length} texts, and the same from GGUF`, () => {
    const tokenizer = open({ 'tokenizer.model': file });
    const { pieces } = readSentencePiece(file, name);
    const metadata = new Map<string, unknown>([
      ['tokenizer.ggml.model', 'llama'],
      ['tokenizer.ggml.tokens', pieces.map(({ piece }) => piece)],
      ['tokenizer.ggml.scores', pieces.map(({ score }) => score)],
      ['tokenizer.ggml.token_type', pieces.map(({ type }) => type)],
      ['tokenizer.ggml.add_space_prefix', name === 'llama2'],
      ['tokenizer.ggml.bos_token_id', 1],
      ['tokenizer.ggml.eos_token_id', 2],
      ['tokenizer.chat_template', '{{ bos_token }}'],
    ]);
    const found = readGgufTokenizer(metadata, 'm.gguf')!;
    expect(found.chat).toEqual({ template: '{{ bos_token }}', bos: '<s>', eos: '</s>' });
    const gguf = copyTokenizer(found, unit);
    expect(gguf.encode('the')[0]).toBe(1);
    for (const { text, plainIds, decoded } of cases) {
      const what = JSON.stringify(text);
      expect(tokenizer.encode(text, { bare: true }), what).toEqual(plainIds);
      expect(tokenizer.encode(text), what).toEqual([1, ...plainIds]);
      expect(tokenizer.decode(plainIds), what).toBe(decoded);
      // there, what is added is found before a text is normalised: a space goes before each part
      if (!/<tool>|<long>|norm/.test(text)) expect(gguf.encode(text, { bare: true }), what).toEqual(plainIds);
    }
  });
});

/** A small tokenizer.json, and the same with something changed. */
const small = () => structuredClone(fixture('qwen2').files['tokenizer.json']);
const spiece = () => structuredClone(fixture('gemma-fast').files['tokenizer.json']);

describe('is refused by name', () => {
  // biome-ignore lint/suspicious/noExplicitAny: files of any shape
  const cases: [string, () => Record<string, unknown>, (file: any) => void, string][] = [
    [
      'another kind',
      small,
      (f) => (f.model.type = 'WordPiece'),
      'model: expected "type" to be "Unigram" or "BPE", got "WordPiece"',
    ],
    [
      'another pattern',
      small,
      (f) => (f.pre_tokenizer.pretokenizers[0].pattern.Regex += '|x'),
      'expected "pre_tokenizer" to be that of gpt2, smollm, llama3, qwen2 (no other is built in), got [{"Regex":',
    ],
    [
      'words joined',
      small,
      (f) => (f.pre_tokenizer.pretokenizers[0].behavior = 'Removed'),
      'expected "pre_tokenizer" to be that of',
    ],
    [
      'a space before a text',
      small,
      (f) => (f.pre_tokenizer.pretokenizers[1].add_prefix_space = true),
      'expected "add_prefix_space" to be false (true is not built in), got true',
    ],
    [
      'no pre-tokenizer',
      small,
      (f) => (f.pre_tokenizer = null),
      'expected "pre_tokenizer" to be one that ends with ByteLevel, got nothing',
    ],
    [
      'another normaliser',
      small,
      (f) => (f.normalizer.type = 'NFKC'),
      'normalizer: expected "type" to be "NFC" (no other is built in), got "NFKC"',
    ],
    [
      'lower case',
      small,
      (f) => (f.normalizer = { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] }),
      'expected "type" to be "NFC" (no other is built in), got "Lowercase"',
    ],
    ['a decoder', small, (f) => (f.decoder = null), 'expected "decoder" to be a ByteLevel, got nothing'],
    [
      'a suffix of words',
      small,
      (f) => (f.model.end_of_word_suffix = '</w>'),
      'expected "end_of_word_suffix" to be absent (not built in), got "</w>"',
    ],
    ['dropout', small, (f) => (f.model.dropout = 0.1), 'expected "dropout" to be absent (not built in), got 0.1'],
    ['no vocabulary', small, (f) => (f.model.vocab = null), 'model: vocab: expected a JSON object, got nothing'],
    ['an id twice', small, (f) => (f.model.vocab.zzzz = 5), 'expected "zzzz" to be an id of its own, not that of'],
    [
      'an id that is none',
      small,
      (f) => (f.model.vocab.zzzz = -1),
      'expected "zzzz" to be an integer from 0 to 1048575, got -1',
    ],
    ['no merges', small, (f) => (f.model.merges = {}), 'expected "merges" to be a list of pairs, got {}'],
    [
      'a merge of three',
      small,
      (f) => (f.model.merges[3] = ['a', 1]),
      'expected "merges[3]" to be a pair of pieces, got ["a",1]',
    ],
    [
      'a merge of three pieces',
      small,
      (f) => f.model.merges[3].push('a'),
      'expected "merges[3]" to be a pair of pieces, got [',
    ],
    [
      'a merge of no piece',
      small,
      (f) => (f.model.merges[3] = ['a', 'qq']),
      'merge 3: expected tokens that are there, "qq" among them',
    ],
    [
      'an added token that is another piece',
      small,
      (f) => (f.added_tokens[0].content = 'x'),
      'expected the added token 0 to be "<|bos|>", got "x"',
    ],
    [
      'another template',
      small,
      (f) => (f.post_processor = { type: 'RobertaProcessing' }),
      'expected "type" to be "ByteLevel" or "TemplateProcessing", got "RobertaProcessing"',
    ],
    [
      'a template of no text',
      small,
      (f) => (f.post_processor = { type: 'TemplateProcessing', single: [] }),
      'expected "single" to be a template of one text, got []',
    ],
    [
      'a template of many tokens',
      small,
      (f) =>
        (f.post_processor = {
          type: 'TemplateProcessing',
          single: [...Array(200_000).fill({ SpecialToken: { id: '<|bos|>' } }), { Sequence: { id: 'A' } }],
        }),
      'expected "single" to be a template of at most 64 parts, got 200001',
    ],
    [
      'words at spaces',
      spiece,
      (f) =>
        Object.assign(f, {
          normalizer: null,
          pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
        }),
      'expected "split" to be false (true is not built in), got true',
    ],
    [
      'spaces that stay',
      spiece,
      (f) => (f.normalizer = null),
      'expected "normalizer" to be spaces made ▁ as Llama 2, Gemma or a Metaspace do it',
    ],
    [
      'an unknown decoder',
      spiece,
      (f) => f.decoder.decoders.reverse(),
      'expected "decoder" to be Replace, ByteFallback, Fuse and perhaps Strip',
    ],
    [
      'a byte without a piece',
      spiece,
      (f) => {
        delete f.model.vocab['<0x7F>'];
      },
      'expected a token for each byte, <0x00> to <0xFF>, got none for byte 127',
    ],
  ];
  it.each(cases)('%s', (_, make, change, message) => {
    const file = make();
    change(file);
    expect(() => open({ 'tokenizer.json': json(file) })).toThrow(message);
  });

  it('more tokens than the embedding has rows', () => {
    expect(() => readFolderTokenizer({ 'tokenizer.json': json(small()) }, 100)).toThrow(
      "tokenizer.json: expected at most 100 tokens, as config.json's vocab_size and the embedding have rows, got 651",
    );
  });

  it('a stand-in, and what is no model', () => {
    const lfs = new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n');
    expect(() => open({ 'tokenizer.model': lfs })).toThrow(/tokenizer.model: expected .* got .*LFS/);
    expect(() => open({ 'tokenizer.json': lfs })).toThrow(/tokenizer.json: expected .* got .*LFS/);
    expect(() => open({ 'tokenizer.model': readBytes('test/fixtures/bpe/gemma.model').slice(0, 5000) })).toThrow(
      /tokenizer.model.*expected/,
    );
  });
});

describe('files beside it', () => {
  const openWith = (files: Record<string, unknown>, file: unknown = small()) =>
    readFolderTokenizer(
      {
        'tokenizer.json': json(file),
        ...Object.fromEntries(
          Object.entries(files).map(([n, v]) => [n, typeof v === 'string' ? new TextEncoder().encode(v) : json(v)]),
        ),
      },
      undefined,
    )!;
  const encode = (files: Record<string, unknown>, text: string, file?: unknown) =>
    copyTokenizer(openWith(files, file), unit).encode(text, { specialTokens: true });

  it('add tokens, make them special, and say what goes round a prompt', () => {
    const decoder = { 700: { content: '<new>', special: true } };
    expect(encode({ 'tokenizer_config.json': { added_tokens_decoder: decoder } }, '<new>')).toEqual([700]);
    expect(encode({ 'added_tokens.json': { '<new>': 701 } }, '<new>')).toEqual([701]);
    const flags = { add_bos_token: true, bos_token: { content: '<|bos|>' }, add_eos_token: true, eos_token: '<|end|>' };
    const ids = encode({ 'tokenizer_config.json': flags }, 'a');
    expect([ids[0], ids.at(-1), ids.length]).toEqual([0, encode({}, '<|end|>')[0], 3]);
    expect(
      encode({ 'tokenizer_config.json': { add_bos_token: false } }, 'a', fixture('llama3').files['tokenizer.json']),
    ).toHaveLength(1);
    const special = openWith({ 'tokenizer_config.json': { extra_special_tokens: ['<tool>'] } });
    const tokenizer = copyTokenizer(special, unit);
    expect(tokenizer.decode(tokenizer.encode('a<tool>', { specialTokens: true }))).toBe('a');
    expect(tokenizer.decode(tokenizer.encode('a<tool>'))).toBe('a<tool>');
  });

  it('are refused where they disagree', () => {
    expect(() => encode({ 'added_tokens.json': { '<tool>': 5 } }, '')).toThrow('expected "<tool>" to have id');
    expect(() => encode({ 'tokenizer_config.json': { add_bos_token: true, bos_token: '<no>' } }, '')).toThrow(
      'expected "bos_token" to be a token of tokenizer.json, as add_bos_token is true, got "<no>"',
    );
  });

  it('have the chat template: a file, a text, the default of a list', () => {
    const config = { bos_token: '<|bos|>', eos_token: { content: '<|end|>' } };
    const chat = (files: Record<string, unknown>) => openWith(files).chat;
    expect(chat({ 'tokenizer_config.json': config })).toBeUndefined();
    const names = { bos: '<|bos|>', eos: '<|end|>' };
    expect(chat({ 'tokenizer_config.json': { ...config, chat_template: 'x' } })).toEqual({ template: 'x', ...names });
    expect(chat({ 'chat_template.jinja': 'ü', 'tokenizer_config.json': { ...config, chat_template: 'x' } })).toEqual({
      template: 'ü',
      ...names,
    });
    const list = [
      { name: 'tool_use', template: 't' },
      { name: 'default', template: 'd' },
    ];
    expect(chat({ 'tokenizer_config.json': { chat_template: list } })).toEqual({ template: 'd' });
    expect(() => chat({ 'tokenizer_config.json': { chat_template: list.slice(0, 1) } })).toThrow(
      'expected "chat_template" to be a list with a template named "default", got ["tool_use"]',
    );
  });
});
