/** The canister's TextEncoder and TextDecoder against Node's. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: plain JavaScript, for QuickJS
import * as ours from '../../packages/text-encoding/index.js';

const encoder = new ours.TextEncoder();

describe('text-encoding', () => {
  it('encodes any string as Node does, lone surrogates too', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((c) => String.fromCharCode(c)) }),
        (text) => {
          expect(encoder.encode(text)).toEqual(new TextEncoder().encode(text));
        },
      ),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(encoder.encode(text)).toEqual(new TextEncoder().encode(text));
        expect(new ours.TextDecoder('utf-8', { ignoreBOM: true }).decode(encoder.encode(text))).toBe(text);
      }),
    );
  });

  it('decodes any bytes as Node does, broken ones too', () => {
    const nearUtf8 = fc.array(
      fc.oneof(
        fc.constantFrom(0xe2, 0x96, 0x81, 0xf0, 0x9f, 0xed, 0xa0, 0xc0, 0xf4, 0x90, 0xef, 0xbb, 0xbf),
        fc.nat(255),
      ),
    );
    fc.assert(
      fc.property(nearUtf8, (values) => {
        const bytes = Uint8Array.from(values);
        expect(new ours.TextDecoder().decode(bytes)).toBe(new TextDecoder().decode(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  it('decodes views where they begin, and throws where it is told to', () => {
    const bytes = Uint8Array.of(0xff, 0x68, 0x69, 0xff);
    expect(new ours.TextDecoder().decode(bytes.subarray(1, 3))).toBe('hi');
    expect(new ours.TextDecoder().decode(new Uint8Array(20_000).fill(0x61))).toBe('a'.repeat(20_000));
    expect(() => new ours.TextDecoder('utf-8', { fatal: true }).decode(bytes)).toThrow('expected UTF-8');
    expect(() => new ours.TextDecoder('latin1')).toThrow('expected utf-8, got latin1');
  });
});
