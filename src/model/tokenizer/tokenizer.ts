// A SentencePiece unigram tokenizer over ready-made tables: text to ids and back, as T5 does. No sampling, no n-best.
// The search is SentencePiece's: unigram_model.cc, EncodeOptimized; sentencepiece_processor.cc for unknowns and bytes.
// Written for an interpreter: no object, string or closure in the loops, positions are bytes of UTF-8.
import { BASE_SHIFT, HAS_VALUE, LABEL_MASK, VALUE_SHIFT } from './double-array.ts';
import { Normalizer } from './normalizer.ts';
import { StreamDecoder } from './stream-decoder.ts';
import { decodeTokenizerData, type TokenizerData } from './tokenizer-data.ts';
import { characterBytes, decodeUtf8 } from './utf8.ts';

/**
 * The tokenizer in the bytes that `encodeTokenizerData` made. Cheap: views on `bytes`, which must stay as they are.
 * @throws Error, RangeError if the bytes are no such thing.
 */
export function decodeTokenizer(bytes: Uint8Array): Tokenizer {
  return new Tokenizer(decodeTokenizerData(bytes));
}

export class Tokenizer {
  private readonly normalizer: Normalizer;
  /** For every end of a path, the best one that ends there: its score, where its last piece begins, that piece's id. */
  private best = new Float32Array(0);
  private from = new Int32Array(0);
  private last = new Int32Array(0);

  constructor(readonly data: TokenizerData) {
    this.normalizer = new Normalizer(data);
  }

  /** V: how many pieces there are. A model's vocabulary may be larger; ids past the pieces decode to nothing. */
  get vocabularySize(): number {
    return this.data.vocabularySize;
  }

  /** The id that ends every encoded text. */
  get eosId(): number {
    return this.data.eosId;
  }

  /** The ids of `text`, then `</s>`. Names of control pieces in the text, such as `</s>`, are ordinary text. */
  encode(text: string): number[] {
    const size = this.normalizer.normalize(text);
    this.search(size);
    const ids = this.collect(size);
    ids.push(this.data.eosId);
    return ids;
  }

  /** The text of `ids`; control pieces and ids that no piece has are left out. */
  decode(ids: Iterable<number>): string {
    const decoder = new StreamDecoder(this.data);
    let text = '';
    for (const id of ids) text += decoder.push(id);
    return text + decoder.end();
  }

  /** A decoder that takes ids one at a time and gives text as soon as it is whole characters. */
  stream(): StreamDecoder {
    return new StreamDecoder(this.data);
  }

  /** `text` normalised, with U+2581 for spaces, as SentencePiece's Normalize gives it. */
  normalize(text: string): string {
    const size = this.normalizer.normalize(text);
    const bytes = this.normalizer.original(0, size);
    return decodeUtf8(bytes, 0, bytes.length);
  }

  /** The piece of `id`, a space in it written U+2581. @throws RangeError if there is none. */
  pieceOf(id: number): string {
    const { pieceOffsets, pieceBytes, vocabularySize } = this.data;
    if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) {
      throw new RangeError(`tokenizer: expected an id from 0 to ${vocabularySize - 1}, got ${id}`);
    }
    return decodeUtf8(pieceBytes, pieceOffsets[id]!, pieceOffsets[id + 1]!);
  }

  /** Viterbi over the normalised text's first `size` bytes. */
  private search(size: number): void {
    if (this.best.length <= size) {
      this.best = new Float32Array(2 * size + 256);
      this.from = new Int32Array(2 * size + 256);
      this.last = new Int32Array(2 * size + 256);
    }
    const { best, from, last } = this;
    const { units, scores, unkScore, unkId } = this.data;
    const text = this.normalizer.bytes;
    best.fill(Number.NEGATIVE_INFINITY, 1, size + 1);
    best[0] = 0;
    const root = units[0]!;
    for (let start = 0; start < size; ) {
      const here = best[start]!;
      let at = start;
      let byte = text[at]!;
      const next = start + (byte < 0x80 ? 1 : characterBytes(byte));
      let known = false; // whether a piece is just this character
      let unit = root;
      for (;;) {
        unit = units[(unit >> BASE_SHIFT) ^ byte]!;
        if ((unit & LABEL_MASK) !== byte) break;
        at++;
        if ((unit & HAS_VALUE) !== 0) {
          const id = units[unit >> BASE_SHIFT]! >> VALUE_SHIFT;
          const score = here + scores[id]!;
          const before = best[at]!;
          if (score > before) {
            best[at] = score;
            // SentencePiece compares after rounding to float32: what rounds to the same score does not win.
            if (best[at]! > before) {
              from[at] = start;
              last[at] = id;
            }
          }
          if (at === next) known = true;
        }
        byte = text[at]!;
      }
      if (!known) {
        const before = best[next]!;
        if (here + unkScore > before) best[next] = here + unkScore;
        if (best[next]! > before) {
          from[next] = start;
          last[next] = unkId;
        }
      }
      start = next;
    }
  }

  /** The ids on the best path to `size`. Unknown characters in a row are one unknown piece, or their bytes' pieces. */
  private collect(size: number): number[] {
    const { from, last } = this;
    const { unkId, byteFallback, byteIds } = this.data;
    const ids: number[] = [];
    for (let end = size; end > 0; end = from[end]!) {
      const id = last[end]!;
      if (id !== unkId) ids.push(id);
      else if (byteFallback) {
        const bytes = this.normalizer.original(from[end]!, end);
        while (bytes.length > 0) ids.push(byteIds[bytes.pop()!]!);
      } else if (ids[ids.length - 1] !== unkId) ids.push(unkId);
    }
    return ids.reverse();
  }
}
