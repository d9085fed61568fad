/** What a file says of a byte-level BPE tokenizer, before it is made fit for use. */
import type { PreTokenizerName } from './pre-tokenizers.ts';

/** As in SentencePiece and GGUF. */
export const TokenType = { NORMAL: 1, UNKNOWN: 2, CONTROL: 3, USER_DEFINED: 4, UNUSED: 5, BYTE: 6 } as const;

export interface BpeToken {
  /** Bytes written as the characters of GPT-2's alphabet; of a special token its plain text. */
  text: string;
  /** One of TokenType. */
  type: number;
}

export interface BpeVocabulary {
  /** The file, for errors. */
  where: string;
  tokens: BpeToken[];
  /** Pairs by rank. */
  merges: [left: string, right: string][];
  preTokenizer: PreTokenizerName;
  /** Words that are pieces are taken as they are. */
  ignoreMerges: boolean;
}

/** The character that stands for each byte: itself where it is visible, one from U+0100 on where not. Source: GPT-2, encoder.py (bytes_to_unicode). */
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
