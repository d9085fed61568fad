/**
 * Reads `tokenizer.json`, the file of Hugging Face's fast tokenizers, where it holds a BPE model: byte-level as GPT-2's
 * and its kin, or SentencePiece's with byte fallback. What its parts say is compared with what the models that are
 * built in say; anything else is refused by name. Source: tokenizers, models/bpe, pre_tokenizers, normalizers,
 * processors/template.rs; transformers, tokenization_utils_tokenizers.py.
 */
import type { AddedToken } from '../../../text/added-token.ts';
import { PRE_TOKENIZER_NAMES, PRE_TOKENIZERS } from '../../../text/bpe/pre-tokenizers.ts';
import { pairOf } from '../../../text/bpe/read-gguf.ts';
import {
  type BpeToken,
  type BpeVocabulary,
  bytesOfPiece,
  bytesOfSymbol,
  NOT_A_TOKEN,
  type Prefix,
  TokenType,
  utf8,
} from '../../../text/bpe/vocabulary.ts';
import type { Fields } from '../../json/json.ts';
import { byteOf } from '../unigram/build-tokenizer.ts';
import { SPACE_SYMBOL } from '../unigram/vocabulary.ts';
import { aroundOf, checkMetaspace, fieldsOf, readAddedTokens, stepsOf } from './tokenizer-json.ts';

const MAX_ID = 2 ** 20;

/** What of a vocabulary the normaliser, the pre-tokenizer and the decoder say. */
type Form = Pick<BpeVocabulary, 'preTokenizer' | 'nfc' | 'prefix' | 'stripSpace'>;

/** @throws Error, TypeError, RangeError naming what is broken or not of a kind that is built in */
export function readBpeJson(file: Fields): BpeVocabulary {
  const { where } = file;
  const model = fieldsOf(file, 'model');
  for (const name of ['continuing_subword_prefix', 'end_of_word_suffix', 'dropout'])
    if (model.get(name)) model.wrong(Error, name, 'absent (not built in)', model.get(name));
  const isByteFallback = model.boolean('byte_fallback', false);
  const form = isByteFallback ? sentencePieceForm(file) : byteLevelForm(file);
  const bytesOf = isByteFallback
    ? (text: string, type: number) => bytesOfSymbol(text, type)
    : (text: string) => bytesOfPiece(text) ?? utf8(text);
  const tokens = readVocab(model, (text) => {
    const type = isByteFallback && byteOf(text) >= 0 ? TokenType.BYTE : TokenType.NORMAL;
    return { text, type, bytes: bytesOf(text, type) };
  });
  const added = readAddedTokens(file);
  for (const token of added) addToken(tokens, token, where, (text) => bytesOf(text, TokenType.NORMAL));
  const contents = new Map(added.map(({ content, id }) => [content, id]));
  return {
    where,
    tokens,
    merges: readMerges(model),
    ignoreMerges: model.boolean('ignore_merges', false),
    ...form,
    added,
    ...aroundOf(file, (content) => contents.get(content)),
  };
}

function readVocab(model: Fields, tokenOf: (text: string) => BpeToken): BpeToken[] {
  const vocab = fieldsOf(model, 'vocab');
  const tokens: BpeToken[] = [];
  for (const text of vocab.names()) {
    const id = vocab.integer(text, 0, MAX_ID - 1);
    if (tokens[id] !== undefined)
      vocab.wrong(Error, text, `an id of its own, not that of ${JSON.stringify(tokens[id].text)}`, id);
    if (text === '') vocab.wrong(Error, text, 'a text', text);
    tokens[id] = tokenOf(text);
  }
  return fillGaps(tokens);
}

const fillGaps = (tokens: BpeToken[]): BpeToken[] => Array.from(tokens, (token) => token ?? NOT_A_TOKEN);

/** A token that is a piece besides stays one; special ones are not shown. */
export function addToken(
  tokens: BpeToken[],
  { id, content, special }: AddedToken,
  where: string,
  bytesOf: (text: string) => Uint8Array,
): void {
  if (id >= MAX_ID) throw new RangeError(`${where}: expected ids below ${MAX_ID}, got ${id}`);
  while (tokens.length <= id) tokens.push(NOT_A_TOKEN);
  const known = tokens[id]!;
  if (known !== NOT_A_TOKEN && known.text !== content) {
    const got = JSON.stringify(content);
    throw new Error(`${where}: expected the added token ${id} to be ${JSON.stringify(known.text)}, got ${got}`);
  }
  const piece =
    known === NOT_A_TOKEN ? { text: content, bytes: bytesOf(content), type: TokenType.USER_DEFINED } : known;
  tokens[id] = special ? { ...piece, type: TokenType.CONTROL } : piece;
}

function readMerges(model: Fields): [string, string][] {
  const merges = model.get('merges');
  if (!Array.isArray(merges)) return model.wrong(TypeError, 'merges', 'a list of pairs', merges);
  return merges.map((merge: unknown, rank): [string, string] => {
    if (typeof merge === 'string') return pairOf(merge, rank, model.where);
    const [left, right] = Array.isArray(merge) && merge.length === 2 ? merge : [];
    if (typeof left === 'string' && typeof right === 'string') return [left, right];
    return model.wrong(TypeError, `merges[${rank}]`, 'a pair of pieces', merge);
  });
}

