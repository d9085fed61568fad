/**
 * What the first canister of a model in stages asks the others: the rows of a step go there and come back
 * (src/model/stages). Several errands are under way at once, of other sessions each. Where one comes to nothing, its
 * sessions' step begins anew: they stand at their last token, as after a message that trapped. Others are not touched.
 */
import { call, type Principal } from 'azle';
import type { Errand } from '../../model/stages/errands.ts';
import { askingForNothing, instructionsOf, lostOf } from '../../model/stages/wire.ts';
import { type Bill, callFees, executed, partOf } from '../../service/bill.ts';
import { CALL_BYTE_CYCLES, MESSAGE_CYCLES } from '../../service/prices.ts';
import { blobInCandid, bytesOfBlob } from '../candid/blob.ts';
import { type Model, readyModel } from '../model/model.ts';
import { cutOf, stageCanisters } from '../model/stage-here.ts';
import { withCut } from '../model/stage-request.ts';
import { now } from '../runtime/time.ts';
import { charge, chargeEach } from '../sessions/billing.ts';
import type { Session } from '../sessions/session.ts';
import { activeSessions } from '../sessions/sessions.ts';

/** Who has had no answer for so long asks again. */
const LATE_MS = 120_000;
/** Whose stage is stopped, or has no cycles, is tried again after so long, and each time after twice as long. */
const HOLD_MS = 1_000;
/**
 * So often in a row a session's rows go in vain before it is failed; and where what is wrong may pass. An upgrade that
 * stops a stage first takes some seconds.
 */
const MOST_IN_VAIN = 3;
const MOST_IN_PASSING = 6;

/** Errands whose answers are not there yet, and when each was sent. */
const asked = new Map<Errand, number>();

/** What came of a session's rows since a tour of theirs has come back. */
interface Trouble {
  times: number;
  most: number;
  until: number;
  reason: string;
}
const troubles = new WeakMap<Session, Trouble>();

/** Whether an answer may yet come; what is late is given up. */
export function isAway(): boolean {
  for (const [errand, sent] of asked) {
    if (sent > now() - LATE_MS) continue;
    asked.delete(errand);
    readyModel()?.languageModel.giveUpErrand(errand);
  }
  return asked.size > 0;
}

/** Errands that an upgrade must not come between. */
export const errandsUnderWay = (): number => asked.size;

/** Whether a session's rows came to nothing the last time: they go without others' until they come back. */
export const isInTrouble = (session: Session): boolean => troubles.has(session);

/** Whether a session is not to be tried yet. */
export const isHeld = (session: Session): boolean => (troubles.get(session)?.until ?? 0) > now();

/** Why a session is to be failed, if it is: which stage, and what that said. */
export function failedByStage(session: Session): string | undefined {
  const trouble = troubles.get(session);
  return trouble && trouble.times >= trouble.most ? `${trouble.reason}; resume it` : undefined;
}

/** What a call that failed is known by: its type, or how it was rejected. */
export interface Broken {
  type?: string;
  rejectCode?: number;
  rejectMessage?: string;
  message?: string;
}

/** What is wrong with a canister for now, not with what it was asked: it stops, has no cycles, is full. */
export const isPassing = ({ type, rejectCode, rejectMessage = '' }: Broken): boolean =>
  type === 'InsufficientLiquidCycleBalance' ||
  type === 'CallPerformFailed' ||
  rejectCode === 2 ||
  /is (stopping|stopped|not running)/.test(rejectMessage);

/** Whether nothing else can be done, in the cleanup of a callback that trapped. */
export const isCleanup = (error: unknown): boolean => (error as Broken).type === 'CleanupCallback';

/** Whether its message trapped: what that took is gone, and the stage can say how much by what it has left. */
const hasTrapped = (error: Broken): boolean => error.rejectCode === 5 && !isPassing(error);

/** Why a stage has not done what it was asked, in the form of a call's error. */
export class StageError extends Error {
  readonly type: string | undefined;
  readonly rejectCode: number | undefined;
  readonly rejectMessage: string;

  constructor(
    where: string,
    error: Broken,
    /** Whose rows it was asked about. */
    readonly sessions: readonly Session[] = [],
  ) {
    const message = `${where}: ${error.rejectMessage ?? error.message ?? error.type ?? String(error)}`;
    super(message);
    this.rejectMessage = message;
    this.rejectCode = error.rejectCode;
    this.type = error.type;
  }
}

/** Whose rows an errand is about, and how many rows of it are each one's. */
function rowsOf({ load }: Errand): [Session, number][] {
  return activeSessions().flatMap((session): [Session, number][] => {
    const { writing } = session;
    if (!writing) return [];
    const own = new Set([writing.sequence, ...writing.sequences]);
    if (!load.sequences.some((sequence) => own.has(sequence))) return [];
    // the encoder's rows are of no sequence, and all of one session
    const rows = load.rows.filter(([sequence]) => !sequence || own.has(sequence)).length;
    return [[session, rows]];
  });
}

