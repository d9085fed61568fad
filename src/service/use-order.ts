/**
 * The entries of a cache in the order of their last use, with their sizes: in the heap, and slot by slot in stable
 * memory, from where an upgrade reads them with one copy. Which of them there are is told by a key of 32 bytes, one
 * character a byte.
 *
 *   slot, 64 bytes:  0        4            8               32
 *                    +--------+------------+---------------+-----------+
 *                    | 1, u32 | bytes, u32 | last use, f64 | key       |
 *                    +--------+------------+---------------+-----------+
 */
import { asciiAt, putAscii, type SlotTable } from './slot-table.ts';

export const USE_SLOT_BYTES = 64;
const KEY = 32;
const KEY_BYTES = 32;

interface Use {
  slot: number;
  bytes: number;
}

export function encodeUse(key: string, size: number, used: number): Uint8Array {
  const bytes = new Uint8Array(USE_SLOT_BYTES);
  new Uint32Array(bytes.buffer, 0, 2).set([1, size]);
  new Float64Array(bytes.buffer, 8, 1)[0] = used;
  putAscii(bytes, KEY, key);
  return bytes;
}

export class UseOrder {
  private readonly table: SlotTable;
  /** Least recently used first. */
  private readonly uses = new Map<string, Use>();
  private last = 0;
  /** Of all entries. */
  bytes = 0;

  constructor(table: SlotTable) {
    this.table = table;
  }

  /** Reads the table, a part for each value that is taken. */
  *open(): Generator<void, void> {
    const { bytes, taken } = this.table.open();
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    const doubles = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
    // sorted as numbers, which needs no function
    const order = Float64Array.from(taken, (slot) => doubles[slot * (USE_SLOT_BYTES / 8) + 1]! * PLACES + slot).sort();
    this.last = order.length > 0 ? Math.floor(order.at(-1)! / PLACES) : 0;
    for (let i = 0; i < order.length; i++) {
      if (i % PART === 0) yield;
      const slot = order[i]! % PLACES;
      const size = words[slot * (USE_SLOT_BYTES / 4) + 1]!;
      this.uses.set(asciiAt(bytes, slot * USE_SLOT_BYTES + KEY, KEY_BYTES), { slot, bytes: size });
      this.bytes += size;
    }
  }

  get size(): number {
    return this.uses.size;
  }

  /** Puts an entry at the end, one that is new or known. @returns false where the table is full */
  use(key: string, bytes: number): boolean {
    const known = this.uses.get(key);
    const slot = known?.slot ?? this.table.take();
    if (slot === undefined) return false;
    this.uses.delete(key);
    this.uses.set(key, { slot, bytes });
    this.bytes += bytes - (known?.bytes ?? 0);
    this.last += 1;
    this.table.write(slot, encodeUse(key, bytes, this.last));
    return true;
  }

  /** @returns whether it was there */
  remove(key: string): boolean {
    const known = this.uses.get(key);
    if (!known) return false;
    this.uses.delete(key);
    this.bytes -= known.bytes;
    this.table.giveBack(known.slot);
    return true;
  }

  leastRecent(): string | undefined {
    return this.uses.keys().next().value;
  }
}

/** More than there are slots. */
const PLACES = 2 ** 20;
/** Entries that are read in a part. */
const PART = 256;
