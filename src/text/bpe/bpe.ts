/** A byte-level BPE tokenizer, as GPT-2's and its kin: the face of assembly/bpe, which does the work where the tables lie. It adds no tokens of its own. */
import {
  COMMAND_BPE_CHECK,
  COMMAND_BPE_DECODE,
  COMMAND_BPE_ENCODE,
  DONE,
  FAULT_BYTE,
  FAULT_CLASS,
  FAULT_MERGE,
  FAULT_OFFSETS,
  FAULT_SLOT,
  FAULT_SPECIAL,
  FAULT_TYPE,
  NEEDS_ROOM,
  NOT_UTF8,
  SPECIAL,
  TOO_MUCH,
} from '../assembly/protocol.ts';
import { type Native, NativeCall } from '../native.ts';
import { StreamDecoder } from '../stream-decoder.ts';
import type { EncodeOptions, Tokenizer } from '../tokenizer.ts';
import { decodeUtf8, utf8Of } from '../utf8.ts';
import { BPE_HEAD_BYTES, type BpeHead, readBpeHead } from './bpe-data.ts';

/** Bytes of the longest word that work room is made for at first, and of work for each (assembly/bpe/merge.ts). */
const WORD = 256;
const WORK_EACH = 36;

export class Bpe implements Tokenizer {
  private readonly head: BpeHead;

  /** @param at where the tables lie, which were checked. @throws RangeError if none begin there. */
  constructor(
    private readonly native: Native,
    private readonly at: number,
    bytes: number,
  ) {
    this.head = readBpeHead(native.read(at, BPE_HEAD_BYTES), bytes);
  }

  get vocabularySize(): number {
    return this.head.vocabularySize;
  }

  encode(text: string | Uint8Array, options?: EncodeOptions): number[] {
    return this.encodeUpTo(text, Number.POSITIVE_INFINITY, options)!;
  }

  encodeUpTo(text: string | Uint8Array, most: number, { special = false }: EncodeOptions = {}): number[] | undefined {
    const input = typeof text === 'string' ? utf8Of(text) : text;
    // no token is less than a byte
    const room = Math.min(most, input.length);
    for (let word = Math.min(input.length, WORD); ; word *= 2) {
      const call = new NativeCall(input.length, room, 4, WORK_EACH * (word + 2));
      call.input.set(input);
      call.set(SPECIAL, special ? 1 : 0);
      const result = call.run(this.native, COMMAND_BPE_ENCODE, this.at);
      if (result === NOT_UTF8) return this.encodeUpTo(decodeUtf8(input), most, { special });
      if (result !== NEEDS_ROOM) return result === DONE ? Array.from(call.words) : undefined;
    }
  }

  decode(ids: Iterable<number>, options?: EncodeOptions): string {
    return decodeUtf8(this.bytesOf([...ids], options));
  }

  stream(options?: EncodeOptions): StreamDecoder {
    return new StreamDecoder((ids) => ({ bytes: this.bytesOf(ids, options), atStart: false }));
  }

  private bytesOf(ids: readonly number[], { special = false }: EncodeOptions = {}): Uint8Array {
    for (let room = 16 * ids.length + 64; ; room *= 2) {
      const call = new NativeCall(4 * ids.length, room, 1, 0);
      const { buffer, byteOffset } = call.input;
      new Uint32Array(buffer, byteOffset, ids.length).set(ids.map(wordOf));
      call.set(SPECIAL, special ? 0 : 1);
      if (call.run(this.native, COMMAND_BPE_DECODE, this.at) !== TOO_MUCH) return call.bytes;
    }
  }
}

/** Of something that is no id, an id that no piece has. */
const wordOf = (id: number): number => (Number.isInteger(id) && id >= 0 && id < 2 ** 31 ? id : 2 ** 31);

const MOST_BYTES = 32 << 20;

const FAULTS: Record<number, string> = {
  [FAULT_TYPE]: 'a type from 1 to 6 at token',
  [FAULT_OFFSETS]: 'offsets that rise at token',
  [FAULT_BYTE]: "a byte's own token at token",
  [FAULT_MERGE]: 'two tokens that become a third at merge',
  [FAULT_SLOT]: 'an index of merges and words at',
  [FAULT_SPECIAL]: 'special tokens by their first byte at',
  [FAULT_CLASS]: 'classes of code points at',
};

/**
 * Checks all of the tables.
 * @param start what they begin with @param read puts them where it is told @throws RangeError naming the first thing that is wrong
 */
export function checkBpeTables(
  start: Uint8Array,
  bytes: number,
  read: (into: Uint8Array) => void,
  native: Native,
): BpeHead {
  if (bytes > MOST_BYTES)
    throw new RangeError(`tokenizer: expected at most ${MOST_BYTES} bytes, got ${bytes}; convert the model again`);
  const head = readBpeHead(start, bytes);
  const call = new NativeCall(bytes, 0, 1, 0);
  read(call.input);
  const result = call.run(native, COMMAND_BPE_CHECK, 0);
  if (result === DONE) return head;
  throw new RangeError(`tokenizer: expected ${FAULTS[result]} ${call.count}, got another; convert the model again`);
}

/** The tokenizer in the bytes that `encodeBpeData` made, which are checked and copied to memory of their own. @throws RangeError */
export function openBpe(bytes: Uint8Array, native: Native, at = native.grow(bytes.length)): Bpe {
  checkBpeTables(bytes, bytes.length, (into) => into.set(bytes), native);
  native.write(at, bytes);
  return new Bpe(native, at, bytes.length);
}
