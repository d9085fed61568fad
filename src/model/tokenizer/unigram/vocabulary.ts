// What a tokenizer file says, before it is made fit for use: the common form of `spiece.model` and `tokenizer.json`.
// Names are SentencePiece's (sentencepiece_model.proto: ModelProto, NormalizerSpec, TrainerSpec).

/** ModelProto.SentencePiece.Type */
export const PieceType = { NORMAL: 1, UNKNOWN: 2, CONTROL: 3, USER_DEFINED: 4, UNUSED: 5, BYTE: 6 } as const;
export type PieceType = (typeof PieceType)[keyof typeof PieceType];

/** A piece; its id is its place in the list. The text is UTF-8, a space in it written U+2581. */
export interface Piece {
  piece: string;
  score: number;
  type: PieceType;
}

export interface Vocabulary {
  /** The file, for errors. */
  where: string;
  pieces: Piece[];
  /** The rule that texts are normalised by, as SentencePiece compiles it; empty for none. */
  precompiledCharsmap: Uint8Array;
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
  escapeWhitespaces: boolean;
  treatWhitespaceAsSuffix: boolean;
  byteFallback: boolean;
  /** What an unknown piece is decoded to. */
  unkSurface: string;
  /** The control piece that ends every encoded text. */
  eosPiece: string;
}

/** SentencePiece's default: a double question mark between spaces. */
export const DEFAULT_UNK_SURFACE = ' \u2047 ';

/** U+2581, which stands for a space inside pieces. */
export const SPACE_SYMBOL = '\u2581';
