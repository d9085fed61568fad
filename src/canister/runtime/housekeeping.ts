/**
 * What is to be done some time, and may be more than a message holds: ending what was marked as ended, forgetting what
 * has expired, shrinking the embedding cache. Each chore does a part; the rest is done by the next message of a timer.
 * Timers can be lost, so calls from outside look, too.
 */
import { setTimer } from 'azle';
import { isRestored } from './restoring.ts';
import { now } from './time.ts';
import { instructionsNow } from './unit.ts';

/** Chores begin no further step after so many instructions of a message. */
const BUDGET = 400_000_000;
/** The next part should have been done by then. */
const LATE_MS = 45_000;
/** A look once a day costs next to nothing, and a timer is not set for years. */
const MOST_SECONDS = 86_400;

export interface Chore {
  /** A small step. @returns whether there is more to do at once */
  step(): boolean;
  /** When there will be something to do again, in milliseconds since 1970. */
  next?(): number | undefined;
}

const chores: Chore[] = [];
/** When there is something to do, in milliseconds since 1970. */
let due = Number.POSITIVE_INFINITY;
/** When timers that are set go off. None is ever cleared: Azle's `clearTimer` panics but in the timer's own message. */
let alarms: number[] = [];

export const addChore = (chore: Chore): unknown => chores.push(chore);

/** Does what is to be done, as far as this message has room, and sets a timer for the rest. */
export function keepHouse(): void {
  if (!isRestored()) {
    keepHouseSoon();
    return;
  }
  let more = false;
  // before the chores, which may ask for a time
  due = Number.POSITIVE_INFINITY;
  for (const chore of chores) {
    do more = chore.step();
    while (more && instructionsNow() < BUDGET);
    if (more) break;
  }
  if (more) keepHouseSoon();
  else for (const chore of chores) keepHouseBy(chore.next?.());
}

/** There is something to do: by the next message of a timer, so that this one is not held up. */
export const keepHouseSoon = (): void => keepHouseBy(now());

/** There is something to do at a time, in milliseconds since 1970. */
export function keepHouseBy(time: number | undefined): void {
  if (time === undefined) return;
  due = Math.min(due, time);
  const [seconds, start] = [Math.ceil((due - now()) / 1000), now()];
  const delay = Math.min(Math.max(seconds, 0), MOST_SECONDS);
  const at = start + delay * 1000;
  // those that should have gone off long ago are lost
  alarms = alarms.filter((alarm) => alarm > start - LATE_MS);
  if (alarms.some((alarm) => alarm <= at)) return;
  alarms.push(at);
  setTimer(delay, () => {
    alarms.splice(alarms.indexOf(at), 1);
    if (now() >= due) keepHouse();
    else keepHouseBy(due);
  });
}

/** Does what a timer that was lost should have done. */
export function keepHouseIfLate(): void {
  if (now() > due + LATE_MS) keepHouse();
}
