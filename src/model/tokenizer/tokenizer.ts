// A SentencePiece unigram tokenizer over ready-made tables: text to ids and back, as T5 does. No sampling, no n-best.
// Source: SentencePiece, sentencepiece_processor.cc (PopulateSentencePieceText for unknowns and bytes).
import { Normalizer } from './normalizer.ts';
import { StreamDecoder } from './stream-decoder.ts';
import { decodeTokenizerData, type TokenizerData } from './tokenizer-data.ts';
import { decodeUtf8 } from './utf8.ts';
import { Viterbi } from './viterbi.ts';

/**
 * The tokenizer in the bytes that `encodeTokenizerData` made. Cheap: views on `bytes`, which must stay as they are.
 * @throws RangeError if the bytes are no such thing.
 */
export function decodeTokenizer(bytes: Uint8Array): Tokenizer {
  return new Tokenizer(decodeTokenizerData(bytes));
}

export class Tokenizer {
  private readonly normalizer: Normalizer;
  private readonly viterbi: Viterbi;

  constructor(readonly data: TokenizerData) {
    this.normalizer = new Normalizer(data);
    this.viterbi = new Viterbi(data);
  }

  /** How many pieces there are. A model's vocabulary may be larger; ids past the pieces decode to nothing. */
  get vocabularySize(): number {
    return this.data.vocabularySize;
  }

  /** The id that ends every encoded text. */
  get eosId(): number {
    return this.data.eosId;
  }

  /** The id of what no piece stands for. */
  get unkId(): number {
    return this.data.unkId;
  }

  /**
   * The ids of a text, or of its UTF-8, then `</s>`. Names of control pieces in it, such as `</s>`, are ordinary text.
   * In the canister UTF-8 is cheaper (see `Normalizer`).
   */
  encode(text: string | Uint8Array): number[] {
    const size = this.normalizer.normalize(text);
    this.viterbi.search(this.normalizer.bytes, size);
    const ids = this.collect(size);
    ids.push(this.data.eosId);
    return ids;
  }

  /** The text of `ids`; control pieces and ids that no piece has are left out. */
  decode(ids: Iterable<number>): string {
    const decoder = this.stream();
    for (const id of ids) decoder.append(id);
    return decoder.end();
  }

  /** A decoder that takes ids one at a time and gives text as soon as it is whole characters. */
  stream(): StreamDecoder {
    return new StreamDecoder(this.data);
  }

  /** `text` normalised, with U+2581 for spaces, as SentencePiece's Normalize gives it. */
  normalize(text: string): string {
    return decodeUtf8(this.normalizer.original(0, this.normalizer.normalize(text)));
  }

  /** The piece of `id`, a space in it written U+2581. @throws RangeError if there is none. */
  pieceOf(id: number): string {
    const { pieceOffsets, pieceBytes, vocabularySize } = this.data;
    if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) {
      throw new RangeError(`tokenizer: expected an id from 0 to ${vocabularySize - 1}, got ${id}`);
    }
    return decodeUtf8(pieceBytes, pieceOffsets[id]!, pieceOffsets[id + 1]!);
  }

  /** The ids on the best path to `size`. Unknown characters in a row are one unknown piece, or their bytes' pieces. */
  private collect(size: number): number[] {
    const { last } = this.viterbi;
    const { unkId, byteFallback, byteIds, lengths } = this.data;
    const ids: number[] = [];
    for (let end = size; end > 0; ) {
      const id = last[end]!;
      if (id !== unkId) {
        ids.push(id);
        end -= lengths[id] || 1; // tables that are wrong must not make a loop without end
        continue;
      }
      const from = startOfCharacter(this.normalizer.bytes, end);
      if (byteFallback) {
        const bytes = this.normalizer.original(from, end);
        for (let i = bytes.length - 1; i >= 0; i--) ids.push(byteIds[bytes[i]!]!);
      } else if (ids[ids.length - 1] !== unkId) ids.push(unkId);
      end = from;
    }
    return ids.reverse();
  }
}

/** Where the character that ends before `end` begins. */
function startOfCharacter(bytes: Uint8Array, end: number): number {
  let at = end - 1;
  while (at > 0 && (bytes[at]! & 0xc0) === 0x80) at--;
  return at;
}
