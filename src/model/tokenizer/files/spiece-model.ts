// Reads `spiece.model`, SentencePiece's own file (a ModelProto). Unigram models, as T5's, and BPE, as Llama 2's and
// Gemma's. Source: sentencepiece_model.proto, whose field numbers stand beside each line.
import { refuseStandIn } from '../../json/stand-in.ts';
import { DEFAULT_UNK_SURFACE, type Piece, PieceType, type Vocabulary } from '../unigram/vocabulary.ts';
import { MessageReader } from './protobuf.ts';

/** A model of either kind. */
interface SpieceModel extends Vocabulary {
  isBpe: boolean;
}

/** @throws Error, RangeError naming what is broken or not of a kind that is built in: UNIGRAM */
export function readSpieceModel(bytes: Uint8Array, where = 'spiece.model'): Vocabulary {
  const { isBpe, ...vocabulary } = readSentencePiece(bytes, where);
  if (isBpe) throw new Error(`${where}: expected a UNIGRAM model (model_type 1), got 2 (BPE)`);
  return vocabulary;
}

/** @throws Error, RangeError naming what is broken or not of a kind that is built in: UNIGRAM, BPE */
export function readSentencePiece(bytes: Uint8Array, where: string): SpieceModel {
  const vocabulary: SpieceModel = {
    isBpe: false,
    where,
    pieces: [],
    precompiledCharsmap: new Uint8Array(0),
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
    treatWhitespaceAsSuffix: false,
    byteFallback: false,
    unkSurface: DEFAULT_UNK_SURFACE,
    eosPiece: '</s>',
  };
  refuseStandIn(where, bytes);
  const model = new MessageReader(where, bytes);
  while (model.next()) {
    if (model.field === 1) vocabulary.pieces.push(readPiece(model.bytes(), where, vocabulary.pieces.length));
    else if (model.field === 2) readTrainerSpec(model.bytes(), vocabulary);
    else if (model.field === 3) readNormalizerSpec(model.bytes(), vocabulary);
    else if (model.field === 5) refuseDenormalizer(model.bytes(), where);
    else model.skip();
  }
  if (vocabulary.pieces.length === 0) {
    throw new Error(`${where}: expected a SentencePiece model, got ${bytes.length} bytes without a piece`);
  }
  return vocabulary;
}

function readPiece(bytes: Uint8Array, where: string, id: number): Piece {
  const piece: Piece = { piece: '', score: 0, type: PieceType.NORMAL };
  const reader = new MessageReader(`${where}: piece ${id}`, bytes);
  while (reader.next()) {
    if (reader.field === 1) piece.piece = reader.string();
    else if (reader.field === 2) piece.score = reader.float();
    else if (reader.field === 3) piece.type = reader.integer() as PieceType;
    else reader.skip();
  }
  return piece;
}

function readTrainerSpec(bytes: Uint8Array, vocabulary: SpieceModel): void {
  const reader = new MessageReader(`${vocabulary.where}: trainer_spec`, bytes);
  while (reader.next()) {
    if (reader.field === 3) vocabulary.isBpe = isBpe(reader.integer(), vocabulary.where);
    else if (reader.field === 24) vocabulary.treatWhitespaceAsSuffix = reader.bool();
    else if (reader.field === 35) vocabulary.byteFallback = reader.bool();
    else if (reader.field === 44) vocabulary.unkSurface = reader.string();
    else if (reader.field === 47) vocabulary.eosPiece = reader.string() || '</s>';
    else reader.skip();
  }
}

function readNormalizerSpec(bytes: Uint8Array, vocabulary: Vocabulary): void {
  const reader = new MessageReader(`${vocabulary.where}: normalizer_spec`, bytes);
  while (reader.next()) {
    if (reader.field === 2) vocabulary.precompiledCharsmap = reader.bytes();
    else if (reader.field === 3) vocabulary.addDummyPrefix = reader.bool();
    else if (reader.field === 4) vocabulary.removeExtraWhitespaces = reader.bool();
    else if (reader.field === 5) vocabulary.escapeWhitespaces = reader.bool();
    else reader.skip();
  }
}

function isBpe(modelType: number, where: string): boolean {
  if (modelType === 1 || modelType === 2) return modelType === 2;
  const name = ['', 'UNIGRAM', 'BPE', 'WORD', 'CHAR'][modelType] ?? 'unknown';
  throw new Error(`${where}: expected a UNIGRAM or BPE model (model_type 1 or 2), got ${modelType} (${name})`);
}

function refuseDenormalizer(bytes: Uint8Array, where: string): void {
  const reader = new MessageReader(`${where}: denormalizer_spec`, bytes);
  while (reader.next()) {
    if (reader.field === 2 && reader.bytes().length > 0) {
      throw new Error(`${where}: expected no denormalizer_spec (not built in), got one with a map`);
    } else if (reader.field !== 2) reader.skip();
  }
}
