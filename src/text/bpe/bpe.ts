/**
 * A BPE tokenizer, byte-level as GPT-2's or SentencePiece's: the face of assembly/bpe, which does the work where the
 * tables lie.
 */
import {
  ADDED_ID,
  ADDED_NORMALIZED,
  ADDED_SPECIAL,
  AT_START,
  COMMAND_BPE_CHECK,
  COMMAND_BPE_DECODE,
  COMMAND_BPE_ENCODE,
  DONE,
  FAULT_ADDED,
  FAULT_BYTE,
  FAULT_CLASS,
  FAULT_MERGE,
  FAULT_OFFSETS,
  FAULT_SLOT,
  FAULT_TYPE,
  IS_PART,
  IS_SPLIT,
  NEEDS_ROOM,
  NFC,
  PART,
  PRE_SENTENCEPIECE,
  SPECIAL,
  SPLIT_ONLY,
  TOO_MUCH,
} from '../assembly/protocol.ts';
import { type Native, NativeCall } from '../native.ts';
import { StreamDecoder } from '../stream-decoder.ts';
import type { DecodeOptions, EncodeOptions, TextPart, Tokenizer } from '../tokenizer.ts';
import { decodeUtf8, decodeUtf8Lossy, utf8Of } from '../utf8.ts';
import { BPE_HEAD_BYTES, type BpeHead, readBpeHead } from './bpe-data.ts';

/** Bytes of the longest word that work room is made for at first, and of work for each (assembly/bpe/merge.ts). */
const WORD = 256;
const WORK_EACH = 36;

/** A special token that is found in a text, by bytes. */
interface Found {
  from: number;
  to: number;
  id: number;
}

export class Bpe implements Tokenizer {
  readonly knowsSpecialTokens = true;
  private readonly head: BpeHead;
  private before: number[] | undefined;
  private behind: number[] = [];
  private specials: ReadonlySet<number> | undefined;
  private normalizedSpecials: ReadonlyMap<string, number> = new Map();

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

  encode(text: string, options?: EncodeOptions): number[] {
    return this.encodeUpTo(text, Number.POSITIVE_INFINITY, options)!;
  }

  encodeUpTo(
    text: string,
    most: number,
    { specialTokens = false, isPart = false, bare = isPart }: EncodeOptions = {},
  ): number[] | undefined {
    const part = isPart ? IS_PART : 0;
    if (bare) return this.encodeBare(text, most, specialTokens, part);
    const { before, behind } = this.around();
    const found = this.encodeBare(text, most - before.length - behind.length, specialTokens, part);
    return found && [...before, ...found, ...behind];
  }

  decode(ids: Iterable<number>, options?: DecodeOptions): string {
    return this.textOf(this.bytesOf([...ids], true, options).bytes);
  }

  stream(options?: DecodeOptions): StreamDecoder {
    return new StreamDecoder((ids, atStart) => this.bytesOf(ids, atStart, options), this.textOf);
  }

  splitSpecials(text: string): TextPart[] {
    const bytes = utf8Of(text);
    const specials = this.specialIds();
    const parts: TextPart[] = [];
    const addText = (from: number, to: number): void => {
      if (from < to) parts.push(...this.splitNormalized(decodeUtf8(bytes, from, to)));
    };
    let done = 0;
    for (const { from, to, id } of this.split(bytes)) {
      if (!specials.has(id)) continue;
      addText(done, from);
      parts.push({ id, special: decodeUtf8(bytes, from, to) });
      done = to;
    }
    addText(done, bytes.length);
    return parts;
  }

  /** Without what goes round it. */
  private encodeBare(text: string, most: number, special: boolean, part: number): number[] | undefined {
    if (most < 0) return undefined;
    if ((this.head.flags & NFC) === 0 || text === text.normalize('NFC'))
      return this.run(utf8Of(text), most, special, part);
    // what is sought in texts as they are may not be there, or be there, once a text is normalised
    const bytes = utf8Of(text);
    const specials = this.specialIds();
    const ids: number[] = [];
    let done = 0;
    const addText = (to: number): boolean => {
      const normalized = utf8Of(decodeUtf8(bytes, done, to).normalize('NFC'));
      const found = this.run(normalized, most - ids.length, special, part | (done > 0 ? IS_PART : 0) | IS_SPLIT);
      for (const id of found ?? []) ids.push(id);
      done = to;
      return found !== undefined;
    };
    for (const { from, to, id } of this.split(bytes)) {
      if (specials.has(id) && !special) continue;
      if (!addText(from) || ids.length === most) return undefined;
      ids.push(id);
      done = to;
    }
    return addText(bytes.length) ? ids : undefined;
  }