const sameAs = (step: Fields, fields: Record<string, unknown>): boolean =>
  Object.entries(fields).every(([name, value]) => JSON.stringify(step.get(name)) === JSON.stringify(value));

function byteLevelForm(file: Fields): Form {
  const normalizers = stepsOf(file, 'normalizer', 'normalizers');
  for (const step of normalizers)
    if (step.get('type') !== 'NFC') step.wrong(Error, 'type', '"NFC" (no other is built in)', step.get('type'));
  const decoders = stepsOf(file, 'decoder', 'decoders');
  for (const step of decoders)
    if (step.get('type') !== 'ByteLevel') step.wrong(Error, 'type', '"ByteLevel"', step.get('type'));
  if (decoders.length === 0) file.wrong(Error, 'decoder', 'a ByteLevel', undefined);
  return { preTokenizer: readPreTokenizer(file), nfc: normalizers.length > 0, prefix: 'never', stripSpace: false };
}

function readPreTokenizer(file: Fields): BpeVocabulary['preTokenizer'] {
  const steps = stepsOf(file, 'pre_tokenizer', 'pretokenizers');
  const last = steps.at(-1);
  if (last === undefined || last.get('type') !== 'ByteLevel')
    return file.wrong(Error, 'pre_tokenizer', 'one that ends with ByteLevel', file.get('pre_tokenizer'));
  if (last.boolean('add_prefix_space', true))
    last.wrong(Error, 'add_prefix_space', 'false (true is not built in)', true);
  const before = steps.slice(0, -1);
  const usesRegex = last.boolean('use_regex', true);
  const found = PRE_TOKENIZER_NAMES.find((name) => {
    const { pattern, digits } = PRE_TOKENIZERS[name];
    const isGpt2 = pattern === PRE_TOKENIZERS.gpt2.pattern;
    if (usesRegex !== isGpt2) return false;
    const wanted: Record<string, unknown>[] = [];
    if (digits) wanted.push({ type: 'Digits', individual_digits: true });
    if (!isGpt2) wanted.push({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false });
    return before.length === wanted.length && before.every((step, i) => sameAs(step, wanted[i]!));
  });
  if (found) return found;
  return file.wrong(
    Error,
    'pre_tokenizer',
    `that of ${PRE_TOKENIZER_NAMES.join(', ')} (no other is built in)`,
    [...before, last].map((step) => step.get('pattern') ?? step.get('type')),
  );
}

const REPLACE = { type: 'Replace', pattern: { String: ' ' }, content: SPACE_SYMBOL };

function sentencePieceForm(file: Fields): Form {
  return { preTokenizer: 'sentencepiece', nfc: false, prefix: readPrefix(file), stripSpace: readStrip(file) };
}

function readPrefix(file: Fields): Prefix {
  const normalizers = stepsOf(file, 'normalizer', 'normalizers');
  const steps = stepsOf(file, 'pre_tokenizer', 'pretokenizers');
  const [first, second] = normalizers;
  // there is no space left for such a step to part at
  const isIdle = steps.every((step) =>
    sameAs(step, { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false }),
  );
  if (normalizers.length === 1 && sameAs(first!, REPLACE) && isIdle) return 'never';
  const prepend = { type: 'Prepend', prepend: SPACE_SYMBOL };
  if (normalizers.length === 2 && sameAs(first!, prepend) && sameAs(second!, REPLACE) && isIdle) return 'parts';
  const [metaspace] = steps;
  if (normalizers.length === 0 && steps.length === 1 && metaspace!.get('type') === 'Metaspace')
    return metaspacePrefix(metaspace!);
  return file.wrong(
    Error,
    'normalizer',
    `spaces made ${SPACE_SYMBOL} as Llama 2, Gemma or a Metaspace do it (no other is built in)`,
    [...normalizers, ...steps].map((step) => step.get('type')),
  );
}

function metaspacePrefix(step: Fields): Prefix {
  checkMetaspace(step);
  if (step.boolean('split', true)) step.wrong(Error, 'split', 'false (true is not built in)', true);
  const scheme = step.string('prepend_scheme', step.boolean('add_prefix_space', true) ? 'always' : 'never');
  if (scheme === 'never') return 'never';
  if (scheme === 'first') return 'text unless';
  if (scheme === 'always') return 'parts unless';
  return step.wrong(Error, 'prepend_scheme', '"first", "always" or "never"', scheme);
}

/** Pieces to text: symbols are spaces, bytes are bytes, and the first space may go. */
function readStrip(file: Fields): boolean {
  const steps = stepsOf(file, 'decoder', 'decoders');
  const [replace, bytes, fuse, strip] = steps;
  const wanted = [
    { type: 'Replace', pattern: { String: SPACE_SYMBOL }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ];
  const isKnown = steps.length >= 3 && steps.length <= 4 && steps.every((step, i) => sameAs(step, wanted[i]!));
  if (isKnown && replace && bytes && fuse) return strip !== undefined;
  return file.wrong(
    Error,
    'decoder',
    'Replace, ByteFallback, Fuse and perhaps Strip, as of Llama 2 (no other is built in)',
    steps.map((step) => step.get('type')),
  );
}
