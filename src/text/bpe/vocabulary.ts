/**
 * What a file says of a BPE tokenizer, before it is made fit for use: the common form of tokenizer.json,
 * tokenizer.model and GGUF.
 */
import type { AddedToken } from '../added-token.ts';
import type { PreTokenizerName } from './pre-tokenizers.ts';

/** As in SentencePiece and GGUF. */
export const TokenType = { NORMAL: 1, UNKNOWN: 2, CONTROL: 3, USER_DEFINED: 4, UNUSED: 5, BYTE: 6 } as const;

export interface BpeToken {
  /** What the file calls it, and merges. */
  text: string;
  /** What it is in a text; none for an id that nothing has. */
  bytes: Uint8Array;
  /** One of TokenType; CONTROL: special, not shown. */
  type: number;
}

/** Twice as many as any model in use has. */
export const MAX_MERGES = 2 ** 20;

/**
 * Where SentencePiece puts a space before a text, or before each part between added tokens; `unless`: where none is
 * there.
 */
export type Prefix = 'never' | 'text' | 'parts' | 'text unless' | 'parts unless';

export interface BpeVocabulary {
  /** The file, for errors. */
  where: string;
  /** By id. */
  tokens: BpeToken[];
  /** Pairs by rank. */
  merges: [left: string, right: string][];
  /** `sentencepiece`: characters and spaces are merged, none are parted; a character without a piece is its bytes'. */
  preTokenizer: PreTokenizerName | 'sentencepiece';
  /** Words that are pieces are taken as they are. */
  ignoreMerges: boolean;
  nfc: boolean;
  prefix: Prefix;
  /** Whether an answer's first space is none of it. */
  stripSpace: boolean;
  added: AddedToken[];
  /** Ids that go before every prompt, and behind it. */
  before: number[];
  behind: number[];
}

/**
 * The character that stands for each byte: itself where it is visible, one from U+0100 on where not. Source: GPT-2,
 * encoder.py (bytes_to_unicode).
 */
export const BYTE_ALPHABET: readonly string[] = (() => {
  const isVisible = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++));
})();

const BYTE_OF = new Map(BYTE_ALPHABET.map((character, byte) => [character, byte]));

/** The bytes that a piece stands for; undefined if one of its characters is not of the alphabet. */
export function bytesOfPiece(piece: string): Uint8Array | undefined {
  const bytes = new Uint8Array(piece.length);
  for (let i = 0; i < piece.length; i++) {
    const byte = BYTE_OF.get(piece[i]!);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

/** The bytes of a SentencePiece piece: U+2581 is a space, `<0x0A>` that byte. */
export function bytesOfSymbol(piece: string, type: number): Uint8Array {
  if (type === TokenType.BYTE) return Uint8Array.of(Number.parseInt(piece.slice(3, 5), 16));
  return utf8(piece.replaceAll('\u2581', ' '));
}

const encoder = new TextEncoder();
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export const NOT_A_TOKEN: BpeToken = { text: '', bytes: new Uint8Array(0), type: TokenType.UNUSED };
