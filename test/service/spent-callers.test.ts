/** What callers had spent, in pieces: nobody is lost, or counted twice, wherever reading is interrupted. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SpentOnDay } from '../../src/service/quotas.ts';
import { SpentCallers } from '../../src/service/spent-callers.ts';

const json = (text: string): Uint8Array => new TextEncoder().encode(text);
const principal = (n: number): string => `${n.toString(36)}-`.padEnd(63, 'abcde-');
const many = (count: number): [string, SpentOnDay][] =>
  Array.from({ length: count }, (_, n) => [principal(n), [n, 20_000, n * 1_000_003]]);

function readAll(saved: SpentCallers): [string, SpentOnDay][] {
  const callers: [string, SpentOnDay][] = [];
  while (!saved.isRead) callers.push(...saved.next());
  return callers;
}

it('is read in pieces of some 8 kB, as it was written before there were pieces, too', () => {
  const callers = many(3_000);
  const saved = new SpentCallers(json(JSON.stringify(Object.fromEntries(callers))));
  const read: [string, SpentOnDay][] = [];
  while (!saved.isRead) {
    const piece = saved.next();
    expect(piece.length).toBeLessThan(200);
    read.push(...piece);
  }
  expect(new Map(read)).toEqual(new Map(callers));
  expect(readAll(new SpentCallers(json('{"a":[12,7],"b":[5,6]}')))).toEqual([
    ['a', [12, 7]],
    ['b', [5, 6]],
  ]);
});

it.each([[undefined], ['{}']])('may be nothing: %s', (text) => {
  const saved = new SpentCallers(text === undefined ? undefined : json(text));
  expect(saved.isRead).toBe(true);
  expect(new TextDecoder().decode(saved.withUnread([]))).toBe('{}');
  expect(new TextDecoder().decode(saved.withUnread([['a', [1, 2, 3]]]))).toBe('{"a":[1,2,3]}');
});

it('is written down with what is not read yet, as often as that is so', () => {
  // names of API keys are anybody's choice
  const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('],"', '"],"x', ']}', 'é],"', '\\],"'));
  const spent = fc.tuple(fc.nat(), fc.nat(), fc.nat());
  const callers = fc.uniqueArray(fc.tuple(name, spent), { selector: ([who]) => who, maxLength: 700 });
  fc.assert(
    fc.property(callers, fc.array(fc.nat(4), { maxLength: 4 }), (all, upgrades) => {
      let saved = new SpentCallers(new SpentCallers().withUnread(all));
      for (const pieces of upgrades) {
        const read: [string, SpentOnDay][] = [];
        for (let i = 0; i < pieces && !saved.isRead; i++) read.push(...saved.next());
        saved = new SpentCallers(saved.withUnread(read));
      }
      const read = readAll(saved);
      expect(read).toHaveLength(all.length);
      expect(new Map(read)).toEqual(new Map(all));
    }),
    { seed: 5, numRuns: 60 },
  );
});
