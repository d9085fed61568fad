/**
 * Calls in progress that wait for an answer of the canister to itself. What each would undo at its end is lost where a
 * callback traps and the cleanup after it, too: a call that nothing was heard of for long is taken for lost, so that
 * such calls do not use up the room there is.
 */
import { call, canisterSelf, Principal } from 'azle';
import { MESSAGE_BYTES } from '../../native/loop-record.ts';
import {
  ASKED,
  LOOKS_LEFT,
  MOST_LOOKS,
  OVER,
  PING,
  PING_ARGS,
  PINGED,
  QUESTION,
  UNTIL,
  WAIT_BYTES,
  WAITED_INSTRUCTIONS,
} from '../../native/waiting-record.ts';
import { addBill, callFees, executed, SELF_CALL_BYTES } from '../../service/bill.ts';
import type { Waiting } from '../../service/driver.ts';
import { now } from '../runtime/time.ts';
import { arena, unit } from '../runtime/unit.ts';
import { keyOfAccount, settings } from '../storage/settings.ts';
import { ownBill, REST } from './billing.ts';
import { RANDOM_FEES } from './random.ts';

const LOST_SECONDS = 300;
/** Each has a message in the canister's queue to itself, which holds 500. */
const MAX_WAITING = 400;

export interface WaitingCall extends Waiting {
  /** Text of the caller's principal. */
  who: string;
  /** Id of the session whose end it waits for; none where the canister itself tries a step. */
  session?: string;
  /** Milliseconds since 1970 of the last sign that it goes on. */
  heard: number;
  /** Answers of stages that are to come to it. */
  answers: Set<Promise<void>>;
  /** Its record in the arena, while it waits for a round or more. */
  record?: number | undefined;
}

const calls = new Set<WaitingCall>();

export function callBegins(who: string, session?: string): WaitingCall {
  const begun: WaitingCall = { who, session, heard: now(), answers: new Set() };
  calls.add(begun);
  return begun;
}

export const callEnds = (call: WaitingCall): unknown => calls.delete(call);

/** A session is over: who waits for it learns that in the next round. */
export function wakeCalls(session: string): void {
  for (const call of calls)
    if (call.session === session && call.record !== undefined)
      unit.write(call.record + OVER, Uint8Array.of(1, 0, 0, 0));
}

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
  const key = keyOfAccount(who);
  const most = key ? key.max_sessions || Number.POSITIVE_INFINITY : settings().max_sessions_per_caller;
  const own = [...waiting()].filter((call) => call.who === who).length;
  return own >= most
    ? `${method}: expected fewer than ${most} calls of one caller to wait for their answer, got ${own}`
    : undefined;
}

const idle: number[] = [];

/**
 * Lets a round pass, or several: until the session is over or drives have gone silent, and MOST_LOOKS at the most
 * (assembly/waiting.ts). A call to the management canister is answered in a later round, where one to ourselves would
 * be in the same. What it costs is on nobody's bill.
 * @param until when the call has waited long enough, in milliseconds since 1970
 * @throws what Azle throws where the call is rejected: the canister stops, has no cycles
 */
export async function aRound(waits: WaitingCall, until = Number.POSITIVE_INFINITY): Promise<void> {
  const at = idle.pop() ?? arena.allocate(WAIT_BYTES);
  const head = new Uint8Array(WAIT_BYTES);
  head[LOOKS_LEFT] = MOST_LOOKS;
  head.set(EMPTY, QUESTION);
  head[PING_ARGS] = PING;
  if (until < Number.POSITIVE_INFINITY)
    new DataView(head.buffer).setBigUint64(UNTIL, BigInt(Math.ceil(until)) * 1_000_000n, true);
  unit.write(at, head);
  waits.record = at;
  // where nothing goes on, it may be that the canister stops
  const asksItself = (waits.looks ?? 0) % 2 === 1;
  ownBill.fees += asksItself ? callFees(SELF_CALL_BYTES) : RANDOM_FEES;
  if (asksItself) addBill(ownBill, executed(REST.ping));
  try {
    if (asksItself)
      await call(canisterSelf(), 'generate', { raw: true, args: head.slice(PING_ARGS, PING_ARGS + MESSAGE_BYTES) });
    else await call(Principal.managementCanister(), `raw_rand#${at}`, { raw: true, args: EMPTY });
  } finally {
    // a record whose callback trapped is not used again: it is not known whether an answer is still to come
    waits.record = undefined;
    collectLooks(at);
    idle.push(at);
  }
}

/**
 * Puts the looks that TypeScript did not see on the canister's own bill: their answers, and of calls to itself their
 * messages, too.
 */
function collectLooks(at: number): void {
  const view = new DataView(unit.read(at + ASKED, QUESTION - ASKED).buffer);
  const [asked, pinged] = [view.getUint32(0, true), view.getUint32(PINGED - ASKED, true)];
  const instructions = Number(view.getBigUint64(WAITED_INSTRUCTIONS - ASKED, true)) + pinged * REST.ping;
  addBill(ownBill, executed(instructions, asked + 2 * pinged));
  ownBill.fees += asked * RANDOM_FEES + callFees(SELF_CALL_BYTES, pinged);
}

/** Candid's empty tuple. */
const EMPTY = Uint8Array.of(0x44, 0x49, 0x44, 0x4c, 0, 0);
