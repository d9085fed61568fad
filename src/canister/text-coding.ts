/**
 * TextEncoder and TextDecoder for UTF-8, in place of Azle's, which know forty encodings and take 14,000 instructions a character. Candid's library
 * uses them for every text and every field name. Imported for its effect, before everything else.
 */
import { decodeUtf8, encodeUtf8 } from '../model/tokenizer/utf8.ts';

class Utf8Encoder {
  readonly encoding = 'utf-8';

  encode(text = ''): Uint8Array {
    const bytes = new Uint8Array(text.length * 3);
    return bytes.slice(0, encodeUtf8(text, 0, text.length, bytes, 0));
  }
}

class Utf8Decoder {
  readonly encoding = 'utf-8';
  readonly fatal: boolean;

  constructor(_encoding = 'utf-8', { fatal = false }: { fatal?: boolean } = {}) {
    this.fatal = fatal;
  }

  /** @throws TypeError where `fatal` is set and the bytes are not UTF-8 */
  decode(input: ArrayBuffer | ArrayBufferView = new Uint8Array(0)): string {
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    const text = decodeUtf8(bytes);
    // a U+FFFD may also be in the text itself: then it has bytes of its own
    if (this.fatal && text.includes('\ufffd') && new Utf8Encoder().encode(text).length !== bytes.length) {
      throw new TypeError(`TextDecoder: expected UTF-8, got ${bytes.length} bytes that are not`);
    }
    return text;
  }
}

Object.assign(globalThis, { TextEncoder: Utf8Encoder, TextDecoder: Utf8Decoder });
