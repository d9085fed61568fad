/**
 * Calls that wait for their session's end, the canister's messages to itself, and what watches over both. All active
 * sessions are worked on by one drive (driving.ts). A call whose session is under way drives, if nobody does; else it
 * looks once a round whether the session is over, which nobody is charged for. What breaks (a trap, a reject, a stop,
 * an upgrade, no cycles left) leaves sessions at their last token. If it is not known whose fault it was, each that was
 * there is tried alone next. Where no message was executed for a while, a waiting call takes over, or the watchdog.
 */
import { canisterSelf, clearTimer, setTimerInterval } from 'azle';
import { withLength } from '../../model/generation/options.ts';
import { NATIVE_LOOP } from '../../native/loop-record.ts';
import { addBill, executed } from '../../service/bill.ts';
import { readyModel } from '../model/model.ts';
import { keepHouse, keepHouseIfLate } from '../runtime/housekeeping.ts';
import { isRestored } from '../runtime/restoring.ts';
import { now } from '../runtime/time.ts';
import { instructionsNow } from '../runtime/unit.ts';
import { charge, forgetCallers, ownAccount, ownBill, REST, selfCall } from '../sessions/billing.ts';
import { counters } from '../sessions/counters.ts';
import { driveOf, sync } from '../sessions/native-loop.ts';
import { isSeeding } from '../sessions/random.ts';
import type { Session } from '../sessions/session.ts';
import {
  activeSessions,
  closeMessage,
  closeShared,
  endMarked,
  liveSession,
  release,
  turns,
  underWay,
  workedOn,
} from '../sessions/sessions.ts';
import { collect, settle } from '../sessions/settlement.ts';
import { aRound, callBegins, callEnds, waitingCalls } from '../sessions/waiting.ts';
import {
  aloneUnderWay,
  awaitNext,
  beginChain,
  CHAIN,
  driver,
  lastSign,
  look,
  payPot,
  STEP_BYTES,
  sendNext,
  stepAlone,
  stepOfEntering,
  takeOver,
} from './driving.ts';
import { admit, endUnpaid, finish } from './places.ts';
import { type Broken, errandsUnderWay, isAway, isPassing, StageError } from './stage-errands.ts';
import { endWritten, turn } from './turn.ts';

/** A drive that no message was executed of for so long is taken for lost. */
const STALL_SECONDS = 30;
const WATCH_SECONDS = 15;
/** A session whose steps fail so often in a row is failed. */
const MAX_FAILURES = 3;

let watch: bigint | undefined;
let watched = 0;
/** Whether anything has come from outside since the program began. */
let woken = false;

/** A message of the canister to itself. */
export function step(args: Uint8Array): void {
  collect();
  const isDone = args[0] === NATIVE_LOOP ? stepOfDrive(args) : stepOf(args);
  if (!isDone) settle(ownAccount);
  else if (isAsleep(now())) takeUp();
}

/** A message for all, or for one alone. @returns whether it was of the drive in charge */
function stepOf(args: Uint8Array): boolean {
  if (args.length < STEP_BYTES) return false;
  const view = new DataView(args.buffer, args.byteOffset);
  if (view.getUint32(1) !== driver().lease) return false;
  const handle = view.getUint32(5);
  const only = handle === 0 ? undefined : liveSession(handle);
  // it is over meanwhile
  if (handle !== 0 && only?.state !== 'active') settle(ownAccount);
  else turn(only);
  if (args[0] === CHAIN) sendNext();
  return true;
}

/** A step of a drive whose replies are native, or the last of one that nobody waits for. */
function stepOfDrive(args: Uint8Array): boolean {
  const drive = driveOf(args);
  if (!drive) return false;
  if (drive.enters) {
    stepOfEntering(drive, turn);
    return true;
  }
  payPot(drive);
  turn();
  sendNext();
  return true;
}

const reasonOf = (error: Broken): string => error.rejectMessage ?? error.type ?? String(error);

