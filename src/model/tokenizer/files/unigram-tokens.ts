// The tokens that were added to a unigram tokenizer, as a reader gathers them: each has an id and a content of its own.
// Where they are written is the readers' business (unigram-folder.ts, gguf-tokenizer.ts). Source: transformers 5,
// models/t5/tokenization_t5.py (sentinels).
import type { AddedToken } from '../../../text/added-token.ts';
import { MAX_ADDED_TOKENS, rowOf } from '../added-tokens.ts';
import type { PackTokenizer } from '../pack-tokenizer.ts';
import { buildTokenizerData } from '../unigram/build-tokenizer.ts';
import { encodeTokenizerData } from '../unigram/tokenizer-data.ts';
import { type Piece, PieceType, type Vocabulary } from '../unigram/vocabulary.ts';

export const SENTINEL = /^<extra_id_\d+>$/;
export const DEFAULT_SENTINELS = 100;
/** A token's flags where nothing sets them. */
export const NO_FLAGS = { normalized: false, lstrip: false, rstrip: false, singleWord: false };

/** The tokens as they are gathered: one for each content and each id. */
export class UnigramTokens {
  private readonly byContent = new Map<string, AddedToken & { where: string }>();
  private readonly contentOf = new Map<number, string>();
  private readonly pieceIds: ReadonlyMap<string, number>;

  constructor(
    readonly vocabulary: Vocabulary,
    /** The tokenizer's own pieces; those past them are added. */
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

/** Control pieces, `</s>` among them, and `<unk>` are special tokens. */
export function addPieces(tokens: UnigramTokens): void {
  const { pieces, where } = tokens.vocabulary;
  pieces.forEach(({ piece, type }, id) => {
    const isControl = type === PieceType.CONTROL || type === PieceType.UNKNOWN;
    if (!isControl || tokens.get(piece)) return;
    tokens.add({ id, content: piece, special: true, ...NO_FLAGS }, where);
  });
}

/**
 * `<extra_id_0>` and so on, which a spiece.model has not got, follow its pieces in falling order; unless other files
 * number them.
 * @param said how many there are; where nothing says so there are 100, or none if there is no room for them
 */
export function addSentinels(tokens: UnigramTokens, said: number | undefined, where: string): void {
  const isThere = [...tokens.contents(), ...tokens.vocabulary.pieces.map(({ piece }) => piece.replace(/^\u2581/, ''))];
  if (isThere.some((content) => SENTINEL.test(content))) return;
  const count = said ?? DEFAULT_SENTINELS;
  const ids = Array.from({ length: count }, (_, i) => tokens.pieces + count - 1 - i);
  if (said === undefined && ids.some((id) => id >= tokens.last || tokens.at(id) !== undefined)) return;
  ids.forEach((id, i) => {
    tokens.add({ id, content: `<extra_id_${i}>`, special: true, ...NO_FLAGS }, where);
  });
}

/** What a pack holds of the tokenizer. @throws Error, RangeError naming what is wrong */
export function packUnigram(tokens: UnigramTokens): PackTokenizer {
  const { vocabulary, pieces } = tokens;
  const all = tokens.sorted();
  if (all.length > MAX_ADDED_TOKENS) {
    throw new RangeError(`tokenizer: expected at most ${MAX_ADDED_TOKENS} added tokens, got ${all.length}`);
  }
  const seen = { ...vocabulary, pieces: withoutAdded(vocabulary.pieces, pieces, all) };
  return { tables: encodeTokenizerData(buildTokenizerData(seen)), addedTokens: all.map(rowOf) };
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
