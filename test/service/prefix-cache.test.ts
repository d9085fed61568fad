/** The prefix cache: who may have how much of what is there, which is found, and what goes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreeing, type Entry, idsText, PrefixCache, type Prompt } from '../../src/service/prefix-cache.ts';

const prompt = (owner: string, ids: number[], shared = 0): Prompt => ({
  owner,
  isAnybodys: owner === 'anonymous',
  text: idsText(ids),
  shared,
});
const SYSTEM = [1, 2, 3, 4];
const all = (entry: { cached: number }) => entry.cached;
/** A cache with one conversation of `owner`: a system prompt of 4 ids, a question of 3, an answer of 3. */
function cacheOf(owner: string) {
  const cache = new PrefixCache<{ cached: number }>();
  const ids = [...SYSTEM, 50, 51, 52];
  const entry = cache.add(prompt(owner, ids, 4), { cached: 0 });
  entry.value.cached = 10;
  cache.keep(entry, idsText([...ids, 60, 61, 62]), 100);
  return cache;
}
const lengthFor = (cache: PrefixCache<{ cached: number }>, owner: string, ids: number[]): number =>
  cache.find(prompt(owner, ids, 4), all)?.length ?? 0;

describe('how two lists of ids agree', () => {
  it('is counted by texts as by the ids, those above 2^16 too', () => {
    const ids = fc.array(fc.oneof(fc.nat(3), fc.constantFrom(0xd800, 0x10000, 262_143)), { maxLength: 40 });
    fc.assert(
      fc.property(ids, ids, ids, (begin, a, b) => {
        const [x, y] = [
          [...begin, ...a],
          [...begin, ...b],
        ];
        let length = 0;
        while (length < Math.min(x.length, y.length) && x[length] === y[length]) length++;
        expect(agreeing(idsText(x), idsText(y))).toBe(length);
      }),
    );
    const long = Array.from({ length: 20_000 }, (_, i) => i);
    expect(agreeing(idsText(long), idsText(long.with(12_345, 0)))).toBe(12_345);
  });
});

describe('a prompt that begins as another', () => {
  const turn = [...SYSTEM, 50, 51, 52, 60, 61, 62, 70, 71];
  const other = [...SYSTEM, 50, 51, 99, 60];
  const inAnswer = [...SYSTEM, 50, 51, 52, 60, 99];

  it.each([
    ['the same caller: all that agrees', 'ada', 'ada', [10, 6, 8]],
    ['another caller: the system prompt', 'ada', 'eve', [4, 4, 4]],
    ['anybody, of what anybody asked: whole turns alone', 'anonymous', 'anonymous', [10, 4, 7]],
    ['anybody, of what a caller asked: the system prompt', 'ada', 'anonymous', [4, 4, 4]],
    ['a caller, of what anybody asked: the system prompt', 'anonymous', 'ada', [4, 4, 4]],
  ])('%s', (_, owner, asks, expected) => {
    expect([turn, other, inAnswer].map((ids) => lengthFor(cacheOf(owner), asks, ids))).toEqual(expected);
  });

  it('has nothing of a part of a system prompt that is not its own', () => {
    for (const asks of ['eve', 'anonymous']) expect(lengthFor(cacheOf('ada'), asks, [1, 2, 3, 5, 50])).toBe(0);
    expect(lengthFor(cacheOf('anonymous'), 'anonymous', [1, 2, 3, 5, 50])).toBe(0);
    expect(lengthFor(cacheOf('ada'), 'ada', [1, 2, 3, 5, 50])).toBe(3);
  });

  it('has what is there of one that is still being read', () => {
    const cache = new PrefixCache<{ cached: number }>();
    const entry = cache.add(prompt('ada', turn, 4), { cached: 3 });
    expect(lengthFor(cache, 'ada', turn)).toBe(3);
    expect(lengthFor(cache, 'eve', turn)).toBe(0);
    entry.value.cached = 6;
    expect(lengthFor(cache, 'eve', turn)).toBe(4);
    expect([cache.bytes, cache.count, cache.leastRecent()]).toEqual([0, 0, undefined]);
  });

  it('has the whole turns of earlier ones, when a later one has taken their place', () => {
    const cache = cacheOf('anonymous');
    const next = cache.add(prompt('anonymous', turn, 4), { cached: 15 });
    expect(cache.keep(next, idsText([...turn, 80, 81, 82]), 150)).toHaveLength(1);
    expect([cache.bytes, cache.count]).toEqual([150, 1]);
    // answered anew after the first turn; and after the first question
    expect(lengthFor(cache, 'anonymous', [...turn.slice(0, 10), 90, 91])).toBe(10);
    expect(lengthFor(cache, 'anonymous', [...turn.slice(0, 7), 90, 91])).toBe(7);
    expect(lengthFor(cache, 'anonymous', [...turn.slice(0, 9), 90, 91])).toBe(7);
  });
});

describe('what is kept', () => {
  it('is, of any entries, never another that begins longer and may be had; and the one used longest ago goes first', () => {
    const owners = fc.constantFrom('ada', 'eve', 'anonymous');
    const ids = fc.array(fc.nat(1), { minLength: 1, maxLength: 12 });
    const step = fc.tuple(owners, ids, fc.nat(12));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), owners, ids, (steps, owner, asked) => {
        const cache = new PrefixCache<{ cached: number }>();
        const kept: Entry<{ cached: number }>[] = [];
        for (const [whose, list, shared] of steps) {
          const entry = cache.add(prompt(whose, list, Math.min(shared, list.length)), { cached: list.length });
          for (const part of cache.keep(entry, entry.text, list.length)) kept.splice(kept.indexOf(part), 1);
          kept.push(entry);
        }
        expect(cache.bytes).toBe(kept.reduce((sum, { bytes }) => sum + bytes, 0));
        // the slow way, id by id
        const lengths = kept.map((entry) => {
          const agreed = agreeing(entry.text, idsText(asked));
          if (entry.owner === owner && owner !== 'anonymous') return agreed;
          const ends = [entry.shared, ...(entry.owner === owner ? entry.ends : [])];
          return Math.max(0, ...ends.filter((end) => end <= agreed));
        });
        const found = cache.find(prompt(owner, asked), all);
        expect(found?.length ?? 0).toBe(Math.max(0, ...lengths));
        for (let left = kept.length; left > 0; left--) {
          if (left > 1) expect(cache.leastRecent()).not.toBe(found?.entry);
          cache.remove(cache.leastRecent()!);
        }
        expect([cache.bytes, cache.count, cache.leastRecent()]).toEqual([0, 0, undefined]);
      }),
    );
  });
});
