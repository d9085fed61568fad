/**
 * Calls in progress that wait for an answer of the canister to itself. What each would undo at its end is lost where a callback traps and the cleanup after
 * it, too: a call that nothing was heard of for long is taken for lost, so that such calls do not use up the room there is.
 */
import { call, canisterSelf, Principal } from 'azle';
import { callFees } from '../../service/bill.ts';
import { now } from '../runtime/time.ts';
import { settings } from '../storage/settings.ts';
import { ownBill } from './billing.ts';
import { RANDOM_FEES } from './random.ts';

const LOST_SECONDS = 300;
/** Each has a message in the canister's queue to itself, which holds 500. */
const MAX_WAITING = 400;

export interface WaitingCall {
  /** Text of the caller's principal. */
  who: string;
  /** Id of the session whose end it waits for; none where the canister itself tries a step. */
  session?: string;
  /** Milliseconds since 1970 of the last sign that it goes on. */
  heard: number;
}

const calls = new Set<WaitingCall>();

export function callBegins(who: string, session?: string): WaitingCall {
  const begun = { who, session, heard: now() };
  calls.add(begun);
  return begun;
}

export const callEnds = (call: WaitingCall): unknown => calls.delete(call);

/** Without those that are lost. */
function waiting(): Set<WaitingCall> {
  const since = now() - LOST_SECONDS * 1000;
  for (const call of calls) if (call.heard < since) calls.delete(call);
  return calls;
}

export const isWaitedFor = (session: string): boolean => [...waiting()].some((call) => call.session === session);
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

/** Of so many looks, one is by a call to ourselves. */
const LOOKS = 4;

/**
 * Lets a round pass, for a call that waits for what others do. A call to the management canister is answered in a later round, where one to ourselves would be
 * in the same; but that one is refused while the canister stops, and somebody who waits holds the stop up.
 * @throws what Azle throws where the call is rejected: the canister stops, has no cycles
 */
export async function aRound(count: number): Promise<void> {
  if (count % LOOKS === LOOKS - 1) {
    ownBill.fees += callFees(WAIT_BYTES);
    await call(canisterSelf(), 'generate', { raw: true, args: NOTHING });
  } else {
    ownBill.fees += RANDOM_FEES;
    await call(Principal.managementCanister(), 'raw_rand', { raw: true, args: EMPTY });
  }
}

/** The first byte is that of no step: nothing is done. */
const NOTHING = Uint8Array.of(0);
/** "generate" and that. */
const WAIT_BYTES = 9;
/** Candid's empty tuple. */
const EMPTY = Uint8Array.of(0x44, 0x49, 0x44, 0x4c, 0, 0);
