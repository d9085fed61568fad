/**
 * A BPE tokenizer of a model folder: `tokenizer.json` where there is one, else SentencePiece's `tokenizer.model`; what
 * `tokenizer_config.json` and the other files say of special tokens; and the chat template. Source: transformers 5,
 * tokenization_utils_tokenizers.py (_load, update_post_processor).
 */
import { encodeBpeData } from '../../../text/bpe/bpe-data.ts';
import { buildBpe } from '../../../text/bpe/build-bpe.ts';
import { mergesOfScores } from '../../../text/bpe/scores.ts';
import {
  type BpeToken,
  type BpeVocabulary,
  bytesOfPiece,
  bytesOfSymbol,
  TokenType,
  utf8,
} from '../../../text/bpe/vocabulary.ts';
import type { Fields } from '../../json/json.ts';
import type { PackTokenizer } from '../pack-tokenizer.ts';
import { addToken, readBpeJson } from './bpe-json.ts';
import { readChatSource } from './chat-files.ts';
import { readSentencePiece } from './spiece-model.ts';
import { contentOf, decoderTokens, readJsonFile, specialTokens, type TokenizerFiles } from './token-files.ts';

/** @throws Error, TypeError, RangeError naming the file, what was expected and what is there */
export function readBpeFolder(
  files: TokenizerFiles,
  rows: number | undefined,
  where: { json?: string | undefined; spiece: string },
): PackTokenizer {
  const config = readJsonFile(files, 'tokenizer_config.json');
  const json = readJsonFile(files, 'tokenizer.json', where.json);
  const vocabulary = json ? readBpeJson(json) : readModel(files, where.spiece, config);
  addSpecials(vocabulary, files, config);
  if (json) applyAround(vocabulary, config);
  if (rows !== undefined && vocabulary.tokens.length > rows) {
    throw new RangeError(
      `${vocabulary.where}: expected at most ${rows} tokens, as config.json's vocab_size and the embedding have rows, got ${vocabulary.tokens.length}`,
    );
  }
  const chat = readChatSource(files, config);
  return { tables: encodeBpeData(buildBpe(vocabulary)), ...(chat && { chat }) };
}

const PLAIN = { normalized: false, lstrip: false, rstrip: false, singleWord: false };

/** SentencePiece's own file. Models normalise nothing, and have a piece for each byte. */
function readModel(files: TokenizerFiles, where: string, config: Fields | undefined): BpeVocabulary {
  const model = readSentencePiece((files['tokenizer.model'] ?? files['spiece.model'])!, where);
  const expected: [what: string, isSo: boolean][] = [
    ['no map of characters (normalization_rule_name: identity)', model.precompiledCharsmap.length === 0],
    ['remove_extra_whitespaces: false', !model.removeExtraWhitespaces],
    ['escape_whitespaces: true', model.escapeWhitespaces],
    ['treat_whitespace_as_suffix: false', !model.treatWhitespaceAsSuffix],
    ['byte_fallback: true', model.byteFallback],
  ];
  for (const [what, isSo] of expected)
    if (!isSo) throw new Error(`${where}: expected ${what} of a BPE model (no other is built in), got another`);
  const tokens = model.pieces.map(({ piece, type }): BpeToken => {
    const isSpecial = type === TokenType.CONTROL || type === TokenType.UNKNOWN;
    return {
      text: piece,
      type: isSpecial ? TokenType.CONTROL : type,
      bytes: isSpecial ? utf8(piece) : bytesOfSymbol(piece, type),
    };
  });
  const scores = model.pieces.map(({ score }) => score);
  const added = tokens.flatMap(({ text, type }, id) => {
    if (type === TokenType.CONTROL) return [{ id, content: text, special: true, ...PLAIN }];
    return type === TokenType.USER_DEFINED ? [{ id, content: text, special: false, ...PLAIN, normalized: true }] : [];
  });
  const idOf = (name: string, fallback: string): number[] => {
    const id = tokens.findIndex(({ text }) => text === (contentOf(config, name) ?? fallback));
    return id < 0 ? [] : [id];
  };
  return {
    where,
    tokens,
    merges: mergesOfScores(tokens, scores, where),
    preTokenizer: 'sentencepiece',
    ignoreMerges: false,
    nfc: false,
    prefix: model.addDummyPrefix ? 'text' : 'never',
    stripSpace: model.addDummyPrefix,
    added,
    // as transformers' classes for such models have it
    before: config?.boolean('add_bos_token', true) === false ? [] : idOf('bos_token', '<s>'),
    behind: config?.boolean('add_eos_token', false) ? idOf('eos_token', model.eosPiece) : [],
  };
}

/** Tokens that files beside it number, and those that they call special. */
function addSpecials(vocabulary: BpeVocabulary, files: TokenizerFiles, config: Fields | undefined): void {
  const { tokens, added, preTokenizer } = vocabulary;
  const bytesOf = (text: string): Uint8Array =>
    preTokenizer === 'sentencepiece' ? bytesOfSymbol(text, TokenType.NORMAL) : (bytesOfPiece(text) ?? utf8(text));
  const known = new Set(added.map(({ id }) => id));
  const byContent = new Map(tokens.map(({ text }, id) => [text, id]));
  const add = (token: BpeVocabulary['added'][0], where: string): void => {
    if (known.has(token.id)) return;
    const other = byContent.get(token.content);
    if (other !== undefined && other !== token.id)
      throw new Error(`${where}: expected ${JSON.stringify(token.content)} to have id ${other}, got ${token.id}`);
    addToken(tokens, token, where, bytesOf);
    known.add(token.id);
    byContent.set(token.content, token.id);
    added.push(token);
  };
  for (const token of decoderTokens(config)) add(token, 'tokenizer_config.json');
  const more = readJsonFile(files, 'added_tokens.json');
  const specials = specialTokens(config, readJsonFile(files, 'special_tokens_map.json'));
  for (const content of more?.names() ?? []) {
    const special = specials.get(content)?.special ?? false;
    add({ id: more!.integer(content, 0, 2 ** 20 - 1), content, special, ...PLAIN, normalized: !special }, more!.where);
  }
  for (const [content, { special }] of specials) {
    // what no file numbers has no row of the embedding, and stands for nothing
    const id = byContent.get(content);
    if (id === undefined || !special) continue;
    const at = added.findIndex((token) => token.id === id);
    if (at < 0) added.push({ id, content, special: true, ...PLAIN });
    else added[at] = { ...added[at]!, special: true };
    tokens[id] = { ...tokens[id]!, type: TokenType.CONTROL };
  }
}

/** What goes round a prompt: the configuration's flags count before a template of tokenizer.json. */
function applyAround(vocabulary: BpeVocabulary, config: Fields | undefined): void {
  const hasFlags = config?.get('add_bos_token') !== undefined || config?.get('add_eos_token') !== undefined;
  if (!config || !hasFlags) return;
  const list = (flag: string, name: string): number[] => {
    if (!config.boolean(flag, false)) return [];
    const content = contentOf(config, name);
    // as transformers: without such a token, there is none to add
    if (content === undefined) return [];
    const id = vocabulary.tokens.findIndex(({ text }) => text === content);
    return id < 0 ? config.wrong(Error, name, `a token of ${vocabulary.where}, as ${flag} is true`, content) : [id];
  };
  vocabulary.before = list('add_bos_token', 'bos_token');
  vocabulary.behind = list('add_eos_token', 'eos_token');
}
