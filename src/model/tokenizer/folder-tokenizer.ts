// The tokenizer of a model folder: its pieces, and the tokens that were added to it, wherever its files have them. What they say twice has to be
// the same; what cannot be honoured is refused by name. Source: transformers 5, tokenization_utils_base.py (_from_pretrained),
// models/t5/tokenization_t5.py; where a file gives an id, that id counts, which training was done with.

import type { AddedToken } from '../../text/added-token.ts';
import { Fields, parseJson } from '../json/json.ts';
import { MAX_ADDED_TOKENS, rowOf } from './added-tokens.ts';
import { buildTokenizerData } from './build-tokenizer.ts';
import type { PackTokenizer } from './pack-tokenizer.ts';
import { readSpieceModel } from './spiece-model.ts';
import { encodeTokenizerData } from './tokenizer-data.ts';
import { readAddedTokens, readTokenizerJson } from './tokenizer-json.ts';
import { type Piece, PieceType, type Vocabulary } from './vocabulary.ts';

/** Every file that a folder may have of a tokenizer. */
export const TOKENIZER_FILES = [
  'spiece.model',
  'tokenizer.json',
  'tokenizer_config.json',
  'added_tokens.json',
  'special_tokens_map.json',
] as const;
export type TokenizerFiles = Partial<Record<(typeof TOKENIZER_FILES)[number], Uint8Array>>;

/** transformers' names of single special tokens, in its order. */
const NAMED = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];
/** Its lists of others; those of `special_tokens_map.json` under the first name do not make tokens special in version 5. */
const LISTS = ['additional_special_tokens', 'extra_special_tokens'] as const;
const SENTINEL = /^<extra_id_\d+>$/;
const DEFAULT_SENTINELS = 100;

/**
 * Reads a folder's tokenizer; undefined where it has neither `spiece.model` nor `tokenizer.json`.
 * @param rows of the embedding, V: no token may have an id past them; undefined where there is no model
 * @param where what the two files are called in errors
 * @throws Error, TypeError, RangeError naming the file, what was expected and what is there
 */
export function readFolderTokenizer(
  files: TokenizerFiles,
  rows: number | undefined,
  { spiece: spieceWhere = 'spiece.model', json: jsonWhere = 'tokenizer.json' } = {},
): PackTokenizer | undefined {
  const { 'spiece.model': spiece, 'tokenizer.json': json } = files;
  if (!spiece && !json) return undefined;
  const fast = json && readTokenizerJson(json, jsonWhere);
  const vocabulary = spiece ? readSpieceModel(spiece, spieceWhere) : fast!;
  if (spiece && fast) compare(vocabulary, fast);
  const pieces = spiece ? vocabulary.pieces.length : readVocabularySize(json!);
  if (rows !== undefined && vocabulary.pieces.length > rows) {
    throw new RangeError(
      `${vocabulary.where}: expected at most ${rows} pieces, as config.json's vocab_size and the embedding have rows, got ${vocabulary.pieces.length}`,
    );
  }
  const tokens = new Tokens(vocabulary, pieces, rows);
  if (json) for (const token of readAddedTokens(json)) tokens.add(token, 'tokenizer.json');
  const config = read(files, 'tokenizer_config.json');
  addDecoder(tokens, config);
  const special = specialTokens(config, read(files, 'special_tokens_map.json'));
  addJson(tokens, read(files, 'added_tokens.json'), special);
  addPieces(tokens);
  if (spiece) addSentinels(tokens, config);
  addUnnumbered(tokens, special);
  const all = tokens.sorted();
  if (all.length > MAX_ADDED_TOKENS) {
    throw new RangeError(`tokenizer: expected at most ${MAX_ADDED_TOKENS} added tokens, got ${all.length}`);
  }
  vocabulary.pieces = withoutAdded(vocabulary.pieces, pieces, all);
  return { tables: encodeTokenizerData(buildTokenizerData(vocabulary)), addedTokens: all.map(rowOf) };
}

/** The tokens as they are gathered: one for each content and each id. */
class Tokens {
  private readonly byContent = new Map<string, AddedToken & { where: string }>();
  private readonly contentOf = new Map<number, string>();
  private readonly pieceIds: ReadonlyMap<string, number>;

  constructor(
    readonly vocabulary: Vocabulary,
    readonly pieces: number,
    private readonly rows: number | undefined,
  ) {
    this.pieceIds = new Map(vocabulary.pieces.slice(0, pieces).map(({ piece }, id) => [piece, id]));
  }

  get(content: string): AddedToken | undefined {
    return this.byContent.get(content);
  }

