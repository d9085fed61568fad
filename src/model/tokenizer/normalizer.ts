// A text as the tokenizer searches it: normalised by the map, spaces as the model wants them, in UTF-8 with two changes
// that keep the search quick: a space symbol (U+2581) is the one byte of a space, and NUL is a byte that no piece has.
// Source: SentencePiece, normalizer.cc (Normalize, NormalizePrefix).
import { offsetOf } from './charsmap.ts';
import { BASE_SHIFT, HAS_VALUE, LABEL_MASK } from './double-array.ts';
import type { TokenizerData } from './tokenizer-data.ts';
import { asciiString, characterBytes, decodeUtf8, encodeUtf8 } from './utf8.ts';

/** A space. No other byte of normalised text is 0x20, as plain spaces become space symbols (or there are no symbols). */
export const SPACE_BYTE = 0x20;
/** NUL, which double arrays cannot hold: a byte that is in no UTF-8. */
export const NUL_BYTE = 0xfe;
/** Stands after the text and ends every search. */
export const END_BYTE = 0xff;

/** Words with one space between them, as far as they go. */
const PLAIN_RUN = /[!-~]+(?: [!-~]+)*/y;

export class Normalizer {
  /** The text that `normalize` made, then {@link END_BYTE}. Overwritten by the next. */
  bytes = new Uint8Array(1024);

  private size = 0;
  private raw = new Uint8Array(256);
  private previousIsSpace = false;
  /** Whether there was anything but spaces, if only something that the map makes nothing of. */
  private sawText = false;

  constructor(private readonly data: TokenizerData) {}

  /**
   * Normalises a text, or its UTF-8, into `bytes`. In the canister a string costs 2,100 instructions a character and
   * UTF-8 700, where all is plain ASCII.
   * @returns how many bytes of `bytes` are the text.
   */
  normalize(input: string | Uint8Array): number {
    const ascii = typeof input === 'string' ? undefined : asciiString(input, 0, input.length);
    const text = typeof input === 'string' ? input : (ascii ?? decodeUtf8(input));
    const { removeExtraWhitespaces, treatWhitespaceAsSuffix, addDummyPrefix, plainAscii } = this.data;
    const length = text.length;
    this.size = 0;
    this.sawText = !removeExtraWhitespaces && length > 0;
    this.previousIsSpace = removeExtraWhitespaces;
    this.reserve(length + 3);
    if (addDummyPrefix && !treatWhitespaceAsSuffix) this.bytes[this.size++] = SPACE_BYTE;
    for (let i = 0; i < length; ) {
      const plainEnd = plainAscii ? endOfPlainRun(text, i) : i;
      if (plainEnd > i) {
        this.reserve(plainEnd - i);
        if (ascii === undefined) this.copy(text, i, plainEnd);
        else this.bytes.set((input as Uint8Array).subarray(i, plainEnd), this.size);
        this.size += plainEnd - i;
        this.sawText = true;
        this.previousIsSpace = removeExtraWhitespaces && this.bytes[this.size - 1] === SPACE_BYTE;
        i = plainEnd;
      } else {
        const end = plainAscii ? nextPlain(text, i + 1) : length;
        this.normalizeRun(text, i, end);
        i = end;
      }
    }
    let size = this.sawText ? this.size : 0;
    if (removeExtraWhitespaces) while (size > 0 && this.bytes[size - 1] === SPACE_BYTE) size--;
    this.size = size;
    this.reserve(2);
    if (addDummyPrefix && treatWhitespaceAsSuffix && this.sawText) this.bytes[this.size++] = SPACE_BYTE;
    this.bytes[this.size] = END_BYTE;
    return this.size;
  }

  /** Bytes `[from, to)` of the text, which begin and end with a character, in UTF-8 as SentencePiece has them. */
  original(from: number, to: number): Uint8Array {
    const bytes: number[] = [];
    for (let at = from; at < to; ) {
      const lead = this.bytes[at]!;
      if (lead === SPACE_BYTE && this.data.escapeWhitespaces) bytes.push(0xe2, 0x96, 0x81);
      else if (lead === NUL_BYTE) bytes.push(0);
      else for (let i = 0; i < characterBytes(lead); i++) bytes.push(this.bytes[at + i]!);
      at += characterBytes(lead);
    }
    return Uint8Array.from(bytes);
  }

