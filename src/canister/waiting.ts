/**
 * Calls in progress that wait for an answer of the canister to itself. What each would undo at its end is lost where a callback traps and the cleanup after
 * it, too: a call that nothing was heard of for long is taken for lost, so that such calls do not use up the room there is.
 */
import { settings } from './settings.ts';
import { now } from './time.ts';

const LOST_SECONDS = 300;
/** Each has a message in the canister's queue to itself, which holds 500. */
const MAX_WAITING = 400;

export interface WaitingCall {
  /** Text of the caller's principal. */
  who: string;
  /** Milliseconds since 1970 of the last sign that it goes on. */
  heard: number;
}

const calls = new Set<WaitingCall>();

export function callBegins(who: string): WaitingCall {
  const call = { who, heard: now() };
  calls.add(call);
  return call;
}

export const callEnds = (call: WaitingCall): unknown => calls.delete(call);

/** Without those that are lost. */
function waiting(): Set<WaitingCall> {
  const since = now() - LOST_SECONDS * 1000;
  for (const call of calls) if (call.heard < since) calls.delete(call);
  return calls;
}

export const waitingCalls = (): number => waiting().size;
export const tooManyWait = (): boolean => waiting().size >= MAX_WAITING;

/** Why no further call of this caller may wait for its answer. */
export function tooManyCalls(method: string, who: string): string | undefined {
  const { max_sessions_per_caller: most } = settings();
  const own = [...waiting()].filter((call) => call.who === who).length;
  return own >= most
    ? `${method}: expected fewer than ${most} calls of one caller to wait for their answer, got ${own}`
    : undefined;
}
