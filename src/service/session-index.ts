/**
 * What is known of all sessions without reading their records: whose they are, where they stand, in which order they
 * wait and end. In the heap, and slot by slot in stable memory, so that an upgrade neither writes nor reads more than
 * the table. No operation but `open` grows with what is stored.
 *
 *   slot, 128 bytes:  0          1             2             66           100       104       108         112
 *                     +----------+-------------+-------------+------------+---------+---------+-----------+------------+
 *                     | standing | length of   | owner,      | id, ASCII, | born    | order   | promised  | since, ms  |
 *                     | u8       | owner, u8   | ASCII       | 32         | u32     | u32     | u32       | f64        |
 *                     +----------+-------------+-------------+------------+---------+---------+-----------+------------+
 *
 * To end everything that waits is one number: a *mark*. What was put in order before it counts as ended from then on,
 * and is ended, one by one, later.
 */
import { asciiAt, putAscii, type SlotTable } from './slot-table.ts';

/** `replaced` and `cleared` are over, too: ended by a mark, whatever their record says. */
export type Standing = 'underWay' | 'over' | MarkStanding;
export type MarkStanding = 'replaced' | 'cleared';

/** Sessions under way whose order is below `before` count as ended in this way. */
export interface Mark {
  before: number;
  standing: MarkStanding;
}

export interface Entry {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** Text of the principal who started it. */
  readonly owner: string;
  readonly slot: number;
  /** Rises with each session. */
  readonly born: number;
  /** Rises with each change of where any session stands. */
  order: number;
  standing: Standing;
  /** When it came to stand so, in milliseconds since 1970. */
  since: number;
  /** What its owner's quota was charged in advance. */
  promised: number;
  /** Rows that it has in a batch; unknown until its record is read. */
  rows?: number;
  /** Its owner's sessions beside it, by `born`. */
  older: Entry | undefined;
  newer: Entry | undefined;
}

export const SESSION_SLOT_BYTES = 128;
const OWNER = 2;
const ID = 66;
const ID_LENGTH = 32;
const NUMBERS = 100;
const SINCE = 112;

/** By number in a slot. */
const standings: readonly (Standing | undefined)[] = [undefined, 'underWay', 'over', 'replaced', 'cleared'];

type SlotContent = Pick<Entry, 'id' | 'owner' | 'standing' | 'born' | 'order' | 'promised' | 'since'>;

export function encodeSlot({ id, owner, standing, born, order, promised, since }: SlotContent): Uint8Array {
  const bytes = new Uint8Array(SESSION_SLOT_BYTES);
  bytes[0] = standings.indexOf(standing);
  bytes[1] = owner.length;
  putAscii(bytes, OWNER, owner);
  putAscii(bytes, ID, id);
  new Uint32Array(bytes.buffer, NUMBERS, 3).set([born, order, promised]);
  new Float64Array(bytes.buffer, SINCE, 1)[0] = since;
  return bytes;
}

/** The table's bytes, which are its words, too. */
function decodeSlot(bytes: Uint8Array, words: Uint32Array, slot: number): Entry {
  const at = slot * SESSION_SLOT_BYTES;
  const numbers = (at + NUMBERS) >> 2;
  // owner and id in one: each call for characters takes as long as fifty of them
  const texts = asciiAt(bytes, at + OWNER, ID + ID_LENGTH - OWNER);
  return {
    id: texts.slice(ID - OWNER),
    owner: texts.slice(0, bytes[at + 1]),
    slot,
    born: words[numbers]!,
    order: words[numbers + 1]!,
    promised: words[numbers + 2]!,
    standing: standings[bytes[at]!]!,
    since: new Float64Array(bytes.buffer, bytes.byteOffset + at + SINCE, 1)[0]!,
    older: undefined,
    newer: undefined,
  };
}

export class SessionIndex {
  private readonly table: SlotTable;
  private readonly entries = new Map<string, Entry>();
  /** Newest of each owner. */
  private readonly newest = new Map<string, Entry>();
  /** Sessions that are over, those that ended first at the front. */
  private readonly ended = new Set<Entry>();
  private births = 0;
  private orders = 0;
  /** Ascending. */
  private marks: Mark[] = [];

  constructor(table: SlotTable) {
    this.table = table;
  }