/** Puts what an errand takes on the bills of those whose rows it is about, by their rows. */
function chargeByRows(shares: readonly (readonly [Session, number])[], bill: Bill): void {
  const all = shares.reduce((sum, [, rows]) => sum + rows, 0);
  // nobody's rows are the canister's own affair
  if (all === 0) chargeEach([], bill);
  else for (const [session, rows] of shares) charge(session, partOf(bill, rows, all));
}

/** Of each stage whose messages trapped, whose rows these were about. */
const losers = new Map<number, (readonly [Session, number])[]>();

/** Puts what a stage's answer took on bills, and what its messages took before it that trapped. */
function chargeAnswer(stage: number, shares: readonly (readonly [Session, number])[], reply: Uint8Array): Uint8Array {
  const bytes = bytesOfBlob(reply);
  const took = executed(instructionsOf(bytes));
  chargeByRows(shares, { ...took, fees: took.fees + reply.length * CALL_BYTE_CYCLES });
  const lost = losers.get(stage);
  losers.delete(stage);
  // a message's fee is among what was lost
  const cycles = lostOf(bytes) - MESSAGE_CYCLES;
  if (lost && cycles > 0) chargeByRows(lost, executed(cycles));
  return bytes;
}

/** After a trap: what it took is asked for, while those whose rows it was about still have open bills. */
async function askForLoss(errand: Errand, canister: Principal, { head }: Model, after: () => void): Promise<void> {
  const { stage } = errand;
  const shares = rowsOf(errand);
  losers.set(stage, [...(losers.get(stage) ?? []), ...shares]);
  const bytes = blobInCandid(withCut(cutOf(head), askingForNothing()));
  const answer = send(canister, bytes);
  chargeByRows(shares, { instructions: 0, messages: 0, fees: callFees('stage_forward'.length + bytes.length) });
  after();
  try {
    chargeAnswer(stage, shares, await answer);
  } catch (error) {
    if (isCleanup(error)) throw error;
  }
}

/**
 * Asks what there is to be asked of stages.
 * @param after done when one has answered, whatever it was, in the message of that answer
 * @returns a promise of each answer; it is rejected with a StageError where it came to nothing
 */
export function askAll(after: () => void): Promise<void>[] {
  const model = readyModel();
  if (!model || model.languageModel.stages === 1) return [];
  const answers: Promise<void>[] = [];
  for (let errand = model.languageModel.takeErrand(); errand; errand = model.languageModel.takeErrand())
    answers.push(ask(errand, model, after));
  return answers;
}

async function ask(errand: Errand, model: Model, after: () => void): Promise<void> {
  const { languageModel } = model;
  const canister = stageCanisters()[errand.stage];
  const where = `stage ${errand.stage + 1} of ${languageModel.stages} (${canister?.toText() ?? 'no canister'})`;
  let broken: StageError | undefined;
  asked.set(errand, now());
  try {
    if (!canister) throw new Error('expected set_stages to say which canister it is');
    const bytes = blobInCandid(withCut(cutOf(model.head), errand.request));
    chargeByRows(rowsOf(errand), {
      instructions: 0,
      messages: 0,
      fees: callFees('stage_forward'.length + bytes.length),
    });
    const reply = await send(canister, bytes);
    asked.delete(errand);
    answered(errand, model, reply);
  } catch (error) {
    if (!isCleanup(error) && canister && hasTrapped(error as Broken)) await askForLoss(errand, canister, model, after);
    asked.delete(errand);
    const shares = rowsOf(errand);
    languageModel.giveUpErrand(errand);
    if (isCleanup(error)) throw error;
    const sessions = shares.map(([session]) => session);
    broken = new StageError(where, error as Broken, sessions);
    for (const session of sessions) noteTrouble(session, broken);
  }
  after();
  if (broken) throw broken;
}

const send = (canister: Principal, args: Uint8Array): Promise<Uint8Array> =>
  call<Uint8Array>(canister, 'stage_forward', { raw: true, args });

function answered(errand: Errand, { languageModel }: Model, reply: Uint8Array): void {
  const shares = rowsOf(errand);
  const bytes = chargeAnswer(errand.stage, shares, reply);
  languageModel.answerErrand(errand, bytes);
  if (languageModel.whereIs(errand.load.sequences) === 'back') for (const [session] of shares) troubles.delete(session);
}

function noteTrouble(session: Session, error: StageError): void {
  const { times, most } = troubles.get(session) ?? { times: 0, most: 0 };
  const passes = isPassing(error);
  troubles.set(session, {
    times: times + 1,
    most: Math.max(most, passes ? MOST_IN_PASSING : MOST_IN_VAIN),
    until: passes ? now() + HOLD_MS * 2 ** times : 0,
    reason: error.rejectMessage,
  });
}
