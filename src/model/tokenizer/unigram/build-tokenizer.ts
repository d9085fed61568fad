// Makes the tables a tokenizer works with out of what its file says: done once, when a model is converted.
// Source: SentencePiece, model_interface.cc (InitializePieces), unigram_model.cc (scores), normalizer.cc (charsmap).
import { joinBytes } from '../../../text/bytes.ts';
import { findCuts, markCertainPieces } from './certain-pieces.ts';
import { readCharsmap } from './charsmap.ts';
import { buildDoubleArray, type Key } from './double-array.ts';
import type { TokenizerData } from './tokenizer-data.ts';
import { type Piece, PieceType, SPACE_SYMBOL, type Vocabulary } from './vocabulary.ts';

const MAX_PIECES = 2 ** 21;
/** SentencePiece's limit on a piece's UTF-8. */
const MAX_PIECE_BYTES = 8000;
const UNK_PENALTY = 10;
/** The least positive normal float32: SentencePiece begins its search for the highest score there, not below zero. */
const FLT_MIN = 2 ** -126;

/** @throws Error, RangeError naming the piece that breaks one of SentencePiece's rules. */
export function buildTokenizerData(vocabulary: Vocabulary): TokenizerData {
  const { pieces, where } = vocabulary;
  if (pieces.length > MAX_PIECES) {
    throw new RangeError(`${where}: expected at most ${MAX_PIECES} pieces, got ${pieces.length}`);
  }
  const encoder = new TextEncoder();
  const utf8 = pieces.map(({ piece }) => encoder.encode(piece));
  checkPieces(vocabulary, utf8);

  const normalScores = pieces.filter(({ type }) => type === PieceType.NORMAL).map(({ score }) => score);
  const minScore = normalScores.reduce((a, b) => Math.min(a, b), 3.4028234663852886e38);
  const maxScore = normalScores.reduce((a, b) => Math.max(a, b), FLT_MIN);
  const scores = new Float32Array(pieces.length);
  const lengths = new Uint16Array(pieces.length);
  const pieceOffsets = new Int32Array(pieces.length + 1);
  const byteIds = new Int32Array(vocabulary.byteFallback ? 256 : 0);
  const keys: Key[] = [];
  const userKeys: Key[] = [];
  pieces.forEach(({ piece, score, type }, id) => {
    const bytes = utf8[id]!;
    pieceOffsets[id + 1] = pieceOffsets[id]! + bytes.length;
    // A user-defined symbol's length in bytes times the highest score, so that it is always taken.
    scores[id] = type === PieceType.USER_DEFINED ? Math.fround(bytes.length * maxScore) - 0.1 : score;
    // Normalised text has its spaces as symbols, or else no symbols: either is a plain space in what is searched.
    const searched = vocabulary.escapeWhitespaces ? encoder.encode(piece.replaceAll(SPACE_SYMBOL, ' ')) : bytes;
    lengths[id] = searched.length;
    if (type === PieceType.BYTE) byteIds[byteOf(piece)] = id;
    if (type === PieceType.USER_DEFINED) userKeys.push({ bytes, value: id, heat: 0 });
    if (type !== PieceType.NORMAL && type !== PieceType.USER_DEFINED) return;
    if (vocabulary.escapeWhitespaces && piece.includes(' ')) return; // a plain space: it can never match
    keys.push({ bytes: searched, value: id, heat: score });
  });

  const unkScore = Math.fround(minScore - UNK_PENALTY);
  const units = buildDoubleArray(keys);
  const searched = keys.map(({ bytes }) => bytes);
  markCertainPieces(units, searched, scores, unkScore);
  const charsmap = readCharsmap(vocabulary.precompiledCharsmap, where);
  return {
    vocabularySize: pieces.length,
    unkId: pieces.findIndex(({ type }) => type === PieceType.UNKNOWN),
    eosId: pieces.findIndex(({ piece, type }) => type === PieceType.CONTROL && piece === vocabulary.eosPiece),
    addDummyPrefix: vocabulary.addDummyPrefix,
    removeExtraWhitespaces: vocabulary.removeExtraWhitespaces,
    escapeWhitespaces: vocabulary.escapeWhitespaces,
    treatWhitespaceAsSuffix: vocabulary.treatWhitespaceAsSuffix,
    byteFallback: vocabulary.byteFallback,
    // A user-defined symbol is kept from normalisation wherever it stands: then no character is safe to pass over.
    plainAscii: charsmap.plainAscii && userKeys.length === 0,
    unkScore,
    units,
    userUnits: buildDoubleArray(userKeys),
    scores,
    cuts: findCuts(searched),
    lengths,
    pieceOffsets,
    pieceBytes: joinBytes(utf8),
    types: Uint8Array.from(pieces, ({ type }) => type),
    byteIds,
    charsmapUnits: charsmap.units,
    charsmapStrings: charsmap.strings,
    unkSurface: encoder.encode(vocabulary.unkSurface),
  };
}

