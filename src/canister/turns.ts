/** Whose turn it is: up to `max_active` sessions are worked on, the others wait, callers taking turns. Who works on them is scheduler.ts. */
import type { Session } from './session.ts';
import { settings } from './settings.ts';

/** Sessions that are worked on; the next to be helped is first. */
const ring: Session[] = [];
/** Sessions that wait, by owner; the owner whose turn it is, is first. */
const queue = new Map<string, Session[]>();
/** How many wait. */
let queued = 0;

export const turnCounts = (): { active: number; queued: number } => ({ active: ring.length, queued });

export const isFull = (): boolean =>
  queued > 0 && queued >= settings().max_queued && ring.length >= settings().max_active;

/** Puts a session at the end of its owner's line. */
export function queueUp(session: Session): void {
  const own = queue.get(session.owner);
  if (own) own.push(session);
  else queue.set(session.owner, [session]);
  queued += 1;
}

/** The next session that is worked on, where there is room for one more: an owner's turn after another's. */
export function nextActive(): Session | undefined {
  const [first] = queue;
  if (!first || ring.length >= settings().max_active) return undefined;
  const [owner, sessions] = first;
  const session = sessions.shift()!;
  queue.delete(owner);
  if (sessions.length > 0) queue.set(owner, sessions);
  queued -= 1;
  ring.push(session);
  return session;
}

/** The active session whose turn it is to be helped. */
export function turn(): Session {
  const session = ring.shift()!;
  ring.push(session);
  return session;
}

/** Takes a session out, wherever it is. */
export function stepOut(session: Session): void {
  const at = ring.indexOf(session);
  if (at >= 0) ring.splice(at, 1);
  const own = queue.get(session.owner);
  const place = own?.indexOf(session) ?? -1;
  if (!own || place < 0) return;
  own.splice(place, 1);
  if (own.length === 0) queue.delete(session.owner);
  queued -= 1;
}

export function sendAllAway(): void {
  ring.length = 0;
  queue.clear();
  queued = 0;
}
