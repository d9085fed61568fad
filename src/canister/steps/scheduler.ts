/**
 * Who works on a session whose turn it is (src/service/turns.ts). It is driven by one of two:
 *
 *   chain   a step's message ends with sending the next one, which nobody awaits              (`start`)
 *   call    a caller waits in `generate` or `resume`; each step is an awaited call to ourselves
 *
 * Steps of either that programs alone can make are made by relay.ts, TypeScript seeing the last of some.
 *
 * A session's lease says which drive is the right one; who takes a session over raises it, and an older chain's next message does nothing. A session that had
 * to wait for its turn goes on by a chain then; the call that waits for it looks once a round whether it is over (waiting.ts), which nobody is charged for.
 * What breaks (a trap, a reject, a stop, an upgrade, no cycles left) leaves the session at its last token; the watchdog finds sessions that no
 * message has worked on for a while and takes them up again.
 */
import { call, canisterSelf, clearTimer, setTimerInterval } from 'azle';
import { RELAY } from '../../native/relay-record.ts';
import { addBill, executed } from '../../service/bill.ts';
import { addChore, keepHouse, keepHouseIfLate, keepHouseSoon } from '../runtime/housekeeping.ts';
import { now } from '../runtime/time.ts';
import { instructionsNow } from '../runtime/unit.ts';
import { rememberAnswer } from '../sessions/answers.ts';
import { charge, chargeCall, chargeOneway, forgetCallers, ownAccount, ownBill, REST } from '../sessions/billing.ts';
import { counters } from '../sessions/counters.ts';
import { isSeeding } from '../sessions/random.ts';
import { giveBack, lend, relayArgs, relayOf } from '../sessions/relay.ts';
import type { Relay, Session } from '../sessions/session.ts';
import type { State } from '../sessions/session-record.ts';
import {
  activeSessions,
  bringBack,
  closeMessage,
  end,
  endMarked,
  liveSession,
  release,
  turns,
  underWay,
} from '../sessions/sessions.ts';
import { collect, settle } from '../sessions/settlement.ts';
import { aRound, callBegins, callEnds, isWaitedFor, waitingCalls } from '../sessions/waiting.ts';
import { settings } from '../storage/settings.ts';
import { advance } from './steps.ts';

/** A session that no message has worked on for so long is taken up again. */
const STALL_SECONDS = 30;
const WATCH_SECONDS = 15;
/** A message in which so many instructions have passed makes no further session active. */
const ADMIT_BUDGET = 500_000_000;
/** A step that fails so often in a row fails the session. */
const MAX_FAILURES = 3;

/** First byte of a call to ourselves: someone waits for the answer, or nobody does and the step sends the next. No Candid begins so. */
const STEP = 1;
const CHAIN = 2;
/** [kind u8, lease u32, handle u32] */
const STEP_BYTES = 9;

let watch: bigint | undefined;
let watched = 0;
/** Whether anything has come from outside since the program began. */
let woken = false;

function send(kind: number, session: Session): Promise<unknown> {
  const args = new Uint8Array(STEP_BYTES);
  const view = new DataView(args.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, session.lease);
  view.setUint32(5, session.handle);
  return call<Uint8Array>(canisterSelf(), 'generate', { raw: true, args, oneway: kind === CHAIN });
}

/** The first of steps that a relay makes; if it is awaited, the last is answered. */
const sendRelay = (relay: Relay): Promise<unknown> =>
  call<Uint8Array>(canisterSelf(), `generate#${relay.at}`, {
    raw: true,
    args: relayArgs(relay),
    oneway: !relay.awaited,
  });

/** Drives a session by messages that nobody awaits, from now on. */
function chain(session: Session): void {
  session.lease += 1;
  session.awaited = false;
  session.beat = now();
  sendNext(session);
}

/** The same for a session that may have lost the call that pays for it: it does not go on for nothing. */
function takeUpChain(session: Session): void {
  if (session.payingFrom !== undefined && !isWaitedFor(session.id))
    finish(session, 'failed', 'the call that pays for it is no more; resume it');
  else chain(session);
}

/** Where it cannot be sent (queue full, no cycles), the watchdog will. */
function sendNext(session: Session): void {
  const relay = lend(session, false);
  chargeOneway(session);
  (relay ? sendRelay(relay) : send(CHAIN, session)).catch(() => {});
}

/**
 * Puts a session in the queue; it may become active at once.
 * @param driven whether the call in hand drives it then
 */
export function enqueue(session: Session, driven = false): void {
  turns().queueUp(session.entry!);
  admit(driven ? session : undefined);
  watchOver();
}

/**
 * Makes sessions active while there is room, as many as a message has instructions for: one that an upgrade found waiting is read first. Their chains begin.
 * @param driven by the call in hand, where it becomes active at once
 */
