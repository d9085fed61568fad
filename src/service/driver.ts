/**
 * Who drives: whose messages work on all sessions that are worked on. It is one at a time:
 *
 *   chain   a message that nobody awaits; its last act is to send the next
 *   call    a caller waits for an answer of its own; each message is a call that it awaits, so it learns of every failure
 *
 * All others that wait look once a round, and send nothing. Who finds that nobody drives, or that nothing has come of
 * it for some looks, takes over: messages of the former drive carry an older lease, and do nothing. So no failure of a
 * message, a call or a callback leaves sessions behind for longer than somebody waits for them; where nobody does, a
 * watchdog looks. Knows neither messages nor sessions.
 */

/** A call that waits. */
export interface Waiting {
  /** What it saw at its last look, and how often since then. */
  seen?: number;
  looks?: number;
}

export type Drives<C> = 'chain' | C;

/**
 * So often a call that waits sees the same before it takes over. A message that was sent is executed in the round
 * after, at the latest when others' are.
 */
export const PATIENCE = 4;

export class Driver<C extends Waiting> {
  private by: Drives<C> | undefined;
  private current: number;

  /** @param first lease */
  constructor(first: number) {
    this.current = first;
  }

  /** Number of the drive in charge, which its messages carry. */
  get lease(): number {
    return this.current;
  }

  get isVacant(): boolean {
    return this.by === undefined;
  }

  isDrivenBy(who: Drives<C>): boolean {
    return this.by === who;
  }

  /** Somebody drives from now on, whoever did before. @returns the lease */
  take(who: Drives<C>): number {
    this.by = who;
    this.current += 1;
    return this.current;
  }

  /**
   * A call that waits has a look.
   * @param sign something that changes with every message of a drive
   * @returns `drives`: it does already, or does from now on since nobody did; `takesOver`: from now on, the former
   * drive having gone silent
   */
  look(call: C, sign: number): 'drives' | 'takesOver' | 'waits' {
    if (this.by === call) return 'drives';
    if (this.by === undefined) {
      this.take(call);
      return 'drives';
    }
    call.looks = call.seen === sign ? (call.looks ?? 0) + 1 : 0;
    call.seen = sign;
    if (call.looks < PATIENCE) return 'waits';
    this.take(call);
    return 'takesOver';
  }

  /** Whoever drives is taken for lost. */
  vacate(): void {
    this.by = undefined;
    this.current += 1;
  }

  /** Somebody drives no more. @returns whether it did */
  leave(who: Drives<C>): boolean {
    if (this.by !== who) return false;
    this.vacate();
    return true;
  }
}
