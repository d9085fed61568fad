/** Quotas: what was spent stays spent, what was promised is promised once, and a day ends at midnight. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type Amount, type Limits, Quotas, type Reservation } from '../../src/service/quotas.ts';

const any: Limits = { sessions: 0, day: { tokens: 0, cycles: 0 }, dayOverall: { tokens: 0, cycles: 0 } };
const of = (tokens: number, cycles = 0): Amount => ({ tokens, cycles });

describe('quotas', () => {
  it('count what is promised and what is spent, once', () => {
    const quotas = new Quotas(() => 1);
    const limits = { ...any, day: of(0, 100) };
    const session = quotas.begin('a', of(0, 60));
    expect(quotas.overLimit('start', 'a', of(0, 41), limits)).toBe(
      'start: expected at most 100 cycles a day, got 0, 60 promised and up to 41 more; the day ends at midnight UTC',
    );
    quotas.spend(session, of(0, 50));
    expect(quotas.overLimit('start', 'a', of(0, 40), limits)).toBeUndefined();
    expect(quotas.overLimit('start', 'a', of(0, 41), limits)).toContain('got 50, 10 promised');
    quotas.end(session);
    expect(quotas.overLimit('start', 'a', of(0, 50), limits)).toBeUndefined();
    expect(quotas.overLimit('start', 'a', of(0, 51), limits)).toContain('got 50 and up to 51 more');
  });

  it('never give back what was spent, and a session that ends after midnight leaves the new day as it is', () => {
    let day = 1;
    const quotas = new Quotas(() => day);
    const [late, early] = [quotas.begin('a', of(500)), quotas.begin('a', of(500))];
    quotas.spend(early, of(20));
    quotas.end(early);
    expect(quotas.spentBy('a').tokens).toBe(20);
    day = 2;
    const today = quotas.begin('a', of(100));
    quotas.spend(today, of(30));
    quotas.end(late);
    expect(quotas.spentBy('a').tokens).toBe(30);
    expect(quotas.overLimit('start', 'a', of(1), { ...any, day: of(100) })).toContain('got 30, 70 promised');
  });

  it('count work that came to nothing, and more than was promised', () => {
    const quotas = new Quotas(() => 1);
    quotas.spendFreely('a', of(0, 7));
    const session = quotas.begin('a', of(0, 5));
    quotas.spend(session, of(0, 9));
    quotas.end(session);
    expect(quotas.spentBy('a').cycles).toBe(16);
    expect(quotas.overLimitOfAll('start', of(0, 1), { ...any, dayOverall: of(0, 16) })).toContain('for all callers');
  });

  it('bound all callers together, whoever they are', () => {
    const quotas = new Quotas(() => 1);
    for (const who of ['a', 'b', 'c']) quotas.begin(who, of(10));
    expect(quotas.overLimit('start', 'd', of(10), { ...any, day: of(10) })).toBeUndefined();
    expect(quotas.overLimitOfAll('start', of(10), { ...any, dayOverall: of(39) })).toContain('30 promised');
  });

  it('outlive an upgrade for the day, the first version’s too', () => {
    let day = 7;
    const quotas = new Quotas(() => day, { tokens: 17, day: 7 });
    quotas.remember('a', [12, 7]);
    quotas.remember('b', [5, 6]);
    expect([quotas.spentBy('a').tokens, quotas.spentBy('b').tokens]).toEqual([12, 0]);
    quotas.spendFreely('a', of(1, 99));
    const { callers, all } = quotas.save();
    const again = new Quotas(() => day, all);
    // what is spent before it is remembered counts, too
    again.spendFreely('a', of(2, 1));
    for (const [who, spent] of callers) again.remember(who, spent);
    expect(again.spentBy('a')).toEqual(of(15, 100));
    expect(again.overLimitOfAll('start', of(1), { ...any, dayOverall: of(20) })).toContain('got 20 and');
    day = 8;
    expect(again.spentBy('a')).toEqual(of(0));
    expect(new Quotas(() => day, all).overLimitOfAll('start', of(1), { ...any, dayOverall: of(1) })).toBeUndefined();
  });

  it('write down nothing of yesterday as spent today, of whoever is under way over midnight neither', () => {
    let day = 1;
    const quotas = new Quotas(() => day);
    quotas.spend(quotas.begin('busy', of(50)), of(20, 30));
    quotas.spendFreely('idle', of(1));
    day = 2;
    expect(quotas.save()).toEqual({ callers: [], all: { tokens: 0, cycles: 0, day: 2 } });
  });

  it('bound the sessions of one caller, those under way only', () => {
    const quotas = new Quotas(() => 1);
    const limits = { ...any, sessions: 2 };
    const first = quotas.begin('a', of(1));
    expect(quotas.overLimit('start', 'a', of(1), limits)).toBeUndefined();
    quotas.begin('a', of(1));
    const refused = 'start: expected fewer than 2 sessions of one caller under way, got 2';
    expect(quotas.overLimit('start', 'a', of(1), limits)).toBe(refused);
    expect(quotas.overLimit('start', 'b', of(1), limits)).toBeUndefined();
    expect(quotas.overLimit('start', 'a', of(1), any)).toBeUndefined();
    quotas.end(first);
    expect(quotas.overLimit('start', 'a', of(1), limits)).toBeUndefined();
  });

  it('leave nothing promised in a reservation that has ended, so that it ends once', () => {
    const quotas = new Quotas(() => 1);
    const session = quotas.begin('a', of(10, 20));
    quotas.spend(session, of(4, 5));
    quotas.end(session);
    expect(session).toMatchObject(of(0, 0));
    quotas.spend(session, of(1, 1));
    expect(quotas.overLimit('start', 'a', of(1), { ...any, day: of(6) })).toBeUndefined();
    expect(quotas.overLimit('start', 'a', of(2), { ...any, day: of(6) })).toContain('got 5 and up to 2 more');
  });

  it('are written down for those who have spent, tokens or cycles; callers of other days are forgotten', () => {
    let day = 3;
    const quotas = new Quotas(() => day);
    quotas.spentBy('asked only');
    quotas.spendFreely('tokens', of(1, 0));
    quotas.spendFreely('cycles', of(0, 1));
    expect(Object.fromEntries(quotas.save().callers)).toEqual({ tokens: [1, 3, 0], cycles: [0, 3, 1] });
    const late = quotas.begin('late', of(5));
    day = 4;
    quotas.forget();
    expect(quotas.save().callers).toEqual([]);
    // whoever is under way is not forgotten: what is promised still counts
    expect(quotas.overLimit('start', 'late', of(1), { ...any, day: of(5) })).toContain('5 promised');
    quotas.end(late);
  });

  it('push out whom they saw first, and nobody before they are full', () => {
    const quotas = new Quotas(() => 1);
    for (let i = 0; i < 10_000; i++) quotas.spendFreely(`${i}`, of(1));
    expect(quotas.save().callers).toHaveLength(10_000);
    expect(quotas.spentBy('0').tokens).toBe(1);
    quotas.spendFreely('one more', of(1));
    expect(quotas.save().callers).toHaveLength(10_000);
    expect(quotas.spentBy('9999').tokens).toBe(1);
    expect(quotas.spentBy('0').tokens).toBe(0);
  });

  it('push out nobody who has something under way', () => {
    const quotas = new Quotas(() => 1);
    const session = quotas.begin('first', of(10));
    for (let i = 0; i < 10_000; i++) quotas.spendFreely(`${i}`, of(1));
    expect(quotas.overLimit('start', 'first', of(1), { ...any, sessions: 1 })).toContain('got 1');
    quotas.end(session);
  });

  it('walk over callers once a day to forget them', () => {
    let day = 1;
    const quotas = new Quotas(() => day);
    for (let i = 0; i < 500; i++) quotas.spendFreely(`${i}`, of(1));
    quotas.forget();
    const next = vi.spyOn(Object.getPrototypeOf(new Map().entries()), 'next');
    for (let i = 0; i < 10; i++) quotas.forget();
    expect(next).not.toHaveBeenCalled();
    day = 2;
    quotas.forget();
    expect(next.mock.calls.length).toBeGreaterThan(500);
    vi.restoreAllMocks();
  });

  it('walk over nobody for a newcomer, however many have something under way', () => {
    const quotas = new Quotas(() => 1);
    const sessions = Array.from({ length: 12_000 }, (_, i) => quotas.begin(`${i}`, of(1)));
    const next = vi.spyOn(Object.getPrototypeOf(new Map().entries()), 'next');
    for (let i = 0; i < 10; i++) quotas.spendFreely(`newcomer ${i}`, of(1));
    expect(next.mock.calls.length).toBeLessThanOrEqual(20);
    vi.restoreAllMocks();
    // each has pushed out the one before
    expect(quotas.spentBy('newcomer 8').tokens).toBe(0);
    expect(quotas.spentBy('11999').tokens).toBe(0);
    for (const session of sessions) quotas.end(session);
  });

  it('hold no more callers than there is room for; whoever is under way stays', () => {
    const quotas = new Quotas(() => 1);
    const session = quotas.begin('first', of(10));
    for (let i = 0; i < 10_500; i++) quotas.spendFreely(`stranger ${i}`, of(1));
    expect(quotas.save().callers.length).toBeLessThanOrEqual(10_000);
    quotas.spend(session, of(3));
    expect(quotas.spentBy('first').tokens).toBe(3);
  });

  it('are in order after any work: promises add up to those of sessions under way, what is spent only grows within a day', () => {
    const step = fc.record({
      what: fc.constantFrom('begin', 'spend', 'end', 'midnight', 'refused'),
      who: fc.constantFrom('a', 'b'),
      n: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let day = 1;
        const quotas = new Quotas(() => day);
        let open: Reservation[] = [];
        const spent = { a: 0, b: 0 } as Record<string, number>;
        for (const { what, who, n } of steps) {
          const mine = open.find((session) => session.who === who);
          if (what === 'begin') open.push(quotas.begin(who, of(n, n)));
          else if (what === 'spend' && mine) {
            quotas.spend(mine, of(n, n));
            spent[who]! += n;
          } else if (what === 'end' && mine) {
            quotas.end(mine);
            open = open.filter((session) => session !== mine);
          } else if (what === 'refused') {
            quotas.spendFreely(who, of(0, n));
          } else if (what === 'midnight') {
            day += 1;
            spent['a'] = spent['b'] = 0;
          }
          for (const name of ['a', 'b']) {
            expect(quotas.spentBy(name).tokens).toBe(spent[name]);
            const promised = open.filter((s) => s.who === name).reduce((sum, s) => sum + s.tokens, 0);
            const left = { ...any, day: of(spent[name]! + promised + 5) };
            expect(quotas.overLimit('m', name, of(5), left)).toBeUndefined();
            expect(quotas.overLimit('m', name, of(6), left)).toBeDefined();
          }
        }
      }),
      { seed: 13, numRuns: 200 },
    );
  });
});
