/**
 * Stop strings: what is shown of a text does not depend on how it is cut into tokens, and no part of one is ever shown.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopStream, shownText, stopIndex } from '../../src/text/stop-strings.ts';

const seed = Number(process.env['SEED'] ?? 2026);

/** A stream whose ids are places in a list of texts. */
const streamOf = (parts: readonly string[]) => ({ push: (id: number) => parts[id]!, end: () => '' });

function streamed(parts: readonly string[], stops: readonly string[]) {
  const stream = new StopStream(streamOf(parts), stops);
  const shown: string[] = [];
  for (let id = 0; id < parts.length && !stream.isStopped; id++) shown.push(stream.push(id));
  return { shown, text: shown.join('') + stream.end(), isStopped: stream.isStopped };
}

describe('a stop string', () => {
  it.each([
    ['within a token', ['one. Two'], ['.'], 'one'],
    ['over the border of two', ['a</', 'b>c'], ['</b>'], 'a'],
    ['over the borders of many', ['x', '<', '|', 'e', 'n', 'd', '|', '>', 'y'], ['<|end|>'], 'x'],
    ['that begins and does not go on', ['a<', '<b'], ['<b'], 'a<'],
    ['that begins within its own beginning', ['aab', 'aac'], ['aabaac'], ''],
    ['at the very beginning', ['\n\nx'], ['\n'], ''],
    ['that never comes', ['ab', 'c<'], ['<b'], 'abc<'],
    ['whole before a longer one that began before it', ['ab', 'cd'], ['abcd', 'bc'], 'a'],
    ['that ends where a longer one does', ['x', 'abc'], ['c', 'abc', 'bc'], 'x'],
    ['of surrogates', ['a😀', '😀b'], ['😀😀'], 'a'],
  ])('%s', (_, parts, stops, text) => {
    expect(streamed(parts, stops).text).toBe(text);
    expect(shownText(parts.join(''), stops)).toBe(text);
  });

  it('is found at the same place however a text is cut, and what was shown is always a beginning of the answer', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 12 }), stops, (parts, stops) => {
        const whole = shownText(parts.join(''), stops);
        const { text, isStopped } = streamed(parts, stops);
        expect(text).toBe(whole);
        expect(isStopped).toBe(stopIndex(parts.join(''), stops) >= 0);
        let sofar = '';
        for (const part of parts) {
          sofar += part;
          expect(whole.startsWith(shownText(sofar, stops, false))).toBe(true);
        }
        // one letter at a time gives the earliest end, which is what the rule says
        expect(streamed([...parts.join('')], stops).text).toBe(whole);
      }),
      { seed, numRuns: 2_000 },
    );
  });
});