  at(id: number): string | undefined {
    return this.contentOf.get(id) ?? (id < this.pieces ? this.vocabulary.pieces[id]!.piece : undefined);
  }

  /** Of two files that give a token the same id, the first one's flags count. */
  add(token: AddedToken, where: string): void {
    const { id, content } = token;
    const name = JSON.stringify(content);
    const fail = (expected: string, got: string | number): never => {
      throw new Error(`${where}: expected ${name} to have ${expected}, got ${got}`);
    };
    const known = this.byContent.get(content);
    if (known && known.id !== id) fail(`id ${known.id}, as ${known.where} has it`, id);
    const piece = this.pieceIds.get(content);
    if (piece !== undefined && piece !== id) fail(`id ${piece}, as ${this.vocabulary.where} has it`, id);
    const other = this.at(id);
    if (other !== undefined && other !== content) fail('an id of its own', `${id}, which ${JSON.stringify(other)} has`);
    if (this.rows !== undefined && id >= this.rows) fail(`an id below ${this.rows}, the rows of the embedding`, id);
    if (known) return;
    this.byContent.set(content, { ...token, where });
    this.contentOf.set(id, content);
  }

  get nextId(): number {
    return Math.max(this.pieces - 1, ...this.contentOf.keys()) + 1;
  }

  get last(): number {
    return this.rows ?? Number.MAX_SAFE_INTEGER;
  }

  contents(): string[] {
    return [...this.byContent.keys()];
  }

  sorted(): AddedToken[] {
    return [...this.byContent.values()].sort((a, b) => a.id - b.id);
  }
}

function read(files: TokenizerFiles, name: keyof TokenizerFiles): Fields | undefined {
  const bytes = files[name];
  return bytes && new Fields(name, parseJson(name, bytes));
}

function readVocabularySize(json: Uint8Array): number {
  const { model } = parseJson('tokenizer.json', json) as { model: { vocab: unknown[] } };
  return model.vocab.length;
}

/** Two files of the same pieces have to say the same of each; `tokenizer.json` has the sentinels besides. */
function compare(spiece: Vocabulary, fast: Vocabulary): void {
  spiece.pieces.forEach(({ piece, score, type }, id) => {
    const other = fast.pieces[id];
    const isSame = other?.piece === piece && (type !== PieceType.NORMAL || Math.abs(other.score - score) < 1e-3);
    if (isSame) return;
    const got = other ? `${JSON.stringify(other.piece)} with ${other.score}` : 'nothing';
    const expected = `${JSON.stringify(piece)} with ${score}, as spiece.model has it`;
    throw new Error(`tokenizer.json: expected the piece of id ${id} to be ${expected}, got ${got}`);
  });
  const more = fast.pieces.findIndex(({ type }, id) => id >= spiece.pieces.length && type === PieceType.NORMAL);
  if (more >= 0) {
    const got = JSON.stringify(fast.pieces[more]!.piece);
    throw new Error(`tokenizer.json: expected no piece past the ${spiece.pieces.length} of spiece.model, got ${got}`);
  }
}

function readToken(where: string, value: unknown, id: number): AddedToken {
  const token = new Fields(where, value);
  const content = token.string('content');
  if (content === '') token.wrong(Error, 'content', 'a text', content);
  return {
    id,
    content,
    special: token.boolean('special', false),
    normalized: token.boolean('normalized', !token.boolean('special', false)),
    lstrip: token.boolean('lstrip', false),
    rstrip: token.boolean('rstrip', false),
    singleWord: token.boolean('single_word', false),
  };
}

function addDecoder(tokens: Tokens, config: Fields | undefined): void {
  const decoder = config?.get('added_tokens_decoder');
  if (config === undefined || decoder === undefined) return;
  const entries = new Fields(`${config.where}: added_tokens_decoder`, decoder);
  for (const key of entries.names()) {
    const id = Number(key);
    if (!/^\d+$/.test(key)) entries.wrong(Error, key, 'the id of a token', key);
    tokens.add(readToken(`${entries.where}: ${key}`, entries.get(key), id), 'tokenizer_config.json');
  }
}

function addJson(tokens: Tokens, added: Fields | undefined, special: ReadonlyMap<string, SpecialToken>): void {
  for (const content of added?.names() ?? []) {
    const id = added!.integer(content, 0, 2 ** 22);
    const isSpecial = special.get(content)?.special ?? false;
    const flags = { lstrip: false, rstrip: false, singleWord: false, ...(isSpecial && special.get(content)?.flags) };
    tokens.add({ id, content, special: isSpecial, normalized: !isSpecial, ...flags }, 'added_tokens.json');
  }
}

