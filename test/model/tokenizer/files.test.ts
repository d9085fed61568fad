// The readers of spiece.model and tokenizer.json: what they refuse, and that whatever bytes come, they say so.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertTokenizer } from '../../../src/model/tokenizer/files/convert.ts';
import { readSpieceModel } from '../../../src/model/tokenizer/files/spiece-model.ts';
import { readTokenizerJson } from '../../../src/model/tokenizer/files/tokenizer-json.ts';
import { buildTokenizerData } from '../../../src/model/tokenizer/unigram/build-tokenizer.ts';
import { type Piece, PieceType, type Vocabulary } from '../../../src/model/tokenizer/unigram/vocabulary.ts';
import { fixturePath, NFKC, openTokenizer, readBytes, readJson } from './fixtures.ts';

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('spiece.model', () => {
  it('is read with its flags', () => {
    expect(readSpieceModel(readBytes(NFKC))).toMatchObject({
      addDummyPrefix: true,
      byteFallback: false,
      unkSurface: ' \u2047 ',
      eosPiece: '</s>',
    });
    expect(readSpieceModel(readBytes(fixturePath('bytes.model'))).byteFallback).toBe(true);
    expect(readSpieceModel(readBytes(fixturePath('suffix.model'))).treatWhitespaceAsSuffix).toBe(true);
    expect(readSpieceModel(readBytes(fixturePath('keep.model')))).toMatchObject({
      addDummyPrefix: false,
      removeExtraWhitespaces: false,
    });
    expect(readSpieceModel(readBytes(fixturePath('plain-spaces.model'))).escapeWhitespaces).toBe(false);
  });

  it.each<[string, number[], string]>([
    ['nothing', [], 'expected a SentencePiece model, got 0 bytes without a piece'],
    [
      'a text',
      [...'# Read me'].map((c) => c.charCodeAt(0)),
      'x.model, byte 1, field 4: expected wire type 0, 1, 2 or 5, got 3',
    ],
    [
      'a piece longer than the file',
      [0x0a, 0xff, 0xff, 0xff, 0x7f, 1],
      'field 1: expected 268435455 more bytes, got 1; the file is cut short',
    ],
    [
      'a varint without end',
      [0x0a, ...Array(12).fill(0xff)],
      'expected a varint of at most 10 bytes, got a longer one',
    ],
    [
      'a piece of broken UTF-8',
      [0x0a, 3, 0x0a, 1, 0xff],
      'x.model: piece 0, byte 3, field 1: expected UTF-8, got 1 bytes that are not',
    ],
    ['a score that is a text', [0x0a, 3, 0x12, 1, 0x41], 'piece 0, byte 1, field 2: expected wire type 5, got 2'],
    ['field 0', [0x00, 0x00], 'expected a field number, got 0'],
    ['BPE', [0x0a, 3, 0x0a, 1, 0x41, 0x12, 2, 0x18, 2], 'expected a UNIGRAM model (model_type 1), got 2 (BPE)'],
    ['a denormaliser', [0x2a, 3, 0x12, 1, 0x41], 'expected no denormalizer_spec (not built in), got one with a map'],
  ])('is refused where it is %s', (_, bytes, message) => {
    expect(() => readSpieceModel(Uint8Array.from(bytes), 'x.model')).toThrow(message);
  });

  it('with anything changed or cut off gives a tokenizer or an error of ours', () => {
    const whole = readBytes(fixturePath('bytes.model'));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(whole.length),
        (changes, length) => {
          const bytes = whole.slice(0, changes.length === 0 ? length : whole.length);
          for (const [at, value] of changes) bytes[at] = value;
          try {
            convertTokenizer(bytes, 'x.model');
          } catch (error) {
            expect((error as Error).message).toMatch(/^(x\.model|double array).*: expected .*, got /s);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a vocabulary', () => {
  const base: Piece[] = [
    { piece: '</s>', score: 0, type: PieceType.CONTROL },
    { piece: '<unk>', score: 0, type: PieceType.UNKNOWN },
    { piece: 'a', score: -1, type: PieceType.NORMAL },
  ];
  const build = (pieces: Piece[], more: Partial<Vocabulary> = {}) =>
    buildTokenizerData({ ...readSpieceModel(readBytes(fixturePath('dummy.model'))), where: 'v', pieces, ...more });
  const piece = (text: string, type: PieceType = PieceType.NORMAL, score = -1): Piece => ({ piece: text, score, type });

  it('may have a reserved piece with the text of an ordinary one', () => {
    expect(build([...base, piece('a', PieceType.CONTROL)]).vocabularySize).toBe(4);
  });

  it.each<[string, Piece[], Partial<Vocabulary>, string]>([
    ['a piece twice', [...base, piece('a')], {}, 'v: piece 3: expected a piece of its own, got "a", which 2 is'],
    ['an empty piece', [...base, piece('')], {}, 'v: piece 3: expected 1 to 7999 bytes, got 0'],
    ['a piece too long', [...base, piece('x'.repeat(8000))], {}, 'v: piece 3: expected 1 to 7999 bytes, got 8000'],
    ['NUL', [...base, piece('b\0')], {}, 'v: piece 3: expected no NUL in it, got "b\\u0000"'],
    ['no score', [...base, piece('b', 1, Number.NaN)], {}, 'v: piece 3: expected a finite score, got NaN'],
    ['an unknown type', [...base, piece('b', 9 as PieceType)], {}, 'v: piece 3: expected a type from 1 to 6, got 9'],
    [
      'two unknowns',
      [...base, piece('b', PieceType.UNKNOWN)],
      {},
      'v: piece 3: expected one unknown piece, got a second',
    ],
    ['no unknown', [base[0]!, base[2]!], {}, 'v: expected one unknown piece, got none'],
    ['nothing normal', base.slice(0, 2), {}, 'v: expected a normal piece, got none'],
    ['no end', base.slice(1), {}, 'v: expected a control piece "</s>" to end texts with, got none'],
    [
      'bytes without fallback',
      [...base, piece('<0x41>', PieceType.BYTE)],
      {},
      'v: piece 3: expected no byte pieces where byte_fallback is false',
    ],
    [
      'a byte that is none',
      [...base, piece('<0x4>', PieceType.BYTE)],
      { byteFallback: true },
      'v: piece 3: expected a byte written <0x00> to <0xFF>, got "<0x4>"',
    ],
    [
      'fallback without bytes',
      base,
      { byteFallback: true },
      'v: expected 256 byte pieces, as byte_fallback is true, got 0',
    ],
    [
      'a broken map',
      base,
      { precompiledCharsmap: Uint8Array.of(1, 2, 3) },
      'v: precompiled_charsmap: expected at least 8 bytes, got 3',
    ],
    [
      'a map longer than it is',
      base,
      { precompiledCharsmap: Uint8Array.of(0, 4, 0, 0, 0, 0, 0, 0) },
      'expected a trie of a multiple of 4 bytes, below 4, got 1024',
    ],
    [
      'a map without end',
      base,
      { precompiledCharsmap: Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 65) },
      'expected its texts to end with a zero byte, got 65',
    ],
  ])('is refused for %s', (_, pieces, more, message) => {
    expect(() => build(pieces, more)).toThrow(message);
  });
});

describe('tokenizer.json', () => {
  const SMALL = {
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always' },
    added_tokens: [
      { id: 0, content: '</s>', special: true },
      { id: 1, content: '<unk>', special: true },
      { id: 5, content: '<extra>', special: true },
      { id: 6, content: '[u]', special: false },
    ],
    model: {
      type: 'Unigram',
      unk_id: 1,
      vocab: [
        ['</s>', 0],
        ['<unk>', 0],
        ['\u2581', -2],
        ['a', -1],
        ['\u2581b', -3],
      ],
    },
  };
  const read = (change: object) => readTokenizerJson(json({ ...SMALL, ...change }));

  it('gives pieces their types from the added tokens', () => {
    expect(read({}).pieces.map(({ type }) => type)).toEqual([3, 2, 1, 1, 1, 3, 4]);
    expect(read({})).toMatchObject({ addDummyPrefix: true, byteFallback: false });
    expect(read({ pre_tokenizer: { type: 'Metaspace', add_prefix_space: false } }).addDummyPrefix).toBe(false);
    const sequence = { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Metaspace' }] };
    expect(read({ pre_tokenizer: sequence }).addDummyPrefix).toBe(true);
  });

  it('may have the parts that T5 has', () => {
    const replace = { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '\u2581' };
    const strip = { type: 'Strip', strip_left: false, strip_right: true };
    const end = { type: 'TemplateProcessing', single: [{ Sequence: { id: 'A' } }, { SpecialToken: { id: '</s>' } }] };
    const vocabulary = read({
      normalizer: { type: 'Sequence', normalizers: [strip, replace] },
      post_processor: { ...end, special_tokens: { '</s>': { id: '</s>', ids: [0], tokens: ['</s>'] } } },
      decoder: { type: 'Metaspace', replacement: '\u2581', add_prefix_space: true },
    });
    expect(vocabulary.addDummyPrefix).toBe(true);
  });

  it('has byte pieces where the model falls back on them', () => {
    const { pieces } = readSpieceModel(readBytes(fixturePath('bytes.model')));
    const file = json({
      ...SMALL,
      added_tokens: [
        { id: 0, content: '<pad>', special: true },
        { id: 1, content: '</s>', special: true },
      ],
      model: { unk_id: 2, byte_fallback: true, vocab: pieces.map(({ piece, score }) => [piece, score]) },
    });
    const vocabulary = readTokenizerJson(file);
    expect(vocabulary.pieces).toEqual(pieces);
    expect(vocabulary.byteFallback).toBe(true);
  });

  it.each<[string, object, string]>([
    [
      'WordPiece',
      { model: { type: 'WordPiece' } },
      'tokenizer.json: model: expected "type" to be "Unigram" or "BPE", got "WordPiece"',
    ],
    ['no vocabulary', { model: {} }, 'model: expected "vocab" to be a list of [piece, score], got nothing'],
    [
      'a piece without score',
      { model: { unk_id: 0, vocab: [['a']] } },
      'expected vocab[0] to be [piece, score], got ["a"]',
    ],
    ['no unknown', { model: { vocab: [['a', 0]] } }, 'expected "unk_id" to be an integer from 0 to 0, got nothing'],
    [
      'an added token elsewhere',
      { added_tokens: [{ id: 3, content: 'b' }] },
      'added_tokens[0]: expected "content" to be the piece of id 3, got "b"',
    ],
    [
      'a gap in the ids',
      { added_tokens: [{ id: 9, content: 'b' }] },
      'expected "content" to be the piece of id 9, got "b"',
    ],
    [
      'no Metaspace',
      { pre_tokenizer: { type: 'ByteLevel' } },
      'expected "pre_tokenizer" to be a Metaspace, got {"type":"ByteLevel"}',
    ],
    [
      'another normaliser',
      { normalizer: { type: 'Lowercase' } },
      'normalizer: expected "type" to be Precompiled or Replace or Strip, got "Lowercase"',
    ],
    [
      'a replacement of words',
      { normalizer: { type: 'Replace', pattern: { String: 'hello' }, content: 'bye' } },
      'normalizer: expected "pattern" to be a replacement of spaces as of T5 (no other is built in), got {"pattern":{"String":"hello"}',
    ],
    [
      'a replacement of spaces by something else',
      { normalizer: { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '' } },
      'expected "pattern" to be a replacement of spaces',
    ],
    [
      'a map behind another step',
      {
        normalizer: {
          type: 'Sequence',
          normalizers: [{ type: 'Strip' }, { type: 'Precompiled', precompiled_charsmap: '' }],
        },
      },
      'expected "type" to be the first step, if there is one, got "Precompiled"',
    ],
    [
      'another space symbol',
      { pre_tokenizer: { type: 'Metaspace', replacement: '_' } },
      'pre_tokenizer: expected "replacement" to be "\u2581" (no other is built in), got "_"',
    ],
    [
      'a prefix for the first word alone',
      { pre_tokenizer: { type: 'Metaspace', prepend_scheme: 'first' } },
      'expected "prepend_scheme" to be "always" or "never" (no other is built in), got "first"',
    ],
    [
      'another pre-tokenizer beside it',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Metaspace' }, { type: 'Digits' }] } },
      'expected "type" to be Metaspace or WhitespaceSplit, got "Digits"',
    ],
    [
      'a post-processor without an end',
      { post_processor: { type: 'TemplateProcessing', single: [{ Sequence: { id: 'A', type_id: 0 } }] } },
      'post_processor: expected "single" to be a text and then </s> (no other is built in), got [{"Sequence"',
    ],
    [
      'a post-processor with a beginning',
      {
        post_processor: {
          type: 'TemplateProcessing',
          single: [{ SpecialToken: { id: '</s>' } }, { Sequence: { id: 'A' } }, { SpecialToken: { id: '</s>' } }],
        },
      },
      'expected "single" to be a text and then </s>',
    ],
    [
      'an end with another id',
      {
        post_processor: {
          type: 'TemplateProcessing',
          single: [{ Sequence: { id: 'A' } }, { SpecialToken: { id: '</s>' } }],
          special_tokens: { '</s>': { id: '</s>', ids: [7], tokens: ['</s>'] } },
        },
      },
      'expected "special_tokens" to be </s> with id 0, got {"id":"</s>","ids":[7]',
    ],
    [
      'another post-processor',
      { post_processor: { type: 'BertProcessing' } },
      'post_processor: expected "type" to be "TemplateProcessing", got "BertProcessing"',
    ],
    ['another decoder', { decoder: { type: 'WordPiece' } }, 'decoder: expected "type" to be Metaspace or Replace or'],
    [
      'a decoder of another space symbol',
      { decoder: { type: 'Metaspace', replacement: '_' } },
      'decoder: expected "replacement" to be "\u2581"',
    ],
    [
      'no base64',
      { normalizer: { type: 'Precompiled', precompiled_charsmap: '***' } },
      'expected "precompiled_charsmap" to be base64, got "***"',
    ],
  ])('is refused for %s', (_, change, message) => {
    expect(() => read(change)).toThrow(message);
  });

  it('is told from spiece.model by its first byte', () => {
    expect(() => convertTokenizer(json({}), 'x.json')).toThrow('x.json: model: expected a JSON object, got nothing');
    expect(openTokenizer(NFKC).vocabularySize).toBe(384);
    expect(readJson(fixturePath('bytes.json')).made_with).toBe('sentencepiece 0.2.3');
  });
});
