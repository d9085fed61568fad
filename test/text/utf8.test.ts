/**
 * UTF-8 in plain loops and by the engine's own functions: the same as TextEncoder and TextDecoder, but for bytes that
 * are broken.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codePointAt, decodeUtf8, encodeUtf8, utf8Of } from '../../src/text/utf8.ts';

describe('decodeUtf8', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const bytes = new TextEncoder().encode(text);
        expect(decodeUtf8(bytes)).toBe(text);
        const out = new Uint8Array(text.length * 3);
        expect(out.slice(0, encodeUtf8(text, 0, text.length, out, 0))).toEqual(bytes);
        expect(utf8Of(text)).toEqual(bytes);
        const ascii = text.replace(/[^\0-\x7f]/g, 'x');
        expect(utf8Of(ascii)).toEqual(new TextEncoder().encode(ascii));
      }),
    );
  });

  it('makes one U+FFFD of each byte that is no part of a character', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        let wanted = '';
        for (let at = 0; at < bytes.length; ) {
          const code = codePointAt(bytes, at, bytes.length);
          const char = code < 0 ? '\ufffd' : String.fromCodePoint(code);
          wanted += char;
          at += code < 0 ? 1 : new TextEncoder().encode(char).length;
        }
        expect(decodeUtf8(bytes)).toBe(wanted);
      }),
      { numRuns: 2_000 },
    );
    expect(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80, 0x61))).toBe('\ufffd\ufffd\ufffda');
    expect(decodeUtf8(Uint8Array.of(0xc0, 0x80, 0xe2, 0x82))).toBe('\ufffd\ufffd\ufffd\ufffd');
  });

  it('of a part', () => {
    expect(decodeUtf8(new TextEncoder().encode('aé€b'), 1, 6)).toBe('é€');
  });
});
