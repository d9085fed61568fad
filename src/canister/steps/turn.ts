/**
 * A message's work for all sessions that are worked on: who has its last token is ended, who is new begins, and where
 * programs alone do not make the next tokens, they are made here, in batches. What each of these takes is on the bill
 * of the session that it is for; the rest of the message is for those that needed it.
 */

import { MAX_ROWS } from '../../model/batch.ts';
import { type Model, readyModel } from '../model/model.ts';
import { round } from '../runtime/time.ts';
import { instructionsNow } from '../runtime/unit.ts';
import { chargeMeasured } from '../sessions/billing.ts';
import { isLong, rowsTogether } from '../sessions/members.ts';
import { askForLook, attach, detach, halt, isAttachable } from '../sessions/native-loop.ts';
import type { Session } from '../sessions/session.ts';
import { activeSessions, closeShared, end, underWay, workedOn } from '../sessions/sessions.ts';
import { driver, noteMessage } from './driving.ts';
import { canGoOn, stepInGroups } from './groups.ts';
import { finish, makeWay } from './places.ts';
import { failedByStage } from './stage-errands.ts';
import { advance, inTheMiddle, isKnownToFit, isStepping, rowsOf, stepTogether } from './steps.ts';

/** A message in which so many instructions have passed begins no further session, and no batch. */
const BEGIN_BUDGET = 400_000_000;

/** And in which so many have passed, none at all: what it begins would be for nothing. */
const LAST_BUDGET = 1_300_000_000;

/** Whether a batch is due, since the last message had no room for one. */
let isDue = false;

/** Whether a step is wanted that has not begun, and whose prompts go before it. */
let isWanted = false;
let ahead: readonly Session[] = [];

/** @param only the session that the message is for, if it is for one alone */
export function turn(only?: Session): void {
  noteMessage();
  const needed = new Set([...endWritten(), ...endFailed()]);
  if (only) {
    needed.add(only);
    if (underWay(only)) work(only);
  } else {
    const wasDue = isDue;
    if (wasDue) step(needed, LAST_BUDGET);
    begin(needed);
    if (!wasDue) step(needed, BEGIN_BUDGET);
  }
  closeShared(needed.size > 0 ? [...needed] : workedOn());
}

/** Ends the sessions whose last token is there. @returns which */
export function endWritten(): Session[] {
  const all = activeSessions();
  const over = all.filter(({ writing }) => writing?.finishReason);
  for (const session of over) {
    if (!underWay(session)) continue;
    // where there is no other, all of the message is for this one
    if (all.length === 1) endNow(session);
    else measure(session, () => endNow(session));
  }
  return over;
}

/** Ends those whose stage fails again and again. @returns which */
function endFailed(): Session[] {
  const failed = activeSessions().filter((session) => failedByStage(session) !== undefined);
  for (const session of failed) finish(session, 'failed', failedByStage(session));
  return failed;
}

function endNow(session: Session): void {
  end(session, session.writing!.finishReason!);
  makeWay(session);
}

function measure(session: Session, act: () => void): void {
  const before = instructionsNow();
  act();
  chargeMeasured(session, instructionsNow() - before);
}

/** Those that are not as far as others, and can be brought there. */
const toBegin = (): Session[] => workedOn().filter((session) => !isStepping(session) && canGoOn(session));

/** Brings sessions as far as others are, one after the other. */
function begin(needed: Set<Session>): void {
  const tried = new Set<Session>();
  for (;;) {
    const all = toBegin().filter((session) => !tried.has(session));
    const model = readyModel();
    // whose program is in the middle comes first: others would ask in vain, and may do so only so often
    const next = (model && inTheMiddle(all, model)[0]) ?? all[0];
    if (!next || instructionsNow() > (tried.size > 0 ? BEGIN_BUDGET : LAST_BUDGET)) return;
    tried.add(next);
    needed.add(next);
    measure(next, () => work(next, workedOn().length > 1));
  }
}

/**
 * The next tokens of those that need more than programs, and of all others with them.
 * @param latest instructions after which the message begins no batch. What is due comes first, and early enough: else
 * messages that are long before anybody's work begins would put it off for ever.
 */
function step(needed: Set<Session>, latest: number): void {
  isDue = false;
  const stepping = workedOn().filter(isStepping);
  const model = readyModel();
  if (!model) return;
  const more = stepping.filter((session) => !isAttachable(session, model));
  if (more.length === 0 || waitsForPrompts(stepping, model)) return;
  const rows = Math.min(
    stepping.reduce((sum, session) => sum + rowsOf(session), 0),
    rowsTogether(model.stepInstructions),
  );
  if (instructionsNow() > latest && !isKnownToFit(rows, model)) {
    isDue = true;
    return;
  }
  // a batch of theirs is a batch of everyone's
  for (const session of more) needed.add(session);
  const [first] = stepping;
  if (stepping.length === 1 && model.languageModel.stages === 1) {
    const made = first!.tokenIds.length;
    measure(first!, () => work(first!));
    if (first!.tokenIds.length > made) isWanted = false;
    return;
  }
  for (const session of stepping) detach(session);
  makeAll(stepping, model, needed);
}

/**
 * A step of several messages waits for short prompts of those that were there when it came to be wanted: it touches all
 * weights once for them, too. Who comes later, or has a long prompt, does not keep the others from their tokens.
 */
function waitsForPrompts(stepping: readonly Session[], model: Model): boolean {
  if (!isLong(model.stepInstructions) || model.languageModel.stages > 1) return false;
  if (inTheMiddle(stepping, model).length > 0) return false;
  const beginning = toBegin();
  if (!isWanted) {
    isWanted = true;
    let rows = 0;
    ahead = beginning.filter(({ sourceIds, tokenIds }) => {
      rows += sourceIds.length + tokenIds.length;
      return rows <= MAX_ROWS;
    });
  }
  return ahead.some((session) => beginning.includes(session));
}

/**
 * Who ends by this needs the message, too: what its end takes comes after its bill was written down, which is done
 * again.
 */
function makeAll(sessions: readonly Session[], model: Model, needed: Set<Session>): void {
  if (model.languageModel.stages > 1) stepInGroups(sessions, model);
  else if (stepTogether(sessions, model, toBegin().length > 0)) isWanted = false;
  for (const session of sessions) {
    if (!session.writing?.finishReason || !underWay(session)) continue;
    measure(session, () => endNow(session));
    needed.add(session);
  }
}

/** When a session last came whose caller waits. */
let lastCame: bigint | undefined;

/**
 * A session whose caller waits begins: in the message in hand, or with others. Where several have come in a round, or
 * some are worked on, the drive begins them together, so that weights are touched once for all.
 */
export function workOrJoin(session: Session): void {
  const hasCompany = lastCame === round() || workedOn().length > 1;
  lastCame = round();
  if (hasCompany && session.tokensPerCall !== 1) askForLook();
  else work(session);
}

/** Works on one session, in this message. @param once whether it makes one token at most */
export function work(session: Session, once = false): void {
  detach(session);
  advance(session, once);
  if (!underWay(session)) makeWay(session);
  // whoever makes tokens makes its own, too; who begins to, sees for itself
  else if (!driver().isVacant && (!isStepping(session) || !attach(session))) askForLook();
  if (readyModel()?.languageModel.busy) halt();
}
