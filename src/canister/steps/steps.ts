/**
 * One message's work on a session: loading the model if need be, encoding, tokens. What a trap here undoes is the
 * message, so one step.
 */
import {
  advanceAll,
  advance as advanceGeneration,
  type Generation,
  type Progress,
} from '../../model/generation/generation.ts';
import { openGeneration, overReason } from '../../model/generation/open-generation.ts';
import { NotFinite } from '../../model/generation/scoring.ts';
import type { Outcome } from '../../model/language-model.ts';
import type { Sequence } from '../../model/sequence.ts';
import { nextBatchOf } from '../../service/batching.ts';
import { NoRoom } from '../../tensor/arena.ts';
import { arenaBytes } from '../model/arena-bytes.ts';
import { embeddingCache } from '../model/embeddings.ts';
import { activeModel, type Model } from '../model/model.ts';
import { prefixes } from '../model/prefixes.ts';
import { arena, instructionsNow, MESSAGE_BUDGET, SLICE, unit } from '../runtime/unit.ts';
import { chargeMeasured } from '../sessions/billing.ts';
import { counters } from '../sessions/counters.ts';
import { ofOneRow, ofRows, rowsTogether } from '../sessions/members.ts';
import { makeNatively } from '../sessions/native-batch.ts';
import type { Session } from '../sessions/session.ts';
import { end } from '../sessions/sessions.ts';

/** How far a message goes: no op begins after `budget` instructions, no further token that would end after `most`. */
interface Reach {
  budget: bigint;
  most: number;
}

/** What a message spends after its last token: saving, replying, sending the next call. */
const END_OF_MESSAGE = 20_000_000;
/** And for each answer that ends in it. */
const END_OF_ANSWER = 10_000_000;
const MESSAGE: Reach = { budget: MESSAGE_BUDGET, most: SLICE - END_OF_MESSAGE };
/** A query has 5 B; its reply is yet to be written. */
export const QUERY: Reach = { budget: 4_800_000_000n, most: 4_900_000_000 };

/**
 * Works on an active session for a message: its token, or as many as it has a message make, or a part of one where one
 * does not fit.
 */
export function advance(session: Session, once = false): void {
  const before = unit.instructions;
  session.calls += 1;
  counters.messages += 1;
  const made = session.tokenIds.length;
  session.failures = 0;
  session.suspect = false;
  const model = activeModel();
  if (!model || model.stored.sha256 !== session.model) {
    end(session, 'failed', 'the model was replaced');
    return;
  }
  const over = model.load(Number(MESSAGE_BUDGET)) && madeOrNoRoom(session, model, once);
  counters.tokens += session.tokenIds.length - made;
  session.unitInstructions += unit.instructions - before;
  if (over instanceof NoRoom) end(session, 'failed', `session: ${over.message}; resume it when others are over`);
  else if (over instanceof NotFinite) end(session, 'failed', `session: ${over.message}; the model's weights give none`);
  else if (over) end(session, over);
}

function madeOrNoRoom(
  session: Session,
  model: Model,
  once: boolean,
): 'stop' | 'length' | NoRoom | NotFinite | undefined {
  try {
    return makeTokens(session, model, once ? { ...MESSAGE, most: 0 } : MESSAGE);
  } catch (error) {
    if (error instanceof NoRoom || error instanceof NotFinite) return error;
    throw error;
  }
}

/** Whether all that a session needs for its next token is a step, so that others' rows can be beside its own. */
export function isStepping({ state, tokenIds, writing }: Session): boolean {
  if (state !== 'active' || tokenIds.length === 0 || !writing || writing.finishReason) return false;
  const { phase, cached, targetIds } = writing.sequence;
  return phase === 'decode' && (cached >= targetIds.length - 1 || writing.sequences.length > 1);
}

export const rowsOf = ({ writing }: Session): number => writing!.sequences.length;

/** A message begins no token that would end after so many instructions, where that is all that it ends with. */
export const LAST_TOKEN = MESSAGE.most - END_OF_ANSWER;

/**
 * Of these the ones whose program is in the middle, in its order: it goes on before any other begins. It may be a batch
 * that did not fit its message, or what one of them has begun alone.
 */
export function inTheMiddle(sessions: readonly Session[], { languageModel }: Model): Session[] {
  const { underWay } = languageModel;
  if (underWay.length === 0) return [];
  const placeOf = ({ writing }: Session): number =>
    writing ? underWay.findIndex((one) => one === writing.sequence || writing.sequences.includes(one)) : -1;
  return sessions.filter((session) => placeOf(session) >= 0).sort((a, b) => placeOf(a) - placeOf(b));
}

