/** What the rest of the program knows of a tokenizer, whatever its kind. */
import type { StreamDecoder } from './stream-decoder.ts';

export interface EncodeOptions {
  /** Whether the texts of special tokens stand for these; they are ordinary text unless this says otherwise. */
  special?: boolean;
}

export interface Tokenizer {
  /** How many pieces there are. A model's vocabulary may be larger; ids past the pieces decode to nothing. */
  readonly vocabularySize: number;
  /** The ids of a text, or of its UTF-8. */
  encode(text: string | Uint8Array, options?: EncodeOptions): number[];
  /** The same, if they are `most` at most; what is past them is not looked at. */
  encodeUpTo(text: string | Uint8Array, most: number, options?: EncodeOptions): number[] | undefined;
  /** The text of ids. Special tokens and ids that no piece has are left out, unless `special` says otherwise. */
  decode(ids: Iterable<number>, options?: EncodeOptions): string;
  /** A decoder that takes ids one at a time and gives text as soon as it is whole characters. */
  stream(options?: EncodeOptions): StreamDecoder;
}
