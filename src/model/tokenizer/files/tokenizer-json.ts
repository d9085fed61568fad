// Reads `tokenizer.json`, the file of Hugging Face's fast tokenizers, where it holds a Unigram model as T5's does. Read
// as the SentencePiece model it was made from: SentencePiece's rules hold, not those of the fast tokenizer, which keeps
// some spaces. What its parts say is compared with what T5's say: anything else is refused by name. Source: tokenizers,
// models/unigram, normalizers, metaspace.

import type { AddedToken } from '../../../text/added-token.ts';
import { Fields, parseJson, show } from '../../json/json.ts';
import { byteOf } from '../unigram/build-tokenizer.ts';
import { DEFAULT_UNK_SURFACE, type Piece, PieceType, SPACE_SYMBOL, type Vocabulary } from '../unigram/vocabulary.ts';

/** @throws Error, TypeError, RangeError naming what is broken or not of a kind that is built in. */
export function readTokenizerJson(bytes: Uint8Array, where = 'tokenizer.json'): Vocabulary {
  const file = new Fields(where, parseJson(where, bytes));
  const model = new Fields(`${where}: model`, file.get('model'));
  if (model.string('type', 'Unigram') !== 'Unigram')
    model.wrong(Error, 'type', '"Unigram" or "BPE"', model.get('type'));
  const byteFallback = model.boolean('byte_fallback', false);
  const pieces = readPieces(model, byteFallback);
  applyAddedTokens(file, pieces);

  const steps = stepsOf(file, 'normalizer', 'normalizers');
  checkNormalizers(steps);
  const scheme = readPreTokenizer(file);
  checkPostProcessor(file, pieces);
  checkDecoder(file);
  return {
    where,
    pieces,
    precompiledCharsmap: readCharsmap(steps),
    addDummyPrefix: scheme !== 'never',
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
    treatWhitespaceAsSuffix: false,
    byteFallback,
    unkSurface: DEFAULT_UNK_SURFACE,
    eosPiece: '</s>',
  };
}

function readPieces(model: Fields, byteFallback: boolean): Piece[] {
  const vocab = model.get('vocab');
  if (!Array.isArray(vocab)) return model.wrong(TypeError, 'vocab', 'a list of [piece, score]', vocab);
  const unkId = model.integer('unk_id', 0, vocab.length - 1);
  return vocab.map((entry: unknown, id): Piece => {
    const [piece, score] = Array.isArray(entry) ? entry : [];
    if (typeof piece !== 'string' || typeof score !== 'number') {
      throw new TypeError(`${model.where}: expected vocab[${id}] to be [piece, score], got ${show(entry)}`);
    }
    const isByte = byteFallback && byteOf(piece) >= 0;
    const type = id === unkId ? PieceType.UNKNOWN : isByte ? PieceType.BYTE : PieceType.NORMAL;
    return { piece, score: Math.fround(score), type };
  });
}

/**
 * Special tokens are control pieces; other added tokens are user-defined symbols, which is what they were made from.
 */
function applyAddedTokens(file: Fields, pieces: Piece[]): void {
  const added = file.get('added_tokens') ?? [];
  if (!Array.isArray(added)) file.wrong(TypeError, 'added_tokens', 'a list', added);
  added.forEach((entry: unknown, i) => {
    const token = new Fields(`${file.where}: added_tokens[${i}]`, entry);
    const id = token.integer('id', 0, 2 ** 22);
    const content = token.string('content');
    const type = token.boolean('special', false) ? PieceType.CONTROL : PieceType.USER_DEFINED;
    const piece = pieces[id];
    if (piece === undefined && id === pieces.length) pieces.push({ piece: content, score: 0, type });
    else if (piece?.piece !== content) token.wrong(Error, 'content', `the piece of id ${id}`, content);
    else if (piece.type !== PieceType.UNKNOWN) piece.type = type;
  });
}

/** An object within another. @throws TypeError */
export const fieldsOf = (file: Fields, name: string): Fields => new Fields(`${file.where}: ${name}`, file.get(name));