/** Whether a step of so many rows would end in the message in hand. */
export const isKnownToFit = (rows: number, { stepInstructions }: Model, most = LAST_TOKEN): boolean =>
  stepInstructions > 0 && instructionsNow() + ofRows(stepInstructions, rows) <= most;

/** Places in batches that were given so far, and who has had one in the message in hand. */
let places = 0;
const placed = new Set<Session>();

/**
 * Makes tokens of all of these, batch by batch: one of each, and further ones of those that have a message make more,
 * as long as the message has room.
 * @returns whether each has its token
 */
export function stepTogether(sessions: readonly Session[], model: Model, once: boolean): boolean {
  placed.clear();
  const made = new Map<Session, number>();
  const most = MESSAGE.most - sessions.length * END_OF_ANSWER;
  const left = (session: Session): number => (once ? 1 : perMessage(session)) - (made.get(session) ?? 0);
  let dearest = 0;
  for (;;) {
    const wanting = sessions.filter((session) => isStepping(session) && left(session) > 0);
    const start = instructionsNow();
    if (wanting.length === 0) return true;
    if (made.size > 0 && start + 1.1 * dearest > most) return sessions.every((session) => made.has(session));
    const going = inTheMiddle(wanting, model);
    // a session that begins goes first
    if (model.languageModel.busy && going.length === 0) return false;
    const batch = going.length > 0 ? going : nextBatch(wanting, made, model);
    // whoever is in no batch has a turn after each step
    const tokens = batch.length < wanting.length ? 1 : Math.min(...batch.map(left));
    let steps =
      made.size > 0 || isKnownToFit(batch.length, model, most) ? stepNatively(batch, model, tokens, most) : undefined;
    if (!steps) {
      // what is known to fit may go on to the message's end
      if (stepOnce(batch, model, made.size > 0 ? BigInt(most) : MESSAGE_BUDGET) !== 'done') return false;
      steps = 1;
    }
    for (const session of batch) made.set(session, (made.get(session) ?? 0) + steps);
    dearest = Math.max(dearest, (instructionsNow() - start) / steps);
  }
}

/** How many tokens a message may make of a session. */
const perMessage = ({ tokensPerCall }: Session): number => tokensPerCall || Number.POSITIVE_INFINITY;

/**
 * Makes the next tokens of each in batches without the interpreter, if programs alone make them.
 * @returns of how many steps; undefined where there were none
 */
function stepNatively(batch: readonly Session[], model: Model, tokens: number, until: number): number | undefined {
  const before = instructionsNow();
  const done = makeNatively(batch, model, tokens, until);
  if (!done) return undefined;
  const took = instructionsNow() - before;
  const inUnit = done.reduce((sum, one) => sum + one.inUnit, 0);
  batch.forEach((session, i) => {
    session.unitInstructions += done[i]!.inUnit;
    counters.tokens += done[i]!.tokens;
    notePlace(session);
    chargeMeasured(session, (done[i]!.inUnit / inUnit) * took);
  });
  return Math.max(...done.map((one) => one.tokens));
}

/** It has had a place in a batch. */
function notePlace(session: Session): void {
  places += 1;
  session.served = places;
  if (placed.has(session)) return;
  placed.add(session);
  session.calls += 1;
  counters.messages += 1;
}

/** Those that have no token of this message yet come first. */
function nextBatch(wanting: readonly Session[], made: ReadonlyMap<Session, number>, model: Model): Session[] {
  const without = wanting.filter((session) => !made.has(session));
  const batch = nextBatchOf(wanting, rowsOf, rowsTogether(model.stepInstructions));
  return without.length === 0 || without.some((session) => batch.includes(session))
    ? batch
    : nextBatchOf(without, rowsOf, rowsTogether(model.stepInstructions));
}

