/**
 * The messages that work on all active sessions: one drive at a time (src/service/driver.ts), by a chain that nobody
 * awaits or by calls that a waiting caller awaits. A message is native as long as programs are all there is to run
 * (native-loop.ts), and TypeScript's (turn.ts) where a session begins, ends, or needs more than programs.
 */
import { call, canisterSelf } from 'azle';
import { Driver } from '../../service/driver.ts';
import { readyModel } from '../model/model.ts';
import { now } from '../runtime/time.ts';
import { chargeEach, noteCharged, onewayCall, selfCall } from '../sessions/billing.ts';
import {
  abandon,
  attach,
  type Drive,
  giveBack,
  halt,
  isAttachable,
  lastStep,
  openDrive,
  openEntering,
  takeSpent,
} from '../sessions/native-loop.ts';
import type { Session } from '../sessions/session.ts';
import { closeShared, underWay, workedOn } from '../sessions/sessions.ts';
import { collect } from '../sessions/settlement.ts';
import { aRound, type WaitingCall } from '../sessions/waiting.ts';
import { canGoOn } from './groups.ts';
import { askAll, errandsUnderWay, isAway, isCleanup } from './stage-errands.ts';
import { isStepping } from './steps.ts';

/**
 * First byte of a call to ourselves: someone waits for the answer, or nobody does and the step sends the next. No
 * Candid begins so.
 */
export const STEP = 1;
export const CHAIN = 2;
/** [kind u8, lease u32, handle u32 of the one session that it is for, 0 for all] */
export const STEP_BYTES = 9;

let made: Driver<WaitingCall> | undefined;
export function driver(): Driver<WaitingCall> {
  // leases begin with the time, so that messages from before an upgrade have old ones
  made ??= new Driver(Math.floor(now()) % 2 ** 32);
  return made;
}

/** Messages of a drive that TypeScript has sent or seen, and when the last one was. */
let seen = 0;
let seenAt = 0;
export function noteMessage(): void {
  seen += 1;
  seenAt = now();
}

/** Something that changes with every message of a drive. */
const signOfLife = (): number => seen * 2 ** 32 + lastStep().sign;

/** When a message of a drive was last executed, in milliseconds since 1970. */
export const lastSign = (): number => Math.max(seenAt, lastStep().time);

/** Whom alone the message under way is for. */
let alone: Session | undefined;
export const aloneUnderWay = (): Session | undefined => alone;

/** Whether the last message that could be either was native, so that the next is TypeScript's. */
let wasNative = false;

/** Attaches sessions for a drive, if no message of TypeScript's is due. */
function native(all: readonly Session[], awaited: boolean): Drive | undefined {
  const model = readyModel();
  if (!model || model.languageModel.busy) return undefined;
  let stepping = 0;
  for (const session of all) {
    if (session.suspect) return undefined;
    if (!isStepping(session)) continue;
    if (!attach(session)) return undefined;
    stepping += 1;
  }
  if (stepping === all.length) return openDrive(awaited);
  if (stepping === 0) return undefined;
  // some have yet to begin: by turns
  wasNative = !wasNative;
  return wasNative ? openDrive(awaited, 1) : undefined;
}

/** Whether TypeScript has to make the next steps, one after the other, and will not learn anything in between. */
function entersOnly(all: readonly Session[]): boolean {
  const model = readyModel();
  if (!model || model.languageModel.stages > 1 || all.some(({ suspect }) => suspect)) return false;
  return all.some((session) => isStepping(session) && !isAttachable(session, model));
}

/** Makes a step by `turn` in a message whose reply is native, unless it is the last such one. */
export function stepOfEntering(drive: Drive, turn: () => void): void {
  const before = workedOn();
  chargeEach(before, takeSpent(drive));
  turn();
  const all = workedOn();
  if (before.every(underWay) && entersOnly(all)) noteNext(all);
  else halt();
}

function send(kind: number, session: Session | undefined): Promise<unknown> {
  const args = new Uint8Array(STEP_BYTES);
  const view = new DataView(args.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, driver().lease);
  view.setUint32(5, session?.handle ?? 0);
  return call<Uint8Array>(canisterSelf(), 'generate', { raw: true, args, oneway: kind === CHAIN });
}

/** The first of a drive's messages; if it is awaited, the last is answered. */
const sendDrive = (drive: Drive): Promise<unknown> =>
  call<Uint8Array>(canisterSelf(), `generate#${drive.at}`, {
    raw: true,
    args: drive.args,
    oneway: !drive.awaited,
  });

/** A step for one session alone, that is awaited. */
export const stepAlone = (session: Session): Promise<unknown> => send(STEP, session);