/** SentencePiece's own checks of a model, and that no score is infinite or no number. */
function checkPieces({ pieces, where, eosPiece, byteFallback }: Vocabulary, utf8: Uint8Array[]): void {
  const fail = (id: number, expected: string, got: string): never => {
    throw new Error(`${where}: piece ${id}: expected ${expected}, got ${got}`);
  };
  // Reserved pieces (control, unknown, byte) may have the text of an ordinary one, as they never match in a text.
  const seen = { ordinary: new Map<string, number>(), reserved: new Map<string, number>() };
  const bytes = new Set<number>();
  let unknowns = 0;
  pieces.forEach(({ piece, score, type }: Piece, id) => {
    const length = utf8[id]!.length;
    if (!Object.values(PieceType).includes(type)) fail(id, 'a type from 1 to 6', `${type}`);
    if (length === 0 || length >= MAX_PIECE_BYTES) fail(id, `1 to ${MAX_PIECE_BYTES - 1} bytes`, `${length}`);
    if (piece.includes('\0')) fail(id, 'no NUL in it', JSON.stringify(piece));
    if (!Number.isFinite(score)) fail(id, 'a finite score', `${score}`);
    const { NORMAL, USER_DEFINED, UNUSED } = PieceType;
    const map = type === NORMAL || type === USER_DEFINED || type === UNUSED ? seen.ordinary : seen.reserved;
    if (map.has(piece)) fail(id, 'a piece of its own', `${JSON.stringify(piece)}, which ${map.get(piece)} is`);
    map.set(piece, id);
    if (type === PieceType.UNKNOWN && ++unknowns > 1) fail(id, 'one unknown piece', 'a second');
    if (type === PieceType.BYTE) {
      if (!byteFallback) fail(id, 'no byte pieces where byte_fallback is false', JSON.stringify(piece));
      if (byteOf(piece) < 0) fail(id, 'a byte written <0x00> to <0xFF>', JSON.stringify(piece));
      bytes.add(byteOf(piece));
    }
  });
  const failAll = (expected: string, got: string): never => {
    throw new Error(`${where}: expected ${expected}, got ${got}`);
  };
  if (unknowns !== 1) failAll('one unknown piece', 'none');
  if (!pieces.some(({ type }) => type === PieceType.NORMAL)) failAll('a normal piece', 'none');
  if (byteFallback && bytes.size !== 256) failAll('256 byte pieces, as byte_fallback is true', `${bytes.size}`);
  if (!pieces.some(({ piece, type }) => type === PieceType.CONTROL && piece === eosPiece)) {
    failAll(`a control piece ${JSON.stringify(eosPiece)} to end texts with`, 'none');
  }
}

/** The byte that a piece such as `<0x0A>` stands for, -1 if it is not of that form. */
export function byteOf(piece: string): number {
  return /^<0x[0-9A-F]{2}>$/.test(piece) ? Number.parseInt(piece.slice(3, 5), 16) : -1;
}
