/** Turns: who is worked on next, who waits, and what is set aside. */
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/service/turns.ts';

const s = (owner: string, n: number) => ({ owner, n });

describe('turns', () => {
  it('go from owner to owner, up to a number that is worked on', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    for (const session of [s('a', 0), s('a', 1), s('a', 2), s('b', 3), s('c', 4)]) turns.queueUp(session);
    const order = [];
    for (let next = turns.next(4); next; next = turns.next(4)) order.push(next.n);
    expect(order).toEqual([0, 3, 4, 1]);
    expect(turns.queued).toBe(1);
    expect(turns.active.length).toBe(4);
  });

  it('let go of whoever steps out, from the line or from the ring', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    const [a, b, c] = [s('a', 0), s('a', 1), s('b', 2)];
    for (const session of [a, b, c]) turns.queueUp(session);
    turns.next(1);
    turns.stepOut(a);
    expect(turns.active).toEqual([]);
    turns.stepOut(c);
    turns.stepOut(c);
    expect(turns.queued).toBe(1);
    expect(turns.next(1)).toBe(b);
    expect(turns.next(2)).toBeUndefined();
  });

  it('set aside all that wait, each once, and not what is worked on', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    for (let i = 0; i < 7; i++) turns.queueUp(s(`${i % 2}`, i));
    turns.next(1);
    turns.setAside();
    expect(turns.queued).toBe(0);
    expect(turns.next(5)).toBeUndefined();
    const aside = [];
    for (let one = turns.nextAside(); one; one = turns.nextAside()) aside.push(one.n);
    expect(aside.sort()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(turns.active.length).toBe(1);
    turns.stopWork();
    expect(turns.active.length).toBe(0);
  });
});
