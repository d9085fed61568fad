/**
 * Whose turn it is: sessions of up to `max_active` rows are worked on, the others wait, callers taking turns. What is
 * marked as ended (session-index.ts) is set aside at once and ended later. Who works on sessions is the scheduler's.
 */

/** What of a session is needed. */
export interface Waiting {
  readonly owner: string;
}

export class Turns<T extends Waiting> {
  /** Sessions that are worked on. */
  private ring: T[] = [];
  /** Sessions that wait, by owner; the owner whose turn it is, is first. */
  private readonly queue = new Map<string, T[]>();
  /** Lines of sessions that are to be ended. */
  private readonly aside: T[][] = [];
  /** How many wait. */
  queued = 0;

  get active(): readonly T[] {
    return this.ring;
  }

  /** Puts a session at the end of its owner's line. */
  queueUp(session: T): void {
    const own = this.queue.get(session.owner);
    if (own) own.push(session);
    else this.queue.set(session.owner, [session]);
    this.queued += 1;
  }

  /**
   * The next session that is worked on, where its rows fit beside those of the others: an owner's turn after another's.
   * One that is wider than `most` is worked on alone. Nobody overtakes one that waits for room, so its turn comes.
   */
  next(most: number, rowsOf: (session: T) => number): T | undefined {
    const [first] = this.queue;
    if (!first) return undefined;
    const [owner, sessions] = first;
    if (!this.fits(sessions[0]!, most, rowsOf)) return undefined;
    const session = sessions.shift()!;
    this.queue.delete(owner);
    if (sessions.length > 0) this.queue.set(owner, sessions);
    this.queued -= 1;
    this.ring.push(session);
    return session;
  }

  /** Whether the session that is next, or one of one row, would become active. */
  hasRoom(most: number, rowsOf: (session: T) => number): boolean {
    const [first] = this.queue;
    return first ? this.fits(first[1][0]!, most, rowsOf) : this.rows(rowsOf) < most;
  }

  private fits(session: T, most: number, rowsOf: (session: T) => number): boolean {
    return this.ring.length === 0 || this.rows(rowsOf) + rowsOf(session) <= most;
  }

  private rows(rowsOf: (session: T) => number): number {
    let rows = 0;
    for (const session of this.ring) rows += rowsOf(session);
    return rows;
  }

  /** Takes a session out, wherever it is. */
  stepOut(session: T): void {
    const at = this.ring.indexOf(session);
    if (at >= 0) this.ring.splice(at, 1);
    const own = this.queue.get(session.owner);
    const place = own?.indexOf(session) ?? -1;
    if (!own || place < 0) return;
    own.splice(place, 1);
    if (own.length === 0) this.queue.delete(session.owner);
    this.queued -= 1;
  }

  /** Takes out all that are worked on. */
  stopWork(): void {
    this.ring = [];
  }

  /** Sets all that wait aside. */
  setAside(): void {
    for (const line of this.queue.values()) this.aside.push(line);
    this.queue.clear();
    this.queued = 0;
  }

  /** Sets one aside that waits nowhere. */
  setAsideOne(session: T): void {
    this.aside.push([session]);
  }

  /** One of those set aside, which is so no more. */
  nextAside(): T | undefined {
    const line = this.aside.at(-1);
    if (!line) return undefined;
    const session = line.pop();
    if (line.length === 0) this.aside.pop();
    return session;
  }
}
