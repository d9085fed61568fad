/** What the rest of the program knows of a tokenizer, whatever its kind. */
import type { StreamDecoder } from './stream-decoder.ts';

/** What takes ids one at a time and gives text as soon as it is whole characters. */
export type TextStream = Pick<StreamDecoder, 'push' | 'end'>;

export interface DecodeOptions {
  /** Whether special tokens are shown. Default: false; a unigram tokenizer never shows them. */
  specialTokens?: boolean;
}

export interface EncodeOptions {
  /** Whether the texts of special tokens stand for these; they are ordinary text unless this says otherwise. */
  specialTokens?: boolean;
  /** Without the ids that the model's tokenizer puts round a prompt: `<s>` before it, `</s>` behind it. */
  bare?: boolean;
  /** The text goes on where another one ended: nothing is added to its beginning. Implies `bare`. */
  isPart?: boolean;
  /**
   * Most steps along tries, in thousands; 0, the default, for any number. A unigram tokenizer's alone, others are
   * linear in the text.
   */
  thousandSteps?: number;
}

/** A special token in a text, or what is between two. */
export type TextPart = { text: string } | { id: number; special: string };

export interface Tokenizer {
  /** How many pieces there are. A model's vocabulary may be larger; ids past the pieces decode to nothing. */
  readonly vocabularySize: number;
  /** Whether special tokens can be asked for: packs of versions that knew of none do not say which there are. */
  readonly knowsSpecialTokens: boolean;
  /** The ids of a prompt. */
  encode(text: string, options?: EncodeOptions): number[];
  /** The same, if they are `most` at most; else undefined, and what is past them is not looked at. */
  encodeUpTo(text: string, most: number, options?: EncodeOptions): number[] | undefined;
  /** The text of ids; special tokens, unless they are asked for, and ids that no piece has are left out. */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  stream(options?: DecodeOptions): TextStream;
  /** A text cut at the texts of special tokens. Parts of text are not empty. */
  splitSpecials(text: string): TextPart[];
}