/** Makes the next token of each in one batch; each has its share of it by its rows. */
export function stepOnce(batch: readonly Session[], model: Model, budget = MESSAGE_BUDGET): Outcome {
  const [before, unitBefore, isBegun] = [instructionsNow(), unit.instructions, model.languageModel.busy];
  const rows = batch.map(rowsOf);
  const all = rows.reduce((a, b) => a + b, 0);
  const outcome = advanceAll(
    model.languageModel,
    batch.map(({ writing }) => writing!),
    budget,
  );
  const isMade = outcome === 'done';
  const inUnit = unit.instructions - unitBefore;
  const whole = withEarlier(model, isBegun, inUnit);
  if (isMade) model.stepInstructions = ofOneRow(whole, all);
  const took = instructionsNow() - before;
  batch.forEach((session, i) => {
    const part = rows[i]! / all;
    session.unitInstructions += Math.round(part * inUnit);
    session.failures = 0;
    if (isMade) {
      session.tokenIds = session.writing!.tokenIds as number[];
      counters.tokens += 1;
    }
    notePlace(session);
    chargeMeasured(session, part * took);
  });
  return outcome;
}

/** Makes the tokens of a message. @returns why the session is over, if it is @throws NoRoom */
export function makeTokens(session: Session, model: Model, { budget, most }: Reach): 'stop' | 'length' | undefined {
  if (!session.writing) {
    // its last token was made and not told: by another's message, or by one whose answer was lost
    const over = overReason(session, session.options, model.tokenizer);
    if (over) return over;
    session.writing = begin(session, model);
  }
  const { writing } = session;
  if (prefixes.borrow(session, writing, model.languageModel) > 0) session.embeddingCached = true;
  if (writing.sequence.phase === 'encode' && !encode(session, model, writing.sequence, budget)) return undefined;

  let dearest = 0;
  const wanted = perMessage(session);
  for (let made = 0; made < wanted; ) {
    const start = instructionsNow();
    // several tokens a call: stop where one more would not fit
    if (made > 0 && start + 1.1 * dearest > most) return undefined;
    const isNative = isStepping(session) && isKnownToFit(1, model, most);
    const done = isNative ? makeNatively([session], model, wanted - made, most)?.[0] : undefined;
    const progress = done ? 'token' : makeToken(session, writing, model, budget, made < 2);
    if (writing.finishReason) return writing.finishReason;
    if (progress !== 'token') return undefined;
    const tokens = done?.tokens ?? 1;
    made += tokens;
    dearest = Math.max(dearest, (instructionsNow() - start) / tokens);
  }
  return undefined;
}

/** Makes a token, or a part of it. @param isTelling whether the model learns from it what a step takes */
function makeToken(session: Session, writing: Generation, model: Model, budget: bigint, isTelling: boolean): Progress {
  const isStep = isTelling && isStepping(session);
  const isBegun = model.languageModel.busy;
  const before = unit.instructions;
  const progress = advanceGeneration(model.languageModel, writing, budget);
  session.tokenIds = writing.tokenIds as number[];
  const whole = withEarlier(model, isBegun, unit.instructions - before);
  // what comes before the first token is more than a step, but better than nothing
  const isMade = progress === 'token' || progress === 'finished';
  if (isMade && isTelling && (isStep || model.stepInstructions === 0))
    model.stepInstructions = ofOneRow(whole, isStep ? rowsOf(session) : 1);
  return progress;
}

/** What a program has taken so far, that of messages before this one included. @param isBegun whether there were any */
function withEarlier(model: Model, isBegun: boolean, instructions: number): number {
  model.takenSoFar = (isBegun ? model.takenSoFar : 0) + instructions;
  return model.takenSoFar;
}

/** At its beginning, or where it stood. @throws NoRoom */
function begin({ sourceIds, options, tokenIds, beams }: Session, { languageModel, tokenizer }: Model): Generation {
  const from = tokenIds.length > 0 ? { tokenIds, beams } : undefined;
  for (;;) {
    try {
      return arena.within(arenaBytes(), () => openGeneration(languageModel, sourceIds, options, from, tokenizer));
    } catch (error) {
      // what is kept for later goes before anyone is told that there is no room
      if (!(error instanceof NoRoom) || !prefixes.makeRoom()) throw error;
    }
  }
}

/** From the embedding cache, or by the encoder; whether it is done. */
function encode(session: Session, { stored, languageModel }: Model, open: Sequence, budget: bigint): boolean {
  const key = embeddingCache.key(stored.sha256, session.sourceIds);
  const cached = embeddingCache.get(key);
  if (cached) {
    session.embeddingCached = true;
    return languageModel.useEncoding(open, cached) === 'done';
  }
  if (languageModel.encode(open, budget) !== 'done') return false;
  embeddingCache.put(key, languageModel.encoding(open));
  return true;
}