  /**
   * Reads the table, a part for each value that is taken: a message may have no room for all of it.
   * @yields sessions under way, in order
   */
  *open(marks: readonly Mark[]): Generator<readonly Entry[], void> {
    const { bytes, taken } = this.table.open();
    this.marks = [...marks];
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    // sorted as numbers, which needs no function: [number u32, place among those taken]
    const births = new Float64Array(taken.length);
    const orders = new Float64Array(taken.length);
    taken.forEach((slot, i) => {
      const at = (slot * SESSION_SLOT_BYTES + NUMBERS) >> 2;
      births[i] = words[at]! * PLACES + i;
      orders[i] = words[at + 1]! * PLACES + i;
    });
    births.sort();
    orders.sort();
    this.births = taken.length > 0 ? Math.floor(births.at(-1)! / PLACES) + 1 : 0;
    const last = taken.length > 0 ? Math.floor(orders.at(-1)! / PLACES) + 1 : 0;
    this.orders = Math.max(last, marks.at(-1)?.before ?? 0);
    const byPlace: Entry[] = new Array(taken.length);
    for (let i = 0; i < births.length; i++) {
      if (i % PART === 0) yield [];
      const place = births[i]! % PLACES;
      byPlace[place] = decodeSlot(bytes, words, taken[place]!);
      this.link(byPlace[place]);
    }
    let underWay: Entry[] = [];
    for (let i = 0; i < orders.length; i++) {
      if (i % PART === 0) {
        yield underWay;
        underWay = [];
      }
      const entry = byPlace[orders[i]! % PLACES]!;
      if (entry.standing === 'underWay') underWay.push(entry);
      else this.ended.add(entry);
    }
    yield underWay;
  }

  get size(): number {
    return this.entries.size;
  }

  /** How many are over. */
  get over(): number {
    return this.ended.size;
  }

  get(id: string): Entry | undefined {
    return this.entries.get(id);
  }

  /** A new session, which is under way; undefined where the table is full. */
  add(id: string, owner: string, promised: number, now: number): Entry | undefined {
    const slot = this.table.take();
    if (slot === undefined) return undefined;
    const [born, order] = [this.births++, this.orders++];
    const where = { older: undefined, newer: undefined };
    const entry: Entry = { id, owner, slot, born, order, standing: 'underWay', since: now, promised, ...where };
    this.link(entry);
    this.table.write(slot, encodeSlot(entry));
    return entry;
  }

  /** A session changes where it stands, and is last in order from then on. */
  put(entry: Entry, standing: Standing, now: number, promised = entry.promised): void {
    this.ended.delete(entry);
    entry.standing = standing;
    entry.order = this.orders++;
    entry.since = now;
    entry.promised = promised;
    if (standing !== 'underWay') this.ended.add(entry);
    this.table.write(entry.slot, encodeSlot(entry));
  }

  remove(entry: Entry): void {
    const { id, owner, older, newer, slot } = entry;
    this.entries.delete(id);
    this.ended.delete(entry);
    if (newer) newer.older = older;
    else if (older) this.newest.set(owner, older);
    else this.newest.delete(owner);
    if (older) older.newer = newer;
    this.table.giveBack(slot);
  }

  /** Marks all that is under way as ended. @returns the marks, which have to outlive an upgrade */
  mark(standing: MarkStanding): readonly Mark[] {
    const before = this.orders;
    const last = this.marks.at(-1);
    if (last?.standing === standing) last.before = before;
    else this.marks.push({ before, standing });
    return this.marks;
  }

  /** Called when nothing marked is left to be ended. @returns whether there were marks */
  dropMarks(): boolean {
    const were = this.marks.length > 0;
    this.marks = [];
    return were;
  }

  /** Where a session stands, marks included. */
  standingOf({ standing, order }: Entry): Standing {
    if (this.marks.length === 0 || standing !== 'underWay') return standing;
    return this.marks.find(({ before }) => order < before)?.standing ?? standing;
  }

  /** Of those that are over the one that ended first. */
  endedFirst(): Entry | undefined {
    return this.ended.values().next().value;
  }

  /** Somebody's sessions, newest first, from behind `after` on; all where it is not one of them. */
  *of(owner: string, after?: string): Generator<Entry> {
    const from = after === undefined ? undefined : this.entries.get(after);
    let entry = from?.owner === owner ? from.older : this.newest.get(owner);
    for (; entry; entry = entry.older) yield entry;
  }

  /** Makes a session known, as the newest of its owner. */
  private link(entry: Entry): void {
    const newest = this.newest.get(entry.owner);
    this.newest.set(entry.owner, entry);
    if (newest) newest.newer = entry;
    entry.older = newest;
    this.entries.set(entry.id, entry);
  }
}

/** More than there are slots. */
const PLACES = 2 ** 20;
/** Sessions that are read in a part. */
const PART = 128;
