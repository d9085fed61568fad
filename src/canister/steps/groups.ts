/**
 * The steps of a model in stages. Sessions go in several groups, so that stages have something to do: while the rows of
 * one group are elsewhere, another one's are here. A group is together for a step, and its sessions are in another one
 * with the next.
 */

import { MAX_LOGIT_ROWS } from '../../model/batch.ts';
import type { LanguageModel } from '../../model/language-model.ts';
import { nextBatchOf } from '../../service/batching.ts';
import { type Model, readyModel } from '../model/model.ts';
import { instructionsNow } from '../runtime/unit.ts';
import type { Session } from '../sessions/session.ts';
import { isHeld, isInTrouble } from './stage-errands.ts';
import { inTheMiddle, isStepping, LAST_TOKEN, rowsOf, stepOnce } from './steps.ts';

/**
 * Groups under way for each stage: one that it works on, and one that waits for it. More would have fewer rows each,
 * whose weights are touched for fewer tokens.
 */
const GROUPS_PER_STAGE = 2;

/** Groups that have begun a step, each with the sessions of its rows in their order. */
let groups: (readonly Session[])[] = [];

const whereIs = ({ writing }: Session, model: LanguageModel): 'away' | 'back' | undefined =>
  writing && model.whereIs([writing.sequence, ...writing.sequences]);

const hasPlace = (model: LanguageModel): boolean => model.batchesAway < GROUPS_PER_STAGE * model.stages;

/** Whether a message can do something for a session now: its rows are not away, and not held back. */
export function canGoOn(session: Session, model = readyModel()?.languageModel): boolean {
  if (!model || model.stages === 1) return true;
  if (isHeld(session)) return false;
  const where = whereIs(session, model);
  return where ? where === 'back' : !isStepping(session) || model.busy || hasPlace(model);
}

/** Goes on with groups whose rows have come back, and begins steps of others, as long as the message has room. */
export function stepInGroups(sessions: readonly Session[], model: Model): void {
  const { languageModel } = model;
  let dearest = 0;
  const isFull = (): boolean => instructionsNow() + 1.1 * dearest > LAST_TOKEN;
  const step = (group: readonly Session[]): void => {
    const start = instructionsNow();
    const outcome = stepOnce(group, model);
    groups = groups.filter((one) => one !== group);
    if (outcome !== 'done') groups.push(group);
    dearest = Math.max(dearest, instructionsNow() - start);
  };
  const isWhole = (group: readonly Session[]): boolean => group.every((session) => sessions.includes(session));
  const isAway = (group: readonly Session[]): boolean =>
    group.some((session) => whereIs(session, languageModel) === 'away');
  // whose rows came to nothing go alone from then on: together they would fail for what one of them does
  const isBroken = (group: readonly Session[]): boolean =>
    group.length > 1 && group.some(isInTrouble) && group.every((session) => !whereIs(session, languageModel));
  groups = groups.filter((group) => isWhole(group) && !isBroken(group));
  const going = inTheMiddle(sessions, model);
  if (languageModel.busy) {
    // a session that begins goes first
    if (going.length === 0) return;
    step(groups.find((group) => group.includes(going[0]!)) ?? going);
    if (languageModel.busy) return;
  }
  for (const group of groups.filter((one) => !isAway(one))) {
    if (dearest > 0 && isFull()) return;
    step(group);
    // the rest of its step is for the next message
    if (languageModel.busy) return;
  }
  while (!languageModel.busy && hasPlace(languageModel) && !(dearest > 0 && isFull())) {
    const busy = new Set(groups.flat());
    const free = sessions.filter(
      (session) => isStepping(session) && !busy.has(session) && canGoOn(session, languageModel),
    );
    if (free.length === 0) return;
    step(nextGroup(free, languageModel));
  }
}

/** As many as there are for each place that is left; whoever's rows came to nothing is alone. */
function nextGroup(free: readonly Session[], model: LanguageModel): readonly Session[] {
  const alone = free.find(isInTrouble);
  if (alone) return [alone];
  const places = GROUPS_PER_STAGE * model.stages - model.batchesAway;
  return nextBatchOf(free, rowsOf, MAX_LOGIT_ROWS).slice(0, Math.ceil(free.length / places));
}