/** A step of a session alone failed: it is at its last token. After too many failures in a row it is failed. */
function countFailedStep(session: Session, error: Broken): void {
  if (session.state !== 'active') return;
  session.failures += 1;
  session.suspect = true;
  // what lies in the arena is made anew: the next try shall not meet what the last one met
  release(session);
  if (session.failures >= MAX_FAILURES) finish(session, 'failed', reasonOf(error));
}

/** A message for all active sessions failed, or for one alone. */
function blame(error: Broken): void {
  counters.stumbles += 1;
  const alone = aloneUnderWay();
  if (alone) countFailedStep(alone, error);
  else suspectAll();
}

/** It is not known whose fault it was: each is tried alone. A program under way is begun anew. */
function suspectAll(): void {
  for (const session of activeSessions()) session.suspect = true;
  if (readyModel()?.languageModel.busy) for (const session of activeSessions()) release(session);
}

/**
 * Waits until a session is over; drives meanwhile, if nobody else does. Leaves the message in hand open: it is for the
 * caller to close.
 * @param who waits for it, as text of a principal
 * @param isItsOwn whether the message in hand has done something for the session
 * @param until when the answer ends with what it has, in milliseconds since 1970
 * @returns why it is not over, if something passing came between
 */
export async function drive(
  session: Session,
  who: string,
  isItsOwn: boolean,
  until = Number.POSITIVE_INFINITY,
): Promise<string | undefined> {
  const waits = callBegins(who, session.id);
  let canSend = true;
  /** Says whose the message in hand is: the session's, that of all that are driven, or nobody's. */
  let close = (): void => (isItsOwn ? closeMessage(session) : settle(ownAccount));
  try {
    while (underWay(session)) {
      waits.heard = now();
      if (waits.heard >= until) {
        endEarly(session);
        break;
      }
      const looked = look(waits);
      if (looked === 'takesOver') {
        blameSilence();
        if (!underWay(session)) break;
      }
      try {
        if (looked === 'waits' || workedOn().length === 0) {
          close();
          close = () => settle(ownAccount);
          await aRound(waits, until);
        } else {
          await awaitNext(waits, close, until);
          const over = endWritten();
          close = () => closeShared(over.length > 0 ? over : workedOn());
        }
      } catch (error) {
        const broken = error as Broken;
        // the cleanup of a callback that trapped: no call and no reply can be made, and what would trap undoes the
        // `finally` below
        canSend = broken.type !== 'CleanupCallback';
        if (!canSend) throw error;
        close = () => (looked === 'waits' ? settle(ownAccount) : closeShared(workedOn()));
        // a stage's failure is noted already, and is nothing to those whose rows it did not have
        if (broken instanceof StageError && !broken.sessions.includes(session)) continue;
        if (isPassing(broken)) return reasonOf(broken);
        if (broken instanceof StageError) continue;
        if (looked !== 'waits' && driver().isDrivenBy(waits)) blame(broken);
      }
    }
    if (session.entry) endMarked(session.entry);
    return undefined;
  } finally {
    callEnds(waits);
    if (driver().leave(waits) && canSend) beginChain();
  }
}

/** Whoever waits has no more time: the answer is what there is, or none. */
function endEarly(session: Session): void {
  const { options: asked, tokenIds } = sync(session);
  if (tokenIds.length > 0) {
    // so it is the answer to what is written down, which a receipt can be checked by: none was forced to end here
    const { forcedEosTokenIds: _, ...options } = asked;
    session.options = withLength(options, tokenIds.length);
    finish(session, 'length');
  } else finish(session, 'failed', 'its turn did not come in time; try again, or use start');
}

/**
 * Why this is no time for an upgrade: answers to calls made before it would come to a program that is no more, and be
 * written where it had its memory (ic-cdk 0.18 keeps pointers in them). A stopped canister waits for none. Calls that
 * nothing is heard of for long are taken for lost.
 */
export function awaitsAnswers(): string | undefined {
  const waiting = waitingCalls() + errandsUnderWay();
  return isSeeding() || waiting > 0
    ? `upgrade: expected no calls that wait for an answer, got ${waiting || 'one for randomness'}; stop the canister first, then upgrade and start it`
    : undefined;
}

