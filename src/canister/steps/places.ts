/** Who has a place among those that are worked on, and who gets it when one is free (src/service/turns.ts). */

import { addChore, keepHouseSoon } from '../runtime/housekeeping.ts';
import { instructionsNow } from '../runtime/unit.ts';
import { rememberAnswer } from '../sessions/answers.ts';
import { askForLook } from '../sessions/native-loop.ts';
import type { Session } from '../sessions/session.ts';
import type { State } from '../sessions/session-record.ts';
import { batchRowsOf, bringBack, end, turns } from '../sessions/sessions.ts';
import { isWaitedFor } from '../sessions/waiting.ts';
import { settings } from '../storage/settings.ts';
import { beginChain, driver } from './driving.ts';

/** A message in which so many instructions have passed makes no further session active. */
const ADMIT_BUDGET = 500_000_000;

/**
 * Puts a session in the queue; it may become active at once.
 * @param worked whether the message in hand works on it then
 */
export function enqueue(session: Session, worked = false): void {
  turns().queueUp(session.entry!);
  admit(worked ? session : undefined);
}

/**
 * Makes sessions active while there is room, as many as a message has instructions for: one that an upgrade found
 * waiting is read first.
 * @param worked what the message in hand works on, where it becomes active at once
 */
export function admit(worked?: Session): void {
  const most = settings().max_active;
  for (let entry = turns().next(most, batchRowsOf); entry; entry = turns().next(most, batchRowsOf)) {
    const session = bringBack(entry);
    session.state = 'active';
    if (session !== worked) {
      if (!isPaidFor(session)) finish(session, 'failed', UNPAID);
      else if (driver().isVacant) beginChain();
      else askForLook();
    }
    if (instructionsNow() > ADMIT_BUDGET) {
      keepHouseSoon();
      return;
    }
  }
}
addChore({
  step() {
    admit();
    return false;
  },
});

const UNPAID = 'the call that pays for it is no more; resume it';
/** A session that has lost the call that pays for it does not go on for nothing. */
const isPaidFor = ({ payingFrom, id }: Session): boolean => payingFrom === undefined || isWaitedFor(id);

/** Ends those that nobody pays for any more. */
export function endUnpaid(sessions: readonly Session[]): void {
  for (const session of sessions) if (!isPaidFor(session)) finish(session, 'failed', UNPAID);
}

/** Takes a session that is over out of the turns, and lets the next one in. */
function leave({ entry }: Session): void {
  turns().stepOut(entry!);
  admit();
}

/** Ends a session that is under way and gives its place to the next. */
export function finish(session: Session, state: Exclude<State, 'queued' | 'active'>, reason?: string): void {
  end(session, state, reason);
  leave(session);
}

/** A session is over by itself. */
export function makeWay(session: Session): void {
  rememberAnswer(session);
  leave(session);
}
