/** The order of use: in the heap what it says, after an upgrade the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { USE_SLOT_BYTES, UseOrder } from '../../src/service/use-order.ts';
import { tablesOver } from './memory.ts';

const keyOf = (n: number): string => String.fromCharCode(n, 255 - n).repeat(16);

/** All keys, least recently used first, with the bytes that go with each. */
function emptied(order: UseOrder): [string, number][] {
  const all: [string, number][] = [];
  for (let key = order.leastRecent(); key !== undefined; key = order.leastRecent()) {
    const before = order.bytes;
    expect(order.remove(key)).toBe(true);
    all.push([key, before - order.bytes]);
  }
  expect([order.size, order.bytes]).toEqual([0, 0]);
  return all;
}

describe('the order of use', () => {
  it('is that of a list that used entries are put at the end of, over upgrades too', () => {
    const step = fc.tuple(fc.constantFrom('use', 'use', 'remove', 'upgrade'), fc.nat(12), fc.nat(1_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = tablesOver(USE_SLOT_BYTES, 20);
        let order = new UseOrder(table());
        Array.from(order.open());
        let list: [string, number][] = [];
        for (const [what, n, bytes] of steps) {
          const key = keyOf(n);
          if (what === 'upgrade') {
            order = new UseOrder(table());
            Array.from(order.open());
            continue;
          }
          const known = list.some(([k]) => k === key);
          list = list.filter(([k]) => k !== key);
          if (what === 'use') {
            expect(order.use(key, bytes)).toBe(true);
            list.push([key, bytes]);
          } else expect(order.remove(key)).toBe(known);
        }
        expect(emptied(order)).toEqual(list);
      }),
    );
  });

  it('takes no more entries than the table has slots, and known ones still', () => {
    const order = new UseOrder(tablesOver(USE_SLOT_BYTES, 3)());
    Array.from(order.open());
    expect([0, 1, 2, 1].map((n) => order.use(keyOf(n), 1))).toEqual([true, true, false, true]);
    expect(order.size).toBe(2);
  });
});