/**
 * Called first by whatever comes from outside and changes something. After an upgrade it takes up the sessions that
 * were under way; and it sees to it that the watchdog runs while anything is, since timers get lost.
 */
export function wake(): void {
  if (!woken) keepHouse();
  else keepHouseIfLate();
  woken = true;
  if (!isRestored()) return;
  admit();
  if (turns().active.length === 0) return;
  beginChain();
  watchOver();
}

/**
 * Called after an upgrade too: the watchdog's first look takes up what was under way, should the program's own timer
 * break.
 */
export function watchOver(): void {
  if (watch === undefined) {
    watched = now();
    watch = setTimerInterval(WATCH_SECONDS, onWatch);
  } else if (isAsleep(now())) takeUp();
}

/**
 * Whether the watchdog should have looked long ago. A timer's message that traps, or finds no cycles, is lost, and
 * ic-cdk-timers then sets none again until an upgrade: it thinks of the lost one as still to come.
 */
const isAsleep = (time: number): boolean => time - watched > 3 * WATCH_SECONDS * 1000;

/** Whether something is to be done, and no message of a drive was executed for long. */
const isStalled = (): boolean => turns().active.length > 0 && !isAway() && lastSign() < now() - STALL_SECONDS * 1000;

/** Nothing was heard of a message: whose fault that was is known if it was for one alone. */
function blameSilence(): void {
  const alone = aloneUnderWay();
  if (alone?.state !== 'active') {
    suspectAll();
    return;
  }
  alone.failures += 1;
  alone.suspect = true;
  release(alone);
  if (alone.failures > MAX_FAILURES) finish(alone, 'failed', 'its steps ended without an answer, again and again');
}

/** The watchdog's work without a timer, by whatever message comes along. */
function takeUp(): void {
  watched = now();
  endUnpaid(activeSessions());
  if (isStalled()) {
    counters.revived += turns().active.length;
    blameSilence();
    driver().vacate();
  }
  admit();
  beginChain();
}

/** Takes up what has stopped. */
async function onWatch(): Promise<void> {
  collect();
  watched = now();
  keepHouse();
  if (!isRestored()) return;
  admit();
  forgetCallers();
  endUnpaid(activeSessions());
  if (turns().active.length === 0 && turns().queued === 0) {
    clearTimer(watch!);
    watch = undefined;
    shareWatch();
    return;
  }
  shareWatch();
  if (isStalled()) await retryAll();
  else beginChain();
}

/**
 * The watchdog's look is on the bills of those that it watches over: a timer's message, ic-cdk's call to itself, and
 * its reply.
 */
function shareWatch(): void {
  const watched = activeSessions();
  const { instructions, messages, fees } = executed(instructionsNow() + REST.watch, 3);
  const n = Math.max(watched.length, 1);
  const share = { instructions: instructions / n, messages: messages / n, fees: fees / n };
  for (const session of watched) charge(session, share);
  if (watched.length === 0) addBill(ownBill, share);
}

/** A step of each that is awaited, so that it is known why it fails; then they go on by themselves. */
async function retryAll(): Promise<void> {
  const waits = callBegins(canisterSelf().toText());
  takeOver(waits);
  let canSend = true;
  try {
    await Promise.all(
      activeSessions().map(async (session) => {
        counters.revived += 1;
        session.suspect = true;
        // what fails once is tried until it does not, or has failed for good: a chain would not learn of it
        while (session.state === 'active' && session.suspect && driver().isDrivenBy(waits)) {
          waits.heard = now();
          try {
            charge(session, selfCall());
            await stepAlone(session);
          } catch (error) {
            const broken = error as Broken;
            canSend = broken.type !== 'CleanupCallback';
            if (!canSend || isPassing(broken)) return;
            countFailedStep(session, broken);
          }
        }
      }),
    );
  } finally {
    callEnds(waits);
    if (driver().leave(waits) && canSend) beginChain();
  }
}
