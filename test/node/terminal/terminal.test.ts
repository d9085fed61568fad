/** What looks different on a terminal than in a file. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { cyclesText, short } from '../../../src/node/terminal/numbers.ts';
import { dim, showProgress } from '../../../src/node/terminal/terminal.ts';

/** A stream that may be a terminal, and what it was written. */
function stream(isTTY: boolean) {
  const written: string[] = [];
  const pipe = new PassThrough().on('data', (data) => written.push(String(data)));
  const terminal = { isTTY, columns: 120, cursorTo() {}, clearLine() {}, moveCursor() {} };
  return { stream: Object.assign(pipe, terminal) as unknown as NodeJS.WriteStream, written: () => written.join('') };
}

describe('progress', () => {
  it('is a line at every quarter in a file', () => {
    const { stream: file, written } = stream(false);
    const progress = showProgress('Uploading', 8_000_000, file);
    for (const done of [0, 1e6, 2e6, 3e6, 7e6, 8e6, 8e6]) progress.update(done);
    progress.stop();
    expect(written()).toBe('Uploading 25% of 8.0 MB\nUploading 75% of 8.0 MB\nUploading 100% of 8.0 MB\n');
  });

  it('is a bar on a terminal', () => {
    const { stream: terminal, written } = stream(true);
    const progress = showProgress('Uploading', 8_000_000, terminal);
    progress.update(8_000_000);
    progress.stop();
    expect(written()).toContain('Uploading ████████████████████████████████████████ 100% of 8.0 MB');
  });
});

it('colours are for terminals', () => {
  expect(dim('x', stream(false).stream)).toBe('x');
  const { NO_COLOR } = process.env;
  delete process.env.NO_COLOR;
  expect(dim('x', stream(true).stream)).toBe('\x1b[2mx\x1b[22m');
  process.env.NO_COLOR = '1';
  expect(dim('x', stream(true).stream)).toBe('x');
  if (NO_COLOR === undefined) delete process.env.NO_COLOR;
});

it('numbers are short, and cycles are money', () => {
  expect([7, 1234, 999_999, 1_530_000_000, 24_800_000n, 2e12].map(short)).toEqual([
    '7',
    '1,234',
    '999,999',
    '1.53 B',
    '24.8 M',
    '2.00 T',
  ]);
  expect(cyclesText(1_290_000_000n)).toBe('1.29 B cycles = 0.00129 XDR, about 0.0017 USD if an XDR is 1.35 USD');
});