/** Somebody drives from now on: what another has sent does nothing any more. */
export function takeOver(who: 'chain' | WaitingCall): void {
  chargeEach(workedOn(), abandon());
  driver().take(who);
}

/**
 * A call that waits has a look.
 * @returns whether it drives, or from now on since the former drive has gone silent
 */
export function look(call: WaitingCall): ReturnType<Driver<WaitingCall>['look']> {
  if (driver().isDrivenBy(call)) return 'drives';
  // a stage that is asked takes its time, and that is no sign of death
  const looked = driver().look(call, isAway() ? now() : signOfLife());
  if (looked !== 'waits') chargeEach(workedOn(), abandon());
  return looked;
}

/** Drives by messages that nobody awaits, if nobody drives and there is something to do. */
export function beginChain(): void {
  if (!driver().isVacant || workedOn().length === 0) return;
  takeOver('chain');
  sendNext();
}

function noteNext(all: readonly Session[]): void {
  noteMessage();
  alone = all.length === 1 ? all[0] : all.find(({ suspect }) => suspect);
}

/**
 * The next message of a drive, native or not: of one alone, where that one is suspect.
 * @param mayEnter whether TypeScript's messages may have native replies
 */
function nextMessage(
  all: readonly Session[],
  kind: number,
  mayEnter: boolean,
): { drive: Drive | undefined; sendIt(): Promise<unknown> } {
  noteNext(all);
  const drive = native(all, kind === STEP) ?? (mayEnter && entersOnly(all) ? openEntering(readyModel()!) : undefined);
  return { drive, sendIt: () => (drive ? sendDrive(drive) : send(kind, alone?.suspect ? alone : undefined)) };
}

/**
 * The next message of a chain; its last, if there is nothing left to do. Where it cannot be sent (queue full, no
 * cycles), the watchdog will.
 */
export function sendNext(): void {
  const all = workedOn();
  if (all.length === 0) {
    driver().leave('chain');
    return;
  }
  askStages(fromChain);
  if (!all.some((session) => canGoOn(session))) {
    // an answer sends the next; where none is to come, the watchdog does
    if (errandsUnderWay() > 0) resting = driver().lease;
    else driver().leave('chain');
    return;
  }
  resting = undefined;
  const { sendIt } = nextMessage(all, CHAIN, false);
  chargeEach(all, onewayCall());
  sendIt().catch(() => {});
}

/** Answers of stages that a call waits for, or that come to nobody in particular. */
type Answers = Set<Promise<void>>;
const fromChain: Answers = new Set();

/** Lease of a chain that waits for stages: it has sent no next message. */
let resting: number | undefined;

/** Asks stages what there is to be asked. Their answers come to whoever asked; any of them wakes a chain that rests. */
function askStages(answers: Answers): void {
  const after = (): void => {
    collect();
    noteMessage();
    askStages(answers);
    if (driver().isVacant) beginChain();
    else if (driver().lease === resting && workedOn().some((session) => canGoOn(session))) sendNext();
    closeShared(workedOn());
  };
  for (const answer of askAll(after)) {
    const forget = (error?: unknown): void => {
      answers.delete(answer);
      // no message can be sent now, and what was asked is given up
      if (error && isCleanup(error) && driver().lease === resting) driver().leave('chain');
    };
    answers.add(answer);
    answer.then(forget, forget);
  }
}

/**
 * The next message of a drive by a call, or as many as are native, and what came of it.
 * @param waits whose call it is
 * @param close says whose the message in hand is
 * @throws StageError where rows at a stage came to nothing
 */
export async function awaitNext(waits: WaitingCall, close: () => void, until: number): Promise<void> {
  const all = workedOn();
  const { answers } = waits;
  askStages(answers);
  if (!all.some((session) => canGoOn(session))) {
    noteNext(all);
    close();
    try {
      // others' answers come to them; what they change is seen after a round
      await (answers.size > 0 ? Promise.race(answers) : aRound(waits, until));
    } finally {
      collect();
    }
    return;
  }
  const { drive, sendIt } = nextMessage(all, STEP, until === Number.POSITIVE_INFINITY);
  try {
    const answered = sendIt();
    chargeEach(all, selfCall());
    close();
    await answered;
  } finally {
    collect();
    if (drive) payPot(drive);
  }
}

/** Gives a drive back; what its messages took and nobody has paid is for all that are worked on. */
export function payPot(drive: Drive): void {
  const { bill, prepaid } = giveBack(drive);
  chargeEach(workedOn(), bill);
  noteCharged(prepaid);
}
