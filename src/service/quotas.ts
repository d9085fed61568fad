/**
 * What each caller has under way and has used up today (UTC), against limits on tokens and cycles for one caller and
 * for all together. What is begun is reserved at the most it may take; what is spent counts on the day on which it is
 * spent and is never given back, whatever becomes of the work. Reservations have no day: one that ends lowers what is
 * promised and nothing else.
 */

export interface Amount {
  /** In and out. */
  tokens: number;
  cycles: number;
}

/** What is promised to a session that is under way, and not spent yet. */
export interface Reservation extends Amount {
  readonly who: string;
}

/** 0: any number. */
export interface Limits {
  sessions: number;
  day: Amount;
  dayOverall: Amount;
}

interface Account {
  /** Sessions waiting or worked on. */
  underWay: number;
  reserved: Amount;
  /** On `day`. */
  spent: Amount;
  day: number;
}

/** As it is written down: `day` and what was spent on it. The first version had tokens only. */
export type SpentOnDay = [tokens: number, day: number, cycles?: number];
/** Of all callers together. */
export interface SpentOfAll extends Partial<Amount> {
  tokens: number;
  day: number;
}

/**
 * Callers beyond so many push out those that were seen first and have nothing under way: a new name costs its bearer
 * nothing, room costs us.
 */
const MOST_CALLERS = 10_000;

export class Quotas {
  /** Callers that have something under way, and those that have nothing, who was seen first coming first. */
  private readonly busy = new Map<string, Account>();
  private readonly idle = new Map<string, Account>();
  private readonly all: Account;
  private readonly today: () => number;
  private forgotOn = 0;

  /** @param today days since 1970 */
  constructor(today: () => number, saved?: SpentOfAll) {
    this.today = today;
    this.all = account(today());
    if (saved?.day === today()) add(this.all.spent, { cycles: 0, ...saved }, 1);
  }

  /** Counts what a caller had spent when it was written down, beside what has been spent since. */
  remember(who: string, [tokens, day, cycles = 0]: SpentOnDay): void {
    if (day === this.today()) add(this.of(who).spent, { tokens, cycles }, 1);
  }

  /** Why this caller gets no further session that takes up to `wanted`. */
  overLimit(method: string, who: string, wanted: Amount, { sessions, day }: Limits): string | undefined {
    const caller = this.of(who);
    if (sessions > 0 && caller.underWay >= sessions)
      return `${method}: expected fewer than ${sessions} sessions of one caller under way, got ${caller.underWay}`;
    return over(method, caller, wanted, day, 'a day');
  }

  /** Why nobody gets one. A new name costs its bearer nothing: only this bounds what all of them are given. */
  overLimitOfAll(method: string, wanted: Amount, { dayOverall }: Limits): string | undefined {
    return over(method, this.present(this.all), wanted, dayOverall, 'a day for all callers');
  }

  /** A session begins, which may take as much. */
  begin(who: string, wanted: Amount): Reservation {
    const caller = this.of(who);
    if (caller.underWay === 0) {
      this.idle.delete(who);
      this.busy.set(who, caller);
    }
    caller.underWay += 1;
    for (const { reserved } of [caller, this.all]) add(reserved, wanted, 1);
    return { who, ...wanted };
  }

  /** Counts what was spent; of what was promised, so much less is. */
  spend(reservation: Reservation, spent: Amount): void {
    const promised = {
      tokens: Math.min(spent.tokens, reservation.tokens),
      cycles: Math.min(spent.cycles, reservation.cycles),
    };
    this.spendFreely(reservation.who, spent);
    add(reservation, promised, -1);
    for (const { reserved } of [this.of(reservation.who), this.all]) add(reserved, promised, -1);
  }

  /** Counts what was spent without a promise: what was refused after work on it, what came after the end. */
  spendFreely(who: string, spent: Amount): void {
    for (const counted of [this.of(who), this.present(this.all)]) add(counted.spent, spent, 1);
  }

  /** A session is over: what it was promised and has not spent is free again. */
  end(reservation: Reservation): void {
    const caller = this.of(reservation.who);
    caller.underWay -= 1;
    if (caller.underWay === 0) {
      this.busy.delete(reservation.who);
      this.idle.set(reservation.who, caller);
    }
    for (const { reserved } of [caller, this.all]) add(reserved, reservation, -1);
    add(reservation, { ...reservation }, -1);
  }

  /** What a caller has spent today. */
  spentBy = (who: string): Amount => ({ ...this.of(who).spent });

  /**
   * What was spent today, in whole cycles, to be written down. What is promised is promised anew by who takes the
   * sessions up.
   */
  save(): { callers: [string, SpentOnDay][]; all: SpentOfAll } {
    const { spent, day } = this.present(this.all);
    const callers: [string, SpentOnDay][] = [];
    for (const map of [this.busy, this.idle]) {
      for (const [who, { spent, day: ofCaller }] of map) {
        if (ofCaller === day && (spent.cycles > 0 || spent.tokens > 0))
          callers.push([who, [spent.tokens, day, Math.ceil(spent.cycles)]]);
      }
    }
    return { callers, all: { ...spent, day } };
  }

  /** Called now and then, so that there are no more than the callers of a day; once a day it walks over them. */
  forget(): void {
    const today = this.today();
    if (this.forgotOn === today) return;
    this.forgotOn = today;
    for (const [who, caller] of this.idle) if (caller.day !== today) this.idle.delete(who);
  }

  private of(who: string): Account {
    let caller = this.busy.get(who) ?? this.idle.get(who);
    if (!caller) {
      // whoever is first in a map is found at once, however many there are
      const [first] = this.busy.size + this.idle.size < MOST_CALLERS ? [] : this.idle.keys();
      if (first !== undefined) this.idle.delete(first);
      caller = account(this.today());
      this.idle.set(who, caller);
    }
    return this.present(caller);
  }

  private present(counted: Account): Account {
    const day = this.today();
    if (counted.day !== day) {
      counted.day = day;
      counted.spent = { tokens: 0, cycles: 0 };
    }
    return counted;
  }
}

const account = (day: number): Account => ({
  underWay: 0,
  reserved: { tokens: 0, cycles: 0 },
  spent: { tokens: 0, cycles: 0 },
  day,
});

function add(to: Amount, { tokens, cycles }: Amount, sign: 1 | -1): void {
  to.tokens += sign * tokens;
  to.cycles += sign * cycles;
}

function over(
  method: string,
  { spent, reserved }: Account,
  wanted: Amount,
  limits: Amount,
  per: string,
): string | undefined {
  for (const what of ['tokens', 'cycles'] as const) {
    const limit = limits[what];
    if (limit === 0 || spent[what] + reserved[what] + wanted[what] <= limit) continue;
    const promised = reserved[what] === 0 ? '' : `, ${reserved[what]} promised`;
    return `${method}: expected at most ${limit} ${what} ${per}, got ${spent[what]}${promised} and up to ${wanted[what]} more; the day ends at midnight UTC`;
  }
  return undefined;
}
