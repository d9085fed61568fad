/** The index of sessions: in the heap what it says, after an upgrade the same, and marks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Entry, type Mark, SESSION_SLOT_BYTES, SessionIndex } from '../../src/service/session-index.ts';
import { SlotTable } from '../../src/service/slot-table.ts';
import { Memory, tablesOver } from './memory.ts';

const idOf = (n: number): string => n.toString(16).padStart(32, '0');
const owners = ['2vxsx-fae', 'aaaaa-aa', 'x'.repeat(63)];

/** All that it says. */
function said(index: SessionIndex) {
  const ofOwners = owners.map((owner) => Array.from(index.of(owner), seen));
  return { size: index.size, over: index.over, first: index.endedFirst()?.id, ofOwners };
}
const seen = ({ id, owner, born, order, standing, since, promised }: Entry) => ({
  id,
  owner,
  born,
  order,
  standing,
  since,
  promised,
});

const readAll = (index: SessionIndex, marks: readonly Mark[] = []): Entry[] => [...index.open(marks)].flat();

describe('the index of sessions', () => {
  it('says the same after an upgrade, whatever was done', () => {
    const step = fc.tuple(fc.constantFrom('add', 'end', 'again', 'remove', 'upgrade'), fc.nat(30), fc.nat(2));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = tablesOver(SESSION_SLOT_BYTES, 40);
        let index = new SessionIndex(table());
        readAll(index);
        let time = 1.7e12;
        for (const [what, n, who] of steps) {
          time += 1;
          const entry = index.get(idOf(n));
          if (what === 'add' && !entry) index.add(idOf(n), owners[who]!, n, time);
          else if (what === 'end' && entry) index.put(entry, 'over', time, 0);
          else if (what === 'again' && entry) index.put(entry, 'underWay', time, n);
          else if (what === 'remove' && entry) index.remove(entry);
          else if (what === 'upgrade') {
            const before = said(index);
            index = new SessionIndex(table());
            readAll(index);
            expect(said(index)).toEqual(before);
          }
        }
        const again = new SessionIndex(table());
        const waiting = readAll(again);
        expect(said(again)).toEqual(said(index));
        expect(waiting.length).toBe(again.size - again.over);
        expect(waiting.map(({ order }) => order)).toEqual(waiting.map(({ order }) => order).sort((a, b) => a - b));
      }),
    );
  });

  it('has somebody\u2019s sessions newest first, by pages, whatever has become of them', () => {
    const index = new SessionIndex(tablesOver(SESSION_SLOT_BYTES, 40)());
    readAll(index);
    const entries = Array.from({ length: 6 }, (_, i) => index.add(idOf(i), owners[i % 2]!, 0, i)!);
    index.put(entries[0]!, 'over', 9);
    index.put(entries[0]!, 'underWay', 10);
    index.remove(entries[2]!);
    const of = (who: number, after?: string) => Array.from(index.of(owners[who]!, after), ({ id }) => Number(id));
    expect(of(0)).toEqual([4, 0]);
    expect(of(0, idOf(4))).toEqual([0]);
    expect(of(1)).toEqual([5, 3, 1]);
    expect(of(2)).toEqual([]);
    // somebody else's is no place to go on from
    expect(of(0, idOf(5))).toEqual([4, 0]);
  });

  it('keeps somebody\u2019s sessions in one chain, wherever one is taken out', () => {
    for (const gone of [
      [5, 4],
      [0, 1],
      [2, 3],
      [3, 4, 5],
      [0, 2, 4],
    ]) {
      const index = new SessionIndex(tablesOver(SESSION_SLOT_BYTES, 40)());
      readAll(index);
      const entries = Array.from({ length: 6 }, (_, i) => index.add(idOf(i), owners[0]!, 0, i)!);
      const left = [5, 4, 3, 2, 1, 0];
      for (const n of gone) {
        index.remove(entries[n]!);
        left.splice(left.indexOf(n), 1);
        expect(
          Array.from(index.of(owners[0]!), ({ id }) => Number(id)),
          `without ${gone}`,
        ).toEqual(left);
      }
      index.add(idOf(9), owners[0]!, 0, 9);
      expect(Array.from(index.of(owners[0]!), ({ id }) => Number(id))).toEqual([9, ...left]);
    }
  });

  it('goes on after an upgrade where it was: the next session is the newest, and last in order', () => {
    const table = tablesOver(SESSION_SLOT_BYTES, 40);
    const index = new SessionIndex(table());
    readAll(index);
    const [a, b] = [0, 1].map((n) => index.add(idOf(n), owners[0]!, 0, n)!) as [Entry, Entry];
    // slots are not in the order of births, nor those in the order of turns
    index.remove(a);
    const c = index.add(idOf(2), owners[0]!, 0, 2)!;
    index.put(b, 'underWay', 3);
    const again = new SessionIndex(table());
    expect(readAll(again).map(({ id }) => Number(id))).toEqual([2, 1]);
    const next = again.add(idOf(3), owners[0]!, 0, 4)!;
    expect(next.born).toBe(c.born + 1);
    expect(next.order).toBe(b.order + 1);
    expect(Array.from(again.of(owners[0]!), ({ id }) => Number(id))).toEqual([3, 2, 1]);
  });

  it('has one mark for marks of one kind that follow each other', () => {
    const index = new SessionIndex(tablesOver(SESSION_SLOT_BYTES, 40)());
    readAll(index);
    index.add(idOf(0), owners[0]!, 0, 0);
    index.mark('cleared');
    const late = index.add(idOf(1), owners[0]!, 0, 1)!;
    expect(index.standingOf(late)).toBe('underWay');
    expect(index.mark('cleared')).toHaveLength(1);
    expect(index.standingOf(late)).toBe('cleared');
    expect(index.mark('replaced')).toHaveLength(2);
    expect(index.mark('cleared')).toHaveLength(3);
  });

  it('gives what ended first, not what began first', () => {
    const index = new SessionIndex(tablesOver(SESSION_SLOT_BYTES, 40)());
    readAll(index);
    const [first, second] = [0, 1].map((i) => index.add(idOf(i), owners[0]!, 0, i)!) as [Entry, Entry];
    index.put(second, 'over', 5);
    index.put(first, 'over', 6);
    expect(index.endedFirst()).toBe(second);
    index.put(second, 'underWay', 7);
    expect(index.endedFirst()).toBe(first);
  });

  it('is full at some time, and takes slots that were given back', () => {
    const index = new SessionIndex(tablesOver(SESSION_SLOT_BYTES, 4)());
    readAll(index);
    const entries = [0, 1, 2].map((i) => index.add(idOf(i), owners[0]!, 0, i));
    expect(index.add(idOf(3), owners[0]!, 0, 3)).toBeUndefined();
    expect(index.size).toBe(3);
    index.remove(entries[1]!);
    expect(index.add(idOf(3), owners[0]!, 0, 3)).toBeDefined();
  });

  it('leaves nothing in a slot that is given back', () => {
    const memory = new Memory(SESSION_SLOT_BYTES * 4);
    const index = new SessionIndex(new SlotTable(memory, SESSION_SLOT_BYTES, 4));
    readAll(index);
    index.remove(index.add(idOf(7), owners[0]!, 3, 1.7e12)!);
    expect(memory.bytes.subarray(SESSION_SLOT_BYTES).every((byte) => byte === 0)).toBe(true);
  });

  it('marks all that is under way as ended with one number, and keeps to it over upgrades', () => {
    const table = tablesOver(SESSION_SLOT_BYTES, 40);
    const index = new SessionIndex(table());
    readAll(index);
    const add = (n: number) => index.add(idOf(n), owners[0]!, 0, n)!;
    const [a, over, worked] = [add(0), add(1), add(2)];
    index.put(over, 'over', 5);
    index.mark('cleared');
    // what is worked on is put behind it
    index.put(worked, 'underWay', 6);
    const b = add(3);
    const marks: readonly Mark[] = index.mark('replaced');
    const c = add(4);
    const standings = (of: SessionIndex) => [a, over, worked, b, c].map(({ id }) => of.standingOf(of.get(id)!));
    const expected = ['cleared', 'over', 'replaced', 'replaced', 'underWay'];
    expect(standings(index)).toEqual(expected);
    const again = new SessionIndex(table());
    readAll(again, JSON.parse(JSON.stringify(marks)));
    expect(standings(again)).toEqual(expected);
    expect(again.dropMarks()).toBe(true);
    expect(again.dropMarks()).toBe(false);
  });

  it('gives no session an order that a mark is above, even where all others are gone', () => {
    const table = tablesOver(SESSION_SLOT_BYTES, 40);
    const index = new SessionIndex(table());
    readAll(index);
    const gone = Array.from({ length: 5 }, (_, i) => index.add(idOf(i), owners[0]!, 0, i)!);
    const marks = index.mark('cleared');
    for (const entry of gone) index.remove(entry);
    const again = new SessionIndex(table());
    readAll(again, marks);
    expect(again.standingOf(again.add(idOf(9), owners[0]!, 0, 9)!)).toBe('underWay');
  });

  it('is read in parts of at most 128 sessions, however many there are', () => {
    const table = tablesOver(SESSION_SLOT_BYTES, 3_000);
    const index = new SessionIndex(table());
    readAll(index);
    for (let i = 0; i < 2_000; i++) index.add(idOf(i), owners[i % 3]!, 0, i);
    const again = new SessionIndex(table());
    let known = 0;
    for (const part of again.open([])) {
      expect(part.length).toBeLessThanOrEqual(128);
      expect(again.size - known).toBeLessThanOrEqual(128);
      known = again.size;
    }
    expect(said(again)).toEqual(said(index));
  });

  it('writes a slot or two for a change, however many sessions there are', () => {
    const memory = new Memory(SESSION_SLOT_BYTES * 3_000);
    const index = new SessionIndex(new SlotTable(memory, SESSION_SLOT_BYTES, 3_000));
    readAll(index);
    for (let i = 0; i < 2_000; i++) index.add(idOf(i), owners[i % 3]!, 0, i);
    const before = memory.writes;
    index.mark('cleared');
    expect(memory.writes).toBe(before);
    index.put(index.get(idOf(5))!, 'over', 1);
    index.add(idOf(2_001), owners[0]!, 0, 1);
    index.remove(index.get(idOf(6))!);
    expect(memory.writes - before).toBeLessThanOrEqual(4);
  });
});