  private run(input: Uint8Array, most: number, special: boolean, part: number): number[] | undefined {
    const call = this.call(input, most, special, part);
    return call && Array.from(call.words);
  }

  /** Added tokens that are sought in texts as they are, the special ones among them. */
  private split(input: Uint8Array): Found[] {
    const words = this.call(input, Number.POSITIVE_INFINITY, true, SPLIT_ONLY)!.words;
    return Array.from({ length: words.length / 3 }, (_, i) => ({
      from: words[3 * i]!,
      to: words[3 * i + 1]!,
      id: words[3 * i + 2]!,
    }));
  }

  private call(input: Uint8Array, most: number, special: boolean, part: number): NativeCall | undefined {
    const isSplit = (part & SPLIT_ONLY) !== 0;
    const isWhole = this.head.kind === PRE_SENTENCEPIECE;
    // no token is less than a byte; a space may go before each part
    const room = Math.min(most, input.length * (isSplit ? 3 : isWhole ? 2 : 1) + 1);
    for (let word = isWhole ? input.length : Math.min(input.length, WORD); ; word *= 2) {
      const work = isSplit ? 8 : WORK_EACH * (word + 3) + (isWhole ? input.length : 0) + 16;
      const call = new NativeCall(input.length, room, 4, work);
      call.input.set(input);
      call.set(SPECIAL, special ? 1 : 0);
      call.set(PART, part);
      const result = call.run(this.native, COMMAND_BPE_ENCODE, this.at);
      if (result !== NEEDS_ROOM) return result === DONE ? call : undefined;
    }
  }

  private bytesOf(
    ids: readonly number[],
    atStart: boolean,
    { specialTokens = false }: DecodeOptions = {},
  ): { bytes: Uint8Array; atStart: boolean } {
    for (let room = 16 * ids.length + 64; ; room *= 2) {
      const call = new NativeCall(4 * ids.length, room, 1, 0);
      const { buffer, byteOffset } = call.input;
      new Uint32Array(buffer, byteOffset, ids.length).set(ids.map(wordOf));
      call.set(SPECIAL, specialTokens ? 0 : 1);
      call.set(AT_START, atStart ? 1 : 0);
      if (call.run(this.native, COMMAND_BPE_DECODE, this.at) !== TOO_MUCH)
        return { bytes: call.bytes, atStart: call.get(AT_START) === 1 };
    }
  }

  /** Broken bytes as the reference of each kind has them. */
  private readonly textOf = (bytes: Uint8Array, from?: number, to?: number): string =>
    this.head.kind === PRE_SENTENCEPIECE ? decodeUtf8(bytes, from, to) : decodeUtf8Lossy(bytes, from, to);

  private words(name: 'around' | 'addedRows'): Uint32Array {
    const { at, bytes } = this.head.sections[name];
    const copy = this.native.read(this.at + at, bytes).slice();
    return new Uint32Array(copy.buffer, 0, bytes / 4);
  }

  private around(): { before: number[]; behind: number[] } {
    if (this.before === undefined) {
      const [count, ...ids] = this.words('around');
      this.before = ids.slice(0, count);
      this.behind = ids.slice(count);
    }
    return { before: this.before, behind: this.behind };
  }

  private specialIds(): ReadonlySet<number> {
    if (this.specials === undefined) {
      const rows = Array.from(this.words('addedRows')).filter((row) => (row & ADDED_SPECIAL) !== 0);
      this.specials = new Set(rows.map((row) => row & ADDED_ID));
      const normalized = rows.filter((row) => (row & ADDED_NORMALIZED) !== 0).map((row) => row & ADDED_ID);
      this.normalizedSpecials = new Map(normalized.map((id) => [this.contentOf(id), id]));
    }
    return this.specials;
  }

  private contentOf(id: number): string {
    return decodeUtf8(this.bytesOf([id], false, { specialTokens: true }).bytes);
  }

  /** At special tokens that are sought in normalised text. Few models have such. */
  private splitNormalized(text: string): TextPart[] {
    const known = this.normalizedSpecials;
    if (known.size === 0) return [{ text }];
    const names = [...known.keys()].sort((a, b) => b.length - a.length);
    const pattern = new RegExp(`(${names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')})`);
    return text.split(pattern).flatMap((part): TextPart[] => {
      const id = known.get(part);
      return id !== undefined ? [{ id, special: part }] : part === '' ? [] : [{ text: part }];
    });
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
  [FAULT_ADDED]: 'added tokens that are found by their texts at',
  [FAULT_CLASS]: 'classes of code points at',
};

/**
 * Checks all of the tables.
 * @param start what they begin with @param read puts them where it is told @throws RangeError naming the first thing
 * that is wrong
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
