/** SHA-256 by the kernels against Node's, over lengths on every edge of a block, in pieces and in one. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/tensor/arena.ts';
import { HEADER_BYTES } from '../../src/tensor/assembly/protocol.ts';
import { Sha256 } from '../../src/tensor/sha256.ts';
import { newUnit } from './machines.ts';

const unit = newUnit();
const arena = new Arena(unit);
const sha256 = new Sha256(unit, (bytes) => arena.allocate(bytes));
const expected = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const behindHeader = (bytes: Uint8Array): Uint8Array => {
  const mailbox = new Uint8Array(HEADER_BYTES + bytes.length);
  mailbox.set(bytes, HEADER_BYTES);
  return mailbox;
};

describe('sha256', () => {
  it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 100_003])('%i bytes', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + 7) & 0xff);
    const whole = length - (length % 64);
    let state = sha256.begin();
    for (let at = 0; at < whole; at += 6400) {
      state = sha256.update(state, behindHeader(bytes.slice(at, Math.min(at + 6400, whole))));
    }
    expect(Buffer.from(sha256.digest(state, bytes.slice(whole))).toString('hex')).toBe(expected(bytes));
  });

  it('refuses pieces that are no whole blocks, before the last', () => {
    expect(() => sha256.update(sha256.begin(), behindHeader(new Uint8Array(65)))).toThrow(
      'multiple of 64 bytes, got 65',
    );
  });
});