function admit(driven?: Session): void {
  const most = settings().max_active;
  for (let entry = turns().next(most); entry; entry = turns().next(most)) {
    const session = bringBack(entry);
    session.state = 'active';
    session.beat = now();
    if (session !== driven) takeUpChain(session);
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

/** Takes a session that is over out of the turns, and lets the next one in. */
export function leave({ entry }: Session): void {
  turns().stepOut(entry!);
  admit();
}

/** Ends a session that is under way and gives its place to the next. */
export function finish(session: Session, state: Exclude<State, 'queued' | 'active'>, reason?: string): void {
  end(session, state, reason);
  leave(session);
}

/** A message of the canister to itself. */
export function step(args: Uint8Array): void {
  collect();
  const session = args[0] === RELAY ? lastOfRelay(args) : stepOf(args);
  if (session) {
    if (isAsleep(session.beat)) takeUp();
    closeMessage(session);
  } else settle(ownAccount);
}

function stepOf(args: Uint8Array): Session | undefined {
  if (args.length < STEP_BYTES) return undefined;
  const view = new DataView(args.buffer);
  const session = liveSession(view.getUint32(5));
  if (session?.state !== 'active') return undefined;
  const chained = args[0] === CHAIN;
  if (chained && view.getUint32(1) !== session.lease) return undefined;
  if (chained) goOnWith(session);
  else work(session, true);
  return session;
}

/** A step of a chain. */
function goOnWith(session: Session): void {
  work(session, true);
  if (session.state === 'active') sendNext(session);
}

/** A relay that nobody waits for has made its last token in this message, or was recalled before it. */
function lastOfRelay(args: Uint8Array): Session | undefined {
  const relay = relayOf(args);
  if (!relay) return undefined;
  const { session, lease, recalled } = relay;
  giveBack(relay);
  if (session.state !== 'active' || session.lease !== lease) return undefined;
  if (recalled) goOnWith(session);
  else if (session.writing?.finishReason) endWritten(session);
  else sendNext(session);
  return session;
}

/**
 * A step of an active session, in this message.
 * @param together whether others' tokens may be made with it: not where the message replies to a caller, since that has its bill
 */
export function work(session: Session, together = false): void {
  advance(session, together);
  if (!underWay(session)) makeWay(session);
}

/** Ends a session whose last token a relay has made. */
function endWritten(session: Session): void {
  const over = session.writing?.finishReason;
  if (!over || !underWay(session)) return;
  end(session, over);
  makeWay(session);
}

/** A session is over by itself. */
function makeWay(session: Session): void {
  rememberAnswer(session);
  leave(session);
}

interface Broken {
  type?: string;
  rejectCode?: number;
  rejectMessage?: string;
}

/** What is wrong with the canister for now, not with the step: it stops, has no cycles, is full. */
const isPassing = ({ type, rejectCode, rejectMessage = '' }: Broken): boolean =>
  type === 'InsufficientLiquidCycleBalance' ||
  type === 'CallPerformFailed' ||
  rejectCode === 2 ||
  /is (stopping|stopped|not running)/.test(rejectMessage);

const reasonOf = (error: Broken): string => error.rejectMessage ?? error.type ?? String(error);

/** A step failed: the session is at its last token. After too many failures in a row it is failed. */
function stumble(session: Session, error: Broken): void {
  if (session.state !== 'active') return;
  session.failures += 1;
  counters.stumbles += 1;
  // what lies in the arena is made anew: the next try shall not meet what the last one met
  release(session);
  if (session.failures >= MAX_FAILURES) finish(session, 'failed', reasonOf(error));
}

/** Makes the call in progress the one that drives a session. @returns the lease, or undefined where another call does already */
export function take(session: Session): number | undefined {
  if (session.awaited) return undefined;
  session.awaited = true;
  session.lease += 1;
  return session.lease;
}

/**
 * Goes on, a call to ourselves at a time, until the session is over; where it is somebody else who drives it, or its turn has not come, looks once a round.
 * Leaves the message in hand open: it is for the caller to close.
 * @param lease what `take` gave
 * @param who waits for it, as text of a principal
 * @param isItsOwn whether the message in hand has done something for the session
 * @returns why it is not over, if something passing came between
 */
export async function drive(
  session: Session,
  lease: number | undefined,
  who: string,
  isItsOwn: boolean,
): Promise<string | undefined> {
  const waits = callBegins(who, session.id);
  try {
    for (let rounds = 0; underWay(session); rounds++) {
      waits.heard = now();
      try {
        if (session.state === 'active' && session.lease === lease) {
          isItsOwn = true;
          await stepOfOurs(session);
        } else {
          // a message that has done something for the session is its own; those that wait are not
          if (isItsOwn) closeMessage(session);
          else settle(ownAccount);
          isItsOwn = false;
          await aRound(rounds);
        }
      } catch (error) {
        const broken = error as Broken;
        // the cleanup of a callback that trapped: no call and no reply can be made, and what would trap undoes the `finally` below
        if (broken.type === 'CleanupCallback') throw error;
        if (isPassing(broken)) return reasonOf(broken);
        if (session.lease === lease) stumble(session, broken);
      }
    }
    if (session.entry) endMarked(session.entry);
    return undefined;
  } finally {
    callEnds(waits);
    if (session.lease === lease) session.awaited = false;
  }
}

/** A call to ourselves, or as many as a relay makes, and what came of it. */
async function stepOfOurs(session: Session): Promise<void> {
  const relay = lend(session, true);
  try {
    const answered = relay ? sendRelay(relay) : send(STEP, session);
    chargeCall(session);
    closeMessage(session);
    await answered;
  } finally {
    collect();
    if (relay) giveBack(relay);
  }
  endWritten(session);
}

/**
 * Why this is no time for an upgrade: answers to calls made before it would come to a program that is no more, and be written where it had its memory
 * (ic-cdk 0.18 keeps pointers in them). A stopped canister waits for none. Calls that nothing is heard of for long are taken for lost.
 */
export function awaitsAnswers(): string | undefined {
  const waiting = waitingCalls();
  return isSeeding() || waiting > 0
    ? `upgrade: expected no calls that wait for an answer, got ${waiting || 'one for randomness'}; stop the canister first, then upgrade and start it`
    : undefined;
}

/**
 * Called first by whatever comes from outside and changes something. After an upgrade it takes up the sessions that were under way; and it sees to
 * it that the watchdog runs while anything is, since timers get lost.
 */
export function wake(): void {
  if (!woken) keepHouse();
  else keepHouseIfLate();
  woken = true;
  admit();
  if (turns().active.length > 0) watchOver();
}

/** Called after an upgrade too: the watchdog's first look takes up what was under way, should the program's own timer break. */
export function watchOver(): void {
  if (watch === undefined) {
    watched = now();
    watch = setTimerInterval(WATCH_SECONDS, tend);
  } else if (isAsleep(now())) takeUp();
}

/**
 * Whether the watchdog should have looked long ago. A timer's message that traps, or finds no cycles, is lost, and ic-cdk-timers then sets none again
 * until an upgrade: it thinks of the lost one as still to come.
 */
const isAsleep = (time: number): boolean => time - watched > 3 * WATCH_SECONDS * 1000;

/** What is stalled at a time: active, and no message has worked on it for long. */
const stalled = (time: number): Session[] => activeSessions().filter(({ beat }) => beat < time - STALL_SECONDS * 1000);

/** The watchdog's work without a timer, by whatever message comes along. */
function takeUp(): void {
  watched = now();
  for (const session of stalled(watched)) {
    counters.revived += 1;
    session.failures += 1;
    release(session);
    if (session.failures > MAX_FAILURES)
      finish(session, 'failed', 'its steps ended without an answer, again and again');
    else takeUpChain(session);
  }
  admit();
}

/** Takes up what has stopped. */
async function tend(): Promise<void> {
  collect();
  watched = now();
  keepHouse();
  admit();
  forgetCallers();
  if (turns().active.length === 0 && turns().queued === 0) {
    clearTimer(watch!);
    watch = undefined;
    shareWatch();
    return;
  }
  shareWatch();
  await Promise.all(stalled(watched).map(retry));
}

/** The watchdog's look is on the bills of those that it watches over: a timer's message, ic-cdk's call to itself, and its reply. */
function shareWatch(): void {
  const watched = activeSessions();
  const { instructions, messages, fees } = executed(instructionsNow() + REST.watch, 3);
  const n = Math.max(watched.length, 1);
  const share = { instructions: instructions / n, messages: messages / n, fees: fees / n };
  for (const session of watched) charge(session, share);
  if (watched.length === 0) addBill(ownBill, share);
}

/** A step that is awaited, so that it is known why it fails; then the session goes on by itself. */
async function retry(session: Session): Promise<void> {
  counters.revived += 1;
  session.lease += 1;
  session.awaited = false;
  session.beat = now();
  const { lease } = session;
  const waits = callBegins(canisterSelf().toText());
  try {
    await send(STEP, session);
  } catch (error) {
    const broken = error as Broken;
    if (broken.type !== 'CleanupCallback' && !isPassing(broken)) stumble(session, broken);
    return;
  } finally {
    callEnds(waits);
  }
  if (session.state === 'active' && session.lease === lease) sendNext(session);
}
