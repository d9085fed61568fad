/** Turns: who is worked on next, who waits, and what is set aside. */
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/service/turns.ts';

const one = () => 1;
const s = (owner: string, n: number) => ({ owner, n });

describe('turns', () => {
  it('go from owner to owner, up to a number that is worked on', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    for (const session of [s('a', 0), s('a', 1), s('a', 2), s('b', 3), s('c', 4)]) turns.queueUp(session);
    const order = [];
    for (let next = turns.next(4, one); next; next = turns.next(4, one)) order.push(next.n);
    expect(order).toEqual([0, 3, 4, 1]);
    expect(turns.queued).toBe(1);
    expect(turns.active.length).toBe(4);
  });

  it('let go of whoever steps out, from the line or from the ring', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    const [a, b, c] = [s('a', 0), s('a', 1), s('b', 2)];
    for (const session of [a, b, c]) turns.queueUp(session);
    turns.next(1, one);
    turns.stepOut(a);
    expect(turns.active).toEqual([]);
    turns.stepOut(c);
    turns.stepOut(c);
    expect(turns.queued).toBe(1);
    expect(turns.next(1, one)).toBe(b);
    expect(turns.next(2, one)).toBeUndefined();
  });

  it('set aside all that wait, each once, and not what is worked on', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    for (let i = 0; i < 7; i++) turns.queueUp(s(`${i % 2}`, i));
    turns.next(1, one);
    turns.setAside();
    expect(turns.queued).toBe(0);
    expect(turns.next(5, one)).toBeUndefined();
    const aside = [];
    for (let one = turns.nextAside(); one; one = turns.nextAside()) aside.push(one.n);
    expect(aside.sort()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(turns.active.length).toBe(1);
    turns.stopWork();
    expect(turns.active.length).toBe(0);
  });

  it('let go of one in the middle of its owner\u2019s line, and keep the others in their order', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    const sessions = [s('a', 0), s('a', 1), s('a', 2)];
    for (const session of sessions) turns.queueUp(session);
    turns.stepOut(sessions[1]!);
    expect(turns.queued).toBe(2);
    expect([turns.next(9, one)!.n, turns.next(9, one)!.n, turns.next(9, one)]).toEqual([0, 2, undefined]);
  });

  it('let go of nobody else where a session is in no line', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    const worked = s('a', 0);
    turns.queueUp(worked);
    turns.next(1, one);
    turns.queueUp(s('a', 1));
    // neither in the ring nor in the line, though its owner has both
    turns.stepOut(s('a', 7));
    expect(turns.active).toEqual([worked]);
    expect(turns.queued).toBe(1);
    turns.stepOut(worked);
    expect(turns.active).toEqual([]);
    expect(turns.queued).toBe(1);
  });

  it('give an owner whose line is empty no turn', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    const only = s('a', 0);
    turns.queueUp(only);
    turns.queueUp(s('b', 1));
    turns.stepOut(only);
    expect(turns.next(9, one)!.n).toBe(1);
    turns.queueUp(s('c', 2));
    expect(turns.next(9, one)!.n).toBe(2);
    expect(turns.next(9, one)).toBeUndefined();
  });

  it('set one aside that waits nowhere', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    const one = s('a', 0);
    turns.setAsideOne(one);
    expect([turns.queued, turns.nextAside(), turns.nextAside()]).toEqual([0, one, undefined]);
  });

  it('have room by rows: one that is too wide waits, nobody overtakes it, and one wider than all the room is worked on alone', () => {
    const turns = new Turns<{ owner: string; n: number }>();
    const rowsOf = ({ n }: { n: number }): number => n;
    const [two, four, one, sixteen] = [s('a', 2), s('b', 4), s('c', 1), s('d', 16)];
    expect(turns.hasRoom(5, rowsOf)).toBe(true);
    for (const session of [two, four, one, sixteen]) turns.queueUp(session);
    expect(turns.next(5, rowsOf)).toBe(two);
    // 4 more would be 6; the one behind it would fit
    expect(turns.hasRoom(5, rowsOf)).toBe(false);
    expect(turns.next(5, rowsOf)).toBeUndefined();
    turns.stepOut(two);
    expect(turns.next(5, rowsOf)).toBe(four);
    expect(turns.next(5, rowsOf)).toBe(one);
    expect(turns.next(5, rowsOf)).toBeUndefined();
    turns.stepOut(four);
    expect(turns.next(5, rowsOf)).toBeUndefined();
    turns.stepOut(one);
    expect(turns.next(5, rowsOf)).toBe(sixteen);
    expect(turns.hasRoom(5, rowsOf)).toBe(false);
  });
});
