// A unigram tokenizer of a model folder: its pieces, and the tokens that were added to it, wherever its files have
// them. What they say twice has to be the same; what cannot be honoured is refused by name. Source: transformers 5,
// tokenization_utils_base.py (_from_pretrained), models/t5/tokenization_t5.py; where a file gives an id, that id
// counts, which training was done with.

import type { AddedToken } from '../../../text/added-token.ts';
import { type Fields, parseJson } from '../../json/json.ts';
import { MAX_ADDED_TOKENS, rowOf } from '../added-tokens.ts';
import type { PackTokenizer } from '../pack-tokenizer.ts';
import { buildTokenizerData } from '../unigram/build-tokenizer.ts';
import { encodeTokenizerData } from '../unigram/tokenizer-data.ts';
import { type Piece, PieceType, type Vocabulary } from '../unigram/vocabulary.ts';
import { readSpieceModel } from './spiece-model.ts';
import { decoderTokens, readJsonFile, type SpecialToken, specialTokens, type TokenizerFiles } from './token-files.ts';
import { readAddedTokens, readTokenizerJson } from './tokenizer-json.ts';

const SENTINEL = /^<extra_id_\d+>$/;
const DEFAULT_SENTINELS = 100;

/**
 * Reads a folder's tokenizer; undefined where it has neither `spiece.model` nor `tokenizer.json`.
 * @param rows of the embedding, V: no token may have an id past them; undefined where there is no model
 * @param where what the two files are called in errors
 * @throws Error, TypeError, RangeError naming the file, what was expected and what is there
 */
export function readUnigramFolder(
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
  const fastFile = readJsonFile(files, 'tokenizer.json');
  for (const token of fastFile ? readAddedTokens(fastFile) : []) tokens.add(token, 'tokenizer.json');
  const config = readJsonFile(files, 'tokenizer_config.json');
  for (const token of decoderTokens(config)) tokens.add(token, 'tokenizer_config.json');
  const special = specialTokens(config, readJsonFile(files, 'special_tokens_map.json'));
  addJson(tokens, readJsonFile(files, 'added_tokens.json'), special);
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

function addJson(tokens: Tokens, added: Fields | undefined, special: ReadonlyMap<string, SpecialToken>): void {
  for (const content of added?.names() ?? []) {
    const id = added!.integer(content, 0, 2 ** 22);
    const isSpecial = special.get(content)?.special ?? false;
    const flags = { lstrip: false, rstrip: false, singleWord: false, ...(isSpecial && special.get(content)?.flags) };
    tokens.add({ id, content, special: isSpecial, normalized: !isSpecial, ...flags }, 'added_tokens.json');
  }
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

/**
 * `<extra_id_0>` and so on, which a spiece.model has not got, follow its pieces in falling order; unless other files
 * number them.
 */
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

/**
 * Pieces as SentencePiece is to see them: what is found as an added token is none of its user-defined symbols, and not
 * found twice.
 */
function withoutAdded(all: Piece[], pieces: number, tokens: readonly AddedToken[]): Piece[] {
  const plain = new Set(tokens.filter(({ special }) => !special).map(({ id }) => id));
  return all.map((piece, id) => {
    if (!plain.has(id) || piece.type !== PieceType.USER_DEFINED) return piece;
    return { ...piece, type: id < pieces ? PieceType.NORMAL : PieceType.CONTROL };
  });
}