interface SpecialToken {
  flags: Partial<AddedToken>;
  where: string;
  /** In one of the lists of `tokenizer_config.json`, which transformers numbers where nothing else does. */
  numbered: boolean;
  /** Whether it is one: the map's first list only says that there are such tokens. */
  special: boolean;
}

/** What `tokenizer_config.json` and `special_tokens_map.json` call special. */
function specialTokens(config: Fields | undefined, map: Fields | undefined): Map<string, SpecialToken> {
  const found = new Map<string, SpecialToken>();
  const add = (file: Fields, place: string, value: unknown, numbered: boolean): void => {
    const isSpecial = file === config || place !== LISTS[0];
    const where = `${file.where}: ${place}`;
    if (typeof value === 'string') {
      if (value !== '' && !found.has(value)) found.set(value, { flags: {}, where, numbered, special: isSpecial });
      return;
    }
    const { content, special: _, id: __, ...flags } = readToken(where, value, 0);
    if (!found.has(content))
      found.set(content, { flags: { ...flags, normalized: false }, where, numbered, special: isSpecial });
  };
  for (const file of [config, map]) {
    if (file === undefined) continue;
    for (const name of NAMED) if (file.get(name) !== undefined) add(file, name, file.get(name), false);
    for (const name of LISTS) {
      const list = file.get(name) ?? [];
      const values = Array.isArray(list) ? list : Object.values(new Fields(`${file.where}: ${name}`, list) && list);
      for (const value of values) add(file, name, value, file === config);
    }
  }
  return found;
}

/** Control pieces, `</s>` among them, and `<unk>` are special tokens. */
function addPieces(tokens: Tokens): void {
  const { pieces, where } = tokens.vocabulary;
  pieces.forEach(({ piece, type }, id) => {
    const isControl = type === PieceType.CONTROL || type === PieceType.UNKNOWN;
    if (!isControl || tokens.get(piece)) return;
    const flags = { special: true, normalized: false, lstrip: false, rstrip: false, singleWord: false };
    tokens.add({ id, content: piece, ...flags }, where);
  });
}

/** `<extra_id_0>` and so on, which a spiece.model has not got, follow its pieces in falling order; unless other files number them. */
function addSentinels(tokens: Tokens, config: Fields | undefined): void {
  const isThere = [...tokens.contents(), ...tokens.vocabulary.pieces.map(({ piece }) => piece.replace(/^\u2581/, ''))];
  if (isThere.some((content) => SENTINEL.test(content))) return;
  const isSaid = config?.get('extra_ids') !== undefined;
  const count = config?.integer('extra_ids', 0, MAX_ADDED_TOKENS, DEFAULT_SENTINELS) ?? DEFAULT_SENTINELS;
  const ids = Array.from({ length: count }, (_, i) => tokens.pieces + count - 1 - i);
  // without a word of them, there are none where there is no room for them
  if (!isSaid && ids.some((id) => id >= tokens.last || tokens.at(id) !== undefined)) return;
  ids.forEach((id, i) => {
    const flags = { special: true, normalized: false, lstrip: false, rstrip: false, singleWord: false };
    tokens.add({ id, content: `<extra_id_${i}>`, ...flags }, 'tokenizer_config.json: extra_ids');
  });
}

/** Special tokens without an id follow all others, if the configuration lists them, as transformers does. */
function addUnnumbered(tokens: Tokens, special: ReadonlyMap<string, SpecialToken>): void {
  for (const [content, { flags, where, numbered }] of special) {
    if (tokens.get(content)) continue;
    const piece = tokens.vocabulary.pieces.findIndex((entry) => entry.piece === content);
    if (piece < 0 && !numbered) {
      throw new Error(
        `${where}: expected ${JSON.stringify(content)} to have an id, in added_tokens.json or another file of the tokenizer, got none`,
      );
    }
    const id = piece >= 0 ? piece : tokens.nextId;
    const plain = { special: true, normalized: false, lstrip: false, rstrip: false, singleWord: false };
    tokens.add({ ...plain, ...flags, id, content }, where);
  }
}

/** Pieces as SentencePiece is to see them: what is found as an added token is none of its user-defined symbols, and not found twice. */
function withoutAdded(all: Piece[], pieces: number, tokens: readonly AddedToken[]): Piece[] {
  const plain = new Set(tokens.filter(({ special }) => !special).map(({ id }) => id));
  return all.map((piece, id) => {
    if (!plain.has(id) || piece.type !== PieceType.USER_DEFINED) return piece;
    return { ...piece, type: id < pieces ? PieceType.NORMAL : PieceType.CONTROL };
  });
}
