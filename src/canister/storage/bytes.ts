/** Text and JSON as bytes. Nothing of Azle, so that what is stored can be read and tested in Node. */
import { joinBytes } from '../../text/bytes.ts';
import { decodeUtf8, utf8Of } from '../../text/utf8.ts';

/** In an array of its own. */
export const utf8 = (text: string): Uint8Array => utf8Of(text).slice();
export const toJsonBytes = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
export const fromJsonBytes = <T>(bytes: Uint8Array): T => JSON.parse(decodeUtf8(bytes));

export const join = (...parts: Uint8Array[]): Uint8Array => joinBytes(parts);

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** With padding, as in RFC 4648, section 4. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const three = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += BASE64[three >> 18]! + BASE64[(three >> 12) & 63] + BASE64[(three >> 6) & 63] + BASE64[three & 63];
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  return text.slice(0, text.length - missing) + '='.repeat(missing);
}

/**
 * Bytes as the build writes them into the program: 32-bit words, little-endian, in JSON, and how many bytes of them
 * count.
 */
export interface Packed {
  bytes: number;
  words: string;
}

/** An engine reads JSON natively: 2,500 instructions a byte, where decoding Base64 in an interpreter takes 4,200. */
export const unpack = ({ bytes, words }: Packed): Uint8Array =>
  new Uint8Array(new Int32Array(JSON.parse(words)).buffer, 0, bytes);