/** A step, or the steps of a sequence of them. */
export function stepsOf(file: Fields, name: string, list: string): Fields[] {
  const value = file.get(name);
  if (value === undefined) return [];
  const step = new Fields(`${file.where}: ${name}`, value);
  if (step.get('type') !== 'Sequence') return [step];
  const steps = step.get(list);
  if (!Array.isArray(steps)) return step.wrong(TypeError, list, 'a list', steps);
  return steps.map((entry: unknown, i) => new Fields(`${step.where}[${i}]`, entry));
}

/**
 * Replacements that do what SentencePiece does with spaces: runs of them are one, those at the ends go, a space is a
 * symbol.
 */
const REPLACEMENTS = new Set(
  [
    [{ Regex: ' {2,}' }, '\u2581'],
    [{ Regex: ' {2,}' }, ' '],
    [{ Regex: '\\A +| +\\z' }, ''],
    [{ Regex: '\\A\u2581' }, '\u2581\u2581'],
    [{ String: ' ' }, '\u2581'],
  ].map((replacement) => JSON.stringify(replacement)),
);

function checkNormalizers(steps: Fields[]): void {
  const known = ['Precompiled', 'Replace', 'Strip'];
  steps.forEach((step, i) => {
    const type = step.string('type');
    if (!known.includes(type)) step.wrong(Error, 'type', known.join(' or '), type);
    if (type === 'Precompiled' && i > 0) step.wrong(Error, 'type', 'the first step, if there is one', type);
    if (type !== 'Replace') return;
    const { pattern, content } = { pattern: step.get('pattern'), content: step.get('content') };
    if (!REPLACEMENTS.has(JSON.stringify([pattern, content]))) {
      const expected = 'a replacement of spaces as of T5 (no other is built in)';
      step.wrong(Error, 'pattern', expected, { pattern, content });
    }
  });
}

/** Words at spaces, each with a space symbol before it. @returns `prepend_scheme` */
function readPreTokenizer(file: Fields): string {
  const steps = stepsOf(file, 'pre_tokenizer', 'pretokenizers');
  const metaspace = steps.find((step) => step.get('type') === 'Metaspace');
  if (metaspace === undefined) return file.wrong(Error, 'pre_tokenizer', 'a Metaspace', file.get('pre_tokenizer'));
  for (const step of steps) {
    const type = step.get('type');
    if (step !== metaspace && type !== 'WhitespaceSplit')
      step.wrong(Error, 'type', 'Metaspace or WhitespaceSplit', type);
  }
  checkMetaspace(metaspace);
  const scheme = metaspace.string('prepend_scheme', metaspace.boolean('add_prefix_space', true) ? 'always' : 'never');
  if (scheme !== 'always' && scheme !== 'never') {
    metaspace.wrong(Error, 'prepend_scheme', '"always" or "never" (no other is built in)', scheme);
  }
  return scheme;
}

export function checkMetaspace(step: Fields): void {
  for (const name of ['replacement', 'str_rep']) {
    const symbol = step.string(name, SPACE_SYMBOL);
    if (symbol !== SPACE_SYMBOL) step.wrong(Error, name, `"${SPACE_SYMBOL}" (no other is built in)`, symbol);
  }
}

/** A text, then `</s>`; without one, transformers' T5Tokenizer does the same. */
function checkPostProcessor(file: Fields, pieces: readonly Piece[]): void {
  const value = file.get('post_processor');
  if (value === undefined) return;
  const step = new Fields(`${file.where}: post_processor`, value);
  if (step.get('type') !== 'TemplateProcessing') step.wrong(Error, 'type', '"TemplateProcessing"', step.get('type'));
  const single = step.get('single');
  const shape = Array.isArray(single) ? single.map((part: unknown) => templatePart(step, part)) : [];
  if (shape.join() !== 'A,</s>') step.wrong(Error, 'single', 'a text and then </s> (no other is built in)', single);
  const tokens = step.get('special_tokens');
  if (tokens === undefined) return;
  const end = new Fields(`${step.where}: special_tokens`, tokens).get('</s>') as { ids?: unknown } | undefined;
  const id = pieces.findIndex(({ piece }) => piece === '</s>');
  if (JSON.stringify(end?.ids) !== JSON.stringify([id])) step.wrong(Error, 'special_tokens', `</s> with id ${id}`, end);
}