  /** Appends ASCII; `size` is moved by the caller. Four at a time: a turn of a loop costs as much as writing a byte. */
  private copy(text: string, from: number, to: number): void {
    const part = text.slice(from, to);
    const out = this.bytes.subarray(this.size);
    const last = part.length - 4;
    let i = 0;
    while (i <= last) {
      out[i] = part.charCodeAt(i++);
      out[i] = part.charCodeAt(i++);
      out[i] = part.charCodeAt(i++);
      out[i] = part.charCodeAt(i++);
    }
    while (i < part.length) out[i] = part.charCodeAt(i++);
  }

  /** Makes room for `more` bytes past what is there. */
  private reserve(more: number): void {
    if (this.size + more <= this.bytes.length) return;
    const bytes = new Uint8Array((this.size + more) * 2);
    bytes.set(this.bytes.subarray(0, this.size));
    this.bytes = bytes;
  }

  /** `text[from, to)` by user-defined symbols and the map, the longest match at each place. */
  private normalizeRun(text: string, from: number, to: number): void {
    if (this.raw.length < 3 * (to - from)) this.raw = new Uint8Array(6 * (to - from));
    const raw = this.raw;
    const end = encodeUtf8(text, from, to, raw, 0);
    const { charsmapUnits: units, charsmapStrings: strings } = this.data;
    for (let at = 0; at < end; ) {
      let bytes = this.userDefinedBytes(raw, at, end);
      if (bytes > 0) {
        this.append(raw, at, at + bytes);
        at += bytes;
        continue;
      }
      let rule = -1;
      let node = units.length > 0 ? offsetOf(units[0]!) : 0;
      for (let i = at; i < end && units.length > 0; i++) {
        const byte = raw[i]!;
        node ^= byte;
        const unit = units[node]!;
        if ((unit & 0x800000ff) !== byte || byte === 0) break;
        node ^= offsetOf(unit);
        if ((unit & 0x100) !== 0) {
          rule = units[node]! & 0x7fffffff;
          bytes = i + 1 - at;
        }
      }
      if (rule < 0) {
        bytes = characterBytes(raw[at]!);
        this.append(raw, at, at + bytes);
      } else this.append(strings, rule, strings.indexOf(0, rule));
      at += bytes;
    }
  }

  /** Bytes of the longest user-defined symbol at `raw[at]`, 0 if there is none. */
  private userDefinedBytes(raw: Uint8Array, at: number, end: number): number {
    const units = this.data.userUnits;
    let bytes = 0;
    let unit = units[0]!;
    for (let i = at; i < end; i++) {
      const byte = raw[i]!;
      unit = units[(unit >> BASE_SHIFT) ^ byte]!;
      if ((unit & LABEL_MASK) !== byte || byte === 0) break;
      if ((unit & HAS_VALUE) !== 0) bytes = i + 1 - at;
    }
    return bytes;
  }

  /** Appends what one match became, with the rules for spaces. */
  private append(source: Uint8Array, from: number, to: number): void {
    const { removeExtraWhitespaces, escapeWhitespaces } = this.data;
    if (to !== from + 1 || source[from] !== SPACE_BYTE) this.sawText = true;
    if (this.previousIsSpace) while (from < to && source[from] === SPACE_BYTE) from++;
    if (from >= to) return;
    this.reserve(to - from);
    const bytes = this.bytes;
    let size = this.size;
    for (let i = from; i < to; i++) {
      const byte = source[i]!;
      bytes[size++] = byte === 0 ? NUL_BYTE : byte;
      // U+2581 is E2 96 81.
      if (byte === 0x81 && escapeWhitespaces && bytes[size - 2] === 0x96 && bytes[size - 3] === 0xe2) {
        size -= 3;
        bytes[size++] = SPACE_BYTE;
      }
    }
    this.size = size;
    this.previousIsSpace = removeExtraWhitespaces && source[to - 1] === SPACE_BYTE;
  }
}

/** Where a run of plain characters from `from` on ends, all but one that something else than ASCII follows. */
function endOfPlainRun(text: string, from: number): number {
  PLAIN_RUN.lastIndex = from;
  if (!PLAIN_RUN.test(text)) return from;
  const end = PLAIN_RUN.lastIndex;
  return text.charCodeAt(end) >= 0x80 ? end - 1 : end;
}

/** The first place from `from` on at which a plain run may begin: no rule of the map reaches over it. */
function nextPlain(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x20 && code < 0x7f && !(text.charCodeAt(i + 1) >= 0x80)) return i;
  }
  return text.length;
}
