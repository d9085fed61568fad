// A SentencePiece unigram tokenizer over ready-made tables: text to ids and back, as T5 does. No sampling, no n-best.
// The face of src/text/assembly/unigram, which does the work where the tables lie.
import {
  AT_START,
  COMMAND_UNIGRAM_DECODE,
  COMMAND_UNIGRAM_ENCODE,
  COMMAND_UNIGRAM_NORMALIZE,
  DONE,
  MOST_STEPS,
  NEEDS_ROOM,
  NOT_UTF8,
  NUL_BYTE,
  SPACE_BYTE,
  TOO_MUCH,
} from '../../../text/assembly/protocol.ts';
import { type Native, NativeCall } from '../../../text/native.ts';
import { StreamDecoder } from '../../../text/stream-decoder.ts';
import { decodeLatin1, decodeUtf8, latin1Of, utf8Of } from '../../../text/utf8.ts';
import { checkTokenizer } from './tokenizer-check.ts';
import { readTokenizerHead, TOKENIZER_HEAD_BYTES, type TokenizerHead } from './tokenizer-data.ts';

/** A text is normalised and cut up by so many bytes at a time, if it can be. */
const WINDOW = 8192;
/** Bytes of work for so many of a window. */
const workOf = (window: number): number => 9 * window + 64;

/**
 * The tokenizer in the bytes that `encodeTokenizerData` made, which are checked and copied to memory of their own.
 * @param at where, if there is room already. @throws RangeError if the bytes are no such thing.
 */
export function decodeTokenizer(bytes: Uint8Array, native: Native, at = native.grow(bytes.length)): Unigram {
  checkTokenizer(bytes, native);
  native.write(at, bytes);
  return new Unigram(native, at, bytes.length);
}

const NUL_MARK = String.fromCharCode(NUL_BYTE);
const SPACE_MARK = String.fromCharCode(SPACE_BYTE);
/** U+2581 in UTF-8. */
const ESCAPED_SPACE = '\xe2\x96\x81';

export class Unigram {
  private readonly head: TokenizerHead;

  /** @param at where the tables lie, which were checked. @throws RangeError if none begin there. */
  constructor(
    private readonly native: Native,
    private readonly at: number,
    bytes: number,
  ) {
    this.head = readTokenizerHead(native.read(at, TOKENIZER_HEAD_BYTES), bytes);
  }

  /** How many pieces there are. A model's vocabulary may be larger; ids past the pieces decode to nothing. */
  get vocabularySize(): number {
    return this.head.vocabularySize;
  }

  /** The id that ends every encoded text. */
  get eosId(): number {
    return this.head.eosId;
  }

  /** The id of what no piece stands for. */
  get unkId(): number {
    return this.head.unkId;
  }

  /**
   * The ids of a text, or of its UTF-8, then `</s>`. Names of control pieces in it, such as `</s>`, are ordinary text.
   */
  encode(text: string | Uint8Array): number[] {
    return this.encodeUpTo(text, Number.POSITIVE_INFINITY)!;
  }

  /**
   * As `encode`, but no further than to `most` ids, `</s>` included, nor than so many thousand steps along tries, 0 for
   * any number: what is left of the text is not looked at.
   * @returns undefined where there is more
   */
  encodeUpTo(text: string | Uint8Array, most: number, thousandSteps = 0): number[] | undefined {
    const input = typeof text === 'string' ? utf8Of(text) : text;
    let room = Math.min(most - 1, input.length + 8);
    let window = Math.min(input.length + 64, WINDOW);
    for (;;) {
      const call = new NativeCall(input.length, room, 4, workOf(window));
      call.input.set(input);
      call.set(MOST_STEPS, thousandSteps);
      const result = call.run(this.native, COMMAND_UNIGRAM_ENCODE, this.at);
      if (result === NOT_UTF8) return this.encodeUpTo(decodeUtf8(input), most, thousandSteps);
      if (result === NEEDS_ROOM) window *= 2;
      else if (result === TOO_MUCH && room < most - 1) room = Math.min(2 * room, most - 1);
      else return result === DONE ? [...call.words, this.eosId] : undefined;
    }
  }

  /** The text of `ids`; control pieces and ids that no piece has are left out. */
  decode(ids: Iterable<number>): string {
    const decoder = this.stream();
    for (const id of ids) decoder.append(id);
    return decoder.end();
  }

  /** A decoder that takes ids one at a time and gives text as soon as it is whole characters. */
  stream(): StreamDecoder {
    return new StreamDecoder((ids, atStart) => this.bytesOf(ids, atStart));
  }

  /** `text` normalised, with U+2581 for spaces, as SentencePiece's Normalize gives it. */
  normalize(text: string): string {
    const input = utf8Of(text);
    for (let window = input.length + 64; ; window *= 2) {
      const call = new NativeCall(input.length, 0, 1, workOf(window));
      call.input.set(input);
      if (call.run(this.native, COMMAND_UNIGRAM_NORMALIZE, this.at) === DONE) return this.original(call.bytes);
    }
  }

  /** The piece of `id`, a space in it written U+2581. @throws RangeError if there is none. */
  pieceOf(id: number): string {
    const { sections, vocabularySize } = this.head;
    if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) {
      throw new RangeError(`tokenizer: expected an id from 0 to ${vocabularySize - 1}, got ${id}`);
    }
    const offsets = this.native.read(this.at + sections.pieceOffsets.at + 4 * id, 8);
    const [from, to] = new Uint32Array(offsets.buffer, offsets.byteOffset, 2) as unknown as [number, number];
    return decodeUtf8(this.native.read(this.at + sections.pieceBytes.at + from, to - from));
  }

  /** UTF-8 of ids, and whether still no text has come. */
  private bytesOf(ids: readonly number[], atStart: boolean): { bytes: Uint8Array; atStart: boolean } {
    for (let room = 16 * ids.length + 64; ; room *= 2) {
      const call = new NativeCall(4 * ids.length, room, 1, 0);
      const input = call.input;
      new Uint32Array(input.buffer, input.byteOffset, ids.length).set(ids.map(wordOf));
      call.set(AT_START, atStart ? 1 : 0);
      const result = call.run(this.native, COMMAND_UNIGRAM_DECODE, this.at);
      if (result !== TOO_MUCH) return { bytes: call.bytes, atStart: call.get(AT_START) === 1 };
    }
  }

  /** What was normalised, in UTF-8 as SentencePiece has it. */
  private original(bytes: Uint8Array): string {
    // native code throughout: a prompt of 8,192 characters may have become 280,000 bytes
    const withNuls = latin1Of(bytes).replaceAll(NUL_MARK, '\0');
    const whole = this.head.escapeWhitespaces ? withNuls.replaceAll(SPACE_MARK, ESCAPED_SPACE) : withNuls;
    return decodeLatin1(whole) ?? decodeUtf8(Uint8Array.from(whole, (byte) => byte.charCodeAt(0)));
  }
}

/** Of something that is no id, an id that no piece has. */
const wordOf = (id: number): number => (Number.isInteger(id) && id >= 0 && id < 2 ** 31 ? id : 2 ** 31);