/** Each stands before or behind every prompt. */
const MAX_TEMPLATE_PARTS = 64;

/**
 * Ids that go before a text and behind it. @param idOf the id of a special token
 * @throws Error for what is no template of one text
 */
export function aroundOf(
  file: Fields,
  idOf: (content: string) => number | undefined,
): { before: number[]; behind: number[] } {
  const found = { before: [] as number[], behind: [] as number[] };
  for (const step of stepsOf(file, 'post_processor', 'processors')) {
    const type = step.get('type');
    // which spaces belong to a token's place in the text is no matter of ids
    if (type === 'ByteLevel') continue;
    if (type !== 'TemplateProcessing') step.wrong(Error, 'type', '"ByteLevel" or "TemplateProcessing"', type);
    const single = step.get('single');
    if (Array.isArray(single) && single.length > MAX_TEMPLATE_PARTS)
      step.wrong(RangeError, 'single', `a template of at most ${MAX_TEMPLATE_PARTS} parts`, single.length);
    const parts = Array.isArray(single) ? single.map((part: unknown) => templatePart(step, part)) : [];
    const at = parts.indexOf('A');
    const idAt = (content: string): number =>
      idOf(content) ?? step.wrong(Error, 'single', 'special tokens that are added tokens', content);
    if (at < 0 || parts.lastIndexOf('A') !== at) step.wrong(Error, 'single', 'a template of one text', single);
    found.before.unshift(...parts.slice(0, at).map(idAt));
    found.behind.push(...parts.slice(at + 1).map(idAt));
  }
  return found;
}

function templatePart(step: Fields, part: unknown): string {
  const fields = new Fields(`${step.where}: single`, part);
  const [name] = fields.names();
  const id = new Fields(`${step.where}: single`, fields.get(name ?? '')).get('id');
  return name === 'Sequence' || name === 'SpecialToken' ? String(id) : String(name);
}

/** What a decoder may be made of; those of SentencePiece models do what the pieces' own decoding does. */
const DECODERS = ['Metaspace', 'Replace', 'ByteFallback', 'Fuse', 'Strip'];

function checkDecoder(file: Fields): void {
  for (const step of stepsOf(file, 'decoder', 'decoders')) {
    const type = step.string('type');
    if (!DECODERS.includes(type)) step.wrong(Error, 'type', DECODERS.join(' or '), type);
    if (type === 'Metaspace') checkMetaspace(step);
    if (type === 'Replace') {
      const replacement = [step.get('pattern'), step.get('content')];
      if (JSON.stringify(replacement) !== JSON.stringify([{ String: SPACE_SYMBOL }, ' '])) {
        step.wrong(Error, 'pattern', `"${SPACE_SYMBOL}", for a space`, replacement);
      }
    }
  }
}

/** The tokens that the file adds to its pieces, or takes from them. */
export function readAddedTokens(file: Fields): AddedToken[] {
  const added = file.get('added_tokens') ?? [];
  if (!Array.isArray(added)) return file.wrong(TypeError, 'added_tokens', 'a list', added);
  return added.map((entry: unknown, i) => {
    const token = new Fields(`${file.where}: added_tokens[${i}]`, entry);
    const special = token.boolean('special', false);
    return {
      id: token.integer('id', 0, 2 ** 22),
      content: token.string('content'),
      special,
      normalized: token.boolean('normalized', !special),
      lstrip: token.boolean('lstrip', false),
      rstrip: token.boolean('rstrip', false),
      singleWord: token.boolean('single_word', false),
    };
  });
}

function readCharsmap(steps: Fields[]): Uint8Array {
  const precompiled = steps.find((step) => step.get('type') === 'Precompiled');
  return precompiled === undefined ? new Uint8Array(0) : decodeBase64(precompiled);
}

function decodeBase64(step: Fields): Uint8Array {
  const text = step.string('precompiled_charsmap');
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return step.wrong(Error, 'precompiled_charsmap', 'base64', text);
  }
}
