// A text as the tokenizer searches it: normalised by the map, spaces as the model wants them, in UTF-8 with two changes
// that keep the search quick: a space symbol (U+2581) is the one byte of a space, and NUL is a byte that no piece has.
// Source: SentencePiece, normalizer.cc (Normalize, NormalizePrefix).
import { offsetOf } from './charsmap.ts';
import { BASE_SHIFT, HAS_VALUE, LABEL_MASK } from './double-array.ts';
import type { TokenizerData } from './tokenizer-data.ts';
import { characterBytes, encodeUtf8 } from './utf8.ts';

/** A space. No other byte of normalised text is 0x20, as plain spaces become space symbols (or there are no symbols). */
export const SPACE_BYTE = 0x20;
/** NUL, which double arrays cannot hold: a byte that begins no character and so matches nowhere. */
export const NUL_BYTE = 0x80;
/** Stands after the text and ends every search. */
export const END_BYTE = 0xff;

export class Normalizer {
  /** The text that `normalize` made, then {@link END_BYTE}. Overwritten by the next. */
  bytes = new Uint8Array(1024);

  private size = 0;
  private raw = new Uint8Array(256);
  private previousIsSpace = false;
  private sawText = false;

  constructor(private readonly data: TokenizerData) {}

  /** Normalises `text` into `bytes`. @returns how many bytes of it are the text. */
  normalize(text: string): number {
    const { plainAscii, removeExtraWhitespaces, treatWhitespaceAsSuffix, addDummyPrefix } = this.data;
    const length = text.length;
    this.size = 0;
    this.reserve(length + 2);
    if (length === 0) return this.end();

    let bytes = this.bytes;
    let size = 0;
    let previousIsSpace = removeExtraWhitespaces;
    this.sawText = !removeExtraWhitespaces;
    if (addDummyPrefix && !treatWhitespaceAsSuffix) bytes[size++] = SPACE_BYTE;
    let next = text.charCodeAt(0);
    for (let i = 0; i < length; ) {
      const code = next;
      next = text.charCodeAt(i + 1) | 0; // NaN past the end becomes 0, which counts as ASCII
      if (code < 128 && plainAscii[code] === 1 && next < 128) {
        i++;
        if (code !== SPACE_BYTE) {
          bytes[size++] = code;
          previousIsSpace = false;
        } else if (!previousIsSpace) {
          bytes[size++] = SPACE_BYTE;
          previousIsSpace = removeExtraWhitespaces;
        }
        continue;
      }
      const to = this.endOfRun(text, i);
      this.size = size;
      this.previousIsSpace = previousIsSpace;
      this.normalizeRun(text, i, to);
      this.reserve(length - to + 2);
      i = to;
      next = text.charCodeAt(i) | 0;
      bytes = this.bytes;
      size = this.size;
      previousIsSpace = this.previousIsSpace;
    }
    const prefixBytes = addDummyPrefix && !treatWhitespaceAsSuffix ? 1 : 0;
    const empty = !this.sawText && size === prefixBytes;
    if (empty) size = 0;
    if (removeExtraWhitespaces) while (size > 0 && bytes[size - 1] === SPACE_BYTE) size--;
    if (addDummyPrefix && treatWhitespaceAsSuffix && !empty) bytes[size++] = SPACE_BYTE;
    this.size = size;
    return this.end();
  }

  /** Bytes `[from, to)` of the text, which begin and end with a character, in UTF-8 as SentencePiece has them. */
  original(from: number, to: number): number[] {
    const bytes: number[] = [];
    for (let at = from; at < to; ) {
      const lead = this.bytes[at]!;
      if (lead === SPACE_BYTE && this.data.escapeWhitespaces) bytes.push(0xe2, 0x96, 0x81);
      else if (lead === NUL_BYTE) bytes.push(0);
      else for (let i = 0; i < characterBytes(lead); i++) bytes.push(this.bytes[at + i]!);
      at += characterBytes(lead);
    }
    return bytes;
  }

  private end(): number {
    this.bytes[this.size] = END_BYTE;
    return this.size;
  }

  /** Makes room for `more` bytes past what is there. */
  private reserve(more: number): void {
    if (this.size + more <= this.bytes.length) return;
    const bytes = new Uint8Array((this.size + more) * 2);
    bytes.set(this.bytes.subarray(0, this.size));
    this.bytes = bytes;
  }

  /** The first place past `from` where two plain characters stand side by side: no rule reaches over it. */
  private endOfRun(text: string, from: number): number {
    const { plainAscii } = this.data;
    for (let i = from + 1; i < text.length; i++) {
      if (plainAscii[text.charCodeAt(i)] === 1 && (text.charCodeAt(i + 1) | 0) < 128) return i;
    }
    return text.length;
  }

  /** `text[from, to)` by user-defined symbols and the map, the longest match at each place. */
  private normalizeRun(text: string, from: number, to: number): void {
    if (this.raw.length < 3 * (to - from)) this.raw = new Uint8Array(6 * (to - from));
    const raw = this.raw;
    const end = encodeUtf8(text, from, to, raw, 0);
    const { charsmapUnits: units, charsmapStrings: strings } = this.data;
    const hasRules = units.length > 0;
    const hasUserDefined = this.data.userUnits.length > 256 || this.data.userUnits[0] !== 0;
    for (let at = 0; at < end; ) {
      let bytes = hasUserDefined ? this.userDefinedBytes(raw, at, end) : 0;
      if (bytes > 0) {
        this.append(raw, at, at + bytes);
        at += bytes;
        continue;
      }
      let rule = -1;
      if (hasRules) {
        let node = offsetOf(units[0]!);
        for (let i = at; i < end; i++) {
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
    if (from === to) return;
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
