/** Text, JSON and hexadecimal as bytes. Nothing of Azle, so that what is stored can be read and tested in Node. */
import { decodeUtf8, encodeUtf8 } from '../model/tokenizer/utf8.ts';

export function utf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  return bytes.slice(0, encodeUtf8(text, 0, text.length, bytes, 0));
}
export const toJsonBytes = (value: unknown): Uint8Array => utf8(JSON.stringify(value));
export const fromJsonBytes = <T>(bytes: Uint8Array): T => JSON.parse(decodeUtf8(bytes));

/** Lowercase. */
export const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
