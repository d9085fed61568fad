// UTF-8 to and from JavaScript strings in plain loops. The canister's TextEncoder and TextDecoder are themselves
// JavaScript and do more; and SentencePiece's rule for broken bytes (one U+FFFD each) is not TextDecoder's.

/**
 * Writes `text[from, to)` as UTF-8 to `out` at `at`; a lone surrogate becomes U+FFFD. Needs up to 3 bytes a code unit.
 * @returns where the next byte would go.
 */
export function encodeUtf8(text: string, from: number, to: number, out: Uint8Array, at: number): number {
  for (let i = from; i < to; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      out[at++] = code;
      continue;
    }
    if (code < 0x800) {
      out[at++] = 0xc0 | (code >> 6);
      out[at++] = 0x80 | (code & 63);
      continue;
    }
    if ((code & 0xf800) === 0xd800) {
      const low = i + 1 < to ? text.charCodeAt(i + 1) : 0;
      if (code < 0xdc00 && (low & 0xfc00) === 0xdc00) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        i++;
        out[at++] = 0xf0 | (code >> 18);
        out[at++] = 0x80 | ((code >> 12) & 63);
        out[at++] = 0x80 | ((code >> 6) & 63);
        out[at++] = 0x80 | (code & 63);
        continue;
      }
      code = 0xfffd;
    }
    out[at++] = 0xe0 | (code >> 12);
    out[at++] = 0x80 | ((code >> 6) & 63);
    out[at++] = 0x80 | (code & 63);
  }
  return at;
}

/** Makes bytes of a text that has no lone surrogate; undefined of one that has. `most`: what its bytes are at most. */
type Encode = (text: string, most: number) => Uint8Array | undefined;
let native: Encode | undefined;

/** Where a host has native code for it. */
export function useNativeUtf8(encode: Encode): void {
  native = encode;
}
/** Below that, a call to native code takes longer. */
const SHORT = 24;

/**
 * A text as UTF-8. In an interpreter 2,100 instructions a character of ASCII, 4,000 to 8,000 of others; by native code
 * some tens.
 */
export function utf8Of(text: string): Uint8Array {
  const isAscii = ASCII.test(text);
  const bytesOf = text.length < SHORT ? undefined : native?.(text, isAscii ? text.length : 3 * text.length);
  if (bytesOf) return bytesOf;
  if (isAscii) return asciiBytes(text);
  const bytes = new Uint8Array(text.length * 3);
  return bytes.subarray(0, encodeUtf8(text, 0, text.length, bytes, 0));
}

/** Four at a time: in an interpreter a turn of a loop costs as much as writing a byte. */
function asciiBytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  const last = text.length - 4;
  let i = 0;
  while (i <= last) {
    out[i] = text.charCodeAt(i++);
    out[i] = text.charCodeAt(i++);
    out[i] = text.charCodeAt(i++);
    out[i] = text.charCodeAt(i++);
  }
  while (i < text.length) out[i] = text.charCodeAt(i++);
  return out;
}

/** Bytes of the character whose first byte is `lead`; 1 for a byte that begins none. */
export function characterBytes(lead: number): number {
  return lead < 0xc0 || lead > 0xf7 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/**
 * The code point at `bytes[at]`, which ends before `end`.
 * @returns -1 if the bytes there are no valid character, -2 if they could be the beginning of one that `end` cuts off.
 */
export function codePointAt(bytes: ArrayLike<number>, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return lead;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const length = characterBytes(lead);
  let code = lead & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    if (at + i >= end) return -2;
    const trail = bytes[at + i]!;
    if ((trail & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (trail & 63);
    // The first trailing byte already shows overlong forms, surrogates and what is past U+10FFFF.
    if (i === 1 && ((lead === 0xe0 && trail < 0xa0) || (lead === 0xed && trail > 0x9f))) return -1;
    if (i === 1 && ((lead === 0xf0 && trail < 0x90) || (lead === 0xf4 && trail > 0x8f))) return -1;
  }
  return code;
}

/** The string of `bytes[from, to)`; a byte that is no part of a character becomes U+FFFD. Quick where all is ASCII. */
export function decodeUtf8(bytes: Uint8Array, from = 0, to = bytes.length): string {
  return decodeNative(bytes, from, to) ?? decodeBroken(bytes, from, to);
}

/**
 * The same, but that the longest beginning of a character, cut off or not gone on with, becomes one U+FFFD: as
 * TextDecoder and Rust have it.
 */
export function decodeUtf8Lossy(bytes: Uint8Array, from = 0, to = bytes.length): string {
  return decodeNative(bytes, from, to) ?? decodeBroken(bytes, from, to, true);
}

/**
 * By native code: 2,000 instructions a byte in the canister, where decodeBroken takes 7,000. Undefined where bytes are
 * broken.
 */
function decodeNative(bytes: Uint8Array, from: number, to: number): string | undefined {
  return decodeLatin1(stringOf(bytes, from, to));
}

/** Bytes as a string of as many characters, U+0000 to U+00FF, which native code searches and replaces in. */
export const latin1Of = (bytes: Uint8Array): string => stringOf(bytes, 0, bytes.length);

/** What such a string is by UTF-8; undefined where bytes are broken. */
export function decodeLatin1(latin1: string): string | undefined {
  if (ASCII.test(latin1)) return latin1;
  try {
    return decodeURIComponent(escape(latin1));
  } catch {
    return undefined;
  }
}

/** Bytes that could be the beginning of a character, from a byte on that begins none which is whole; 1 at least. */
function brokenBytes(bytes: Uint8Array, at: number, end: number): number {
  let count = 1;
  // a beginning is what more bytes may follow
  while (count < 3 && at + count < end && codePointAt(bytes, at, at + count + 1) === -2) count++;
  return count;
}

/** The same, whatever the bytes are. */
function decodeBroken(bytes: Uint8Array, from: number, to: number, isLossy = false): string {
  const units = new Uint16Array(to - from);
  let count = 0;
  for (let at = from; at < to; ) {
    const code = codePointAt(bytes, at, to);
    if (code > 0xffff) {
      units[count++] = 0xd7c0 + (code >> 10);
      units[count++] = 0xdc00 | (code & 0x3ff);
    } else units[count++] = code < 0 ? 0xfffd : code;
    at += code >= 0 ? characterBytes(bytes[at]!) : isLossy ? brokenBytes(bytes, at, to) : 1;
  }
  return stringOf(units, 0, count);
}

/** Of UTF-16 units. A string that grows by a character at a time costs the square of its length in QuickJS. */
function stringOf(units: Uint8Array | Uint16Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += MAX_ARGUMENTS) {
    const part = units.subarray(at, Math.min(at + MAX_ARGUMENTS, to));
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}

/** Engines bound the arguments of a call. */
const MAX_ARGUMENTS = 8192;
const ASCII = /^[\0-\x7f]*$/;
