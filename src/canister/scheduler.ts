/**
 * Who works on a session whose turn it is (turns().ts). It is driven by one of two:
 *
 *   chain   a step's message ends with sending the next one, which nobody awaits              (`start`)
 *   call    a caller waits in `generate` or `resume`; each step is an awaited call to ourselves
 *
 * Steps of either that programs alone can make are made by relay.ts, TypeScript seeing the last of some.
 *
 * A session's lease says which drive is the right one; who takes a session over raises it, and an older chain's next message does nothing. A call
 * whose session waits for its turn, or is driven by somebody else, spends its steps on whoever's turn it is: nobody idles, nothing is made twice.
 * What breaks (a trap, a reject, a stop, an upgrade, no cycles left) leaves the session at its last token; the watchdog finds sessions that no
 * message has worked on for a while and takes them up again.
 */
import { call, canisterSelf, clearTimer, setTimerInterval } from 'azle';
import { rememberAnswer } from './answers.ts';
import { RELAY } from './assembly/relay-record.ts';
import { forgetCallers } from './callers.ts';
import { counters } from './counters.ts';
import { addChore, keepHouse, keepHouseIfLate, keepHouseSoon } from './housekeeping.ts';
import { isSeeding } from './random.ts';
import { giveBack, lend, relayArgs, relayOf } from './relay.ts';
import type { Relay, Session } from './session.ts';
import type { State } from './session-record.ts';
import {
  activeSessions,
  addInstructions,
  bringBack,
  end,
  endMarked,
  liveSession,
  release,
  sessionOf,
  turns,
  underWay,
} from './sessions.ts';
import { settings } from './settings.ts';
import { advance } from './steps.ts';
import { now } from './time.ts';
import { instructionsNow } from './unit.ts';
import { callBegins, callEnds, waitingCalls } from './waiting.ts';

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

/** Where it cannot be sent (queue full, no cycles), the watchdog will. */
function sendNext(session: Session): void {
  const relay = lend(session, false);
  (relay ? sendRelay(relay) : send(CHAIN, session)).catch(() => {});
}

/** Puts a session in the queue; it may become active at once. */
export function enqueue(session: Session): void {
  turns().queueUp(session.entry!);
  admit();
  watchOver();
}

/**
 * Makes sessions active while there is room, as many as a message has instructions for: one that an upgrade found waiting is read first. Those that no
 * caller waits for begin their chain.
 */
function admit(): void {
  const most = settings().max_active;
  for (let entry = turns().next(most); entry; entry = turns().next(most)) {
    const session = bringBack(entry);
    session.state = 'active';
    session.beat = now();
    if (!session.awaited) chain(session);
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
  if (args[0] === RELAY) lastOfRelay(args);
  else stepOf(args);
}

function stepOf(args: Uint8Array): void {
  const view = new DataView(args.buffer);
  const session = liveSession(view.getUint32(5));
  if (session?.state !== 'active') return;
  const chained = args[0] === CHAIN;
  if (chained && view.getUint32(1) !== session.lease) return;
  if (chained) goOnWith(session);
  else work(session);
  if (isAsleep(session.beat)) takeUp();
}

/** A step of a chain. */
function goOnWith(session: Session): void {
  work(session);
  const counted = instructionsNow();
  if (session.state !== 'active') return;
  sendNext(session);
  session.instructions += instructionsNow() - counted;
}

/** A relay that nobody waits for has made its last token in this message, or was recalled before it. */
function lastOfRelay(args: Uint8Array): void {
  const relay = relayOf(args);
  if (!relay) return;
  const { session, lease, recalled } = relay;
  giveBack(relay);
  if (session.state !== 'active' || session.lease !== lease) return;
  if (recalled) goOnWith(session);
  else {
    if (!session.writing?.finishReason) sendNext(session);
    countAndEnd(session);
  }
  if (isAsleep(session.beat)) takeUp();
}

/** A step of an active session, in this message. */
export function work(session: Session): void {
  advance(session);
  if (!underWay(session)) makeWay(session);
}

/** Counts this message, and ends the session if its last token is there. */
function countAndEnd(session: Session): void {
  const over = session.writing?.finishReason;
  if (over && underWay(session)) {
    session.instructions += instructionsNow();
    end(session, over);
    makeWay(session);
  } else addInstructions(session, instructionsNow());
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

/** The session whose turn it is to be helped: some call waits, so there is one. */
function helped(): Session {
  let entry = turns().turn();
  if (!entry) {
    admit();
    entry = turns().turn();
  }
  return sessionOf(entry!);
}

/** Makes the call in progress the one that drives a session. @returns the lease, or undefined where another call does already */
export function take(session: Session): number | undefined {
  if (session.awaited) return undefined;
  session.awaited = true;
  session.lease += 1;
  return session.lease;
}

/**
 * Goes on, a call to ourselves at a time, until the session is over.
 * @param lease what `take` gave
 * @param who waits for it, as text of a principal
 * @returns why it is not over, if something passing came between; the session goes on by itself then
 */
export async function drive(session: Session, lease: number | undefined, who: string): Promise<string | undefined> {
  const waits = callBegins(who);
  try {
    while (underWay(session)) {
      const own = session.state === 'active' && session.lease === lease;
      const target = own ? session : helped();
      const relay = own ? lend(session, true) : undefined;
      waits.heard = now();
      try {
        try {
          await (relay ? sendRelay(relay) : send(STEP, target));
        } finally {
          if (relay) giveBack(relay);
        }
        countAndEnd(session);
      } catch (error) {
        const broken = error as Broken;
        // the cleanup of a callback that trapped: no call and no reply can be made, and what would trap undoes the `finally` below
        if (broken.type === 'CleanupCallback') throw error;
        if (isPassing(broken)) return reasonOf(broken);
        stumble(target, broken);
      }
    }
    if (session.entry) endMarked(session.entry);
    return undefined;
  } finally {
    callEnds(waits);
    if (session.lease === lease) session.awaited = false;
  }
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
    else chain(session);
  }
  admit();
}

/** Takes up what has stopped. */
async function tend(): Promise<void> {
  watched = now();
  keepHouse();
  admit();
  forgetCallers();
  if (turns().active.length === 0 && turns().queued === 0) {
    clearTimer(watch!);
    watch = undefined;
    return;
  }
  await Promise.all(stalled(watched).map(retry));
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
