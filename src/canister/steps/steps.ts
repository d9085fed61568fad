/** One message's work on a session: loading the model if need be, encoding, tokens. What a trap here undoes is the message, so one step. */
import { advanceAll, advance as advanceGeneration, type Generation } from '../../model/generation/generation.ts';
import { openGeneration, overReason } from '../../model/generation/open-generation.ts';
import { NotFinite } from '../../model/generation/scoring.ts';
import type { Sequence } from '../../model/sequence.ts';
import { NoRoom } from '../../tensor/arena.ts';
import { arenaBytes } from '../model/arena-bytes.ts';
import { embeddingCache } from '../model/embeddings.ts';
import { activeModel, type Model } from '../model/model.ts';
import { prefixes } from '../model/prefixes.ts';
import { now } from '../runtime/time.ts';
import { arena, instructionsNow, MESSAGE_BUDGET, SLICE, unit } from '../runtime/unit.ts';
import { chargeOther } from '../sessions/billing.ts';
import { counters } from '../sessions/counters.ts';
import { recallAll, rowsThatFit } from '../sessions/relay.ts';
import type { Session } from '../sessions/session.ts';
import { end, workedOn } from '../sessions/sessions.ts';

/** How far a message goes: no op begins after `budget` instructions, no further token that would end after `most`. */
interface Reach {
  budget: bigint;
  most: number;
}

/** What a message spends after its last token: saving, replying, sending the next call. */
const END_OF_MESSAGE = 20_000_000;
const MESSAGE: Reach = { budget: MESSAGE_BUDGET, most: SLICE - END_OF_MESSAGE };
/** A query has 5 B; its reply is yet to be written. */
export const QUERY: Reach = { budget: 4_800_000_000n, most: 4_900_000_000 };

/**
 * Works on an active session for a message: its token, or as many as it has a message make, or a part of one where one does not fit.
 * @param together whether others' next tokens may be made in the same batch
 */
export function advance(session: Session, together = false): void {
  const before = unit.instructions;
  session.calls += 1;
  counters.messages += 1;
  const made = session.tokenIds.length;
  session.beat = now();
  // one that has just failed is tried alone, so that it is known whose fault it is
  const mayJoin = together && session.failures === 0;
  session.failures = 0;
  const model = activeModel();
  if (!model || model.stored.sha256 !== session.model) {
    end(session, 'failed', 'the model was replaced');
    return;
  }
  if (session.ahead) {
    session.ahead = false;
    const finished = session.writing?.finishReason;
    if (finished) end(session, finished);
    return;
  }
  const others = mayJoin ? companions(session, model) : [];
  const over = model.load(Number(MESSAGE_BUDGET)) && madeOrNoRoom(session, model, others);
  if (model.languageModel.busy) recallAll();
  const inUnit = unit.instructions - before;
  if (session.tokenIds.length - made === 1 && others.length === 0) session.stepInstructions = inUnit;
  counters.tokens += session.tokenIds.length - made;
  session.unitInstructions += inUnit;
  if (over instanceof NoRoom) end(session, 'failed', `session: ${over.message}; resume it when others are over`);
  else if (over instanceof NotFinite) end(session, 'failed', `session: ${over.message}; the model's weights give none`);
  else if (over) end(session, over);
}

function madeOrNoRoom(
  session: Session,
  model: Model,
  others: readonly Session[],
): 'stop' | 'length' | NoRoom | NotFinite | undefined {
  try {
    return makeTokens(session, model, MESSAGE, others);
  } catch (error) {
    if (error instanceof NoRoom || error instanceof NotFinite) return error;
    throw error;
  }
}

/** Whose next tokens can be made with a session's: as its own, one a call and by TypeScript, and they are not ahead of their own messages. */
function companions(session: Session, model: Model): Session[] {
  if (!isStepping(session, model)) return [];
  let rows = session.writing!.sequences.length;
  const most = rowsThatFit(session.stepInstructions / rows);
  const found: Session[] = [];
  for (const other of workedOn()) {
    if (other === session || other.ahead || other.failures > 0 || !isStepping(other, model)) continue;
    // its relay makes its tokens
    if (other.relay && !other.relay.recalled) continue;
    rows += other.writing!.sequences.length;
    if (rows > most) break;
    found.push(other);
  }
  return found;
}

/** Whether a session is at a further token, of which each has a call. */
const isStepping = (
  { state, tokensPerCall, stepInstructions, tokenIds, writing, model: sha256 }: Session,
  model: Model,
): boolean =>
  state === 'active' &&
  tokensPerCall === 1 &&
  stepInstructions > 0 &&
  tokenIds.length > 0 &&
  sha256 === model.stored.sha256 &&
  writing !== undefined &&
  writing.finishReason === undefined &&
  writing.sequence.phase === 'decode';

/** Makes the next token of a session and of others in one batch; each of them has its share of it by its rows. @returns whether it is made */
function makeTogether(session: Session, others: readonly Session[], model: Model, budget: bigint): boolean {
  const [before, unitBefore] = [instructionsNow(), unit.instructions];
  const all = [session, ...others].map(({ writing }) => writing!);
  const rows = all.reduce((sum, { sequences }) => sum + sequences.length, 0);
  const shares = others.map(({ writing }) => writing!.sequences.length / rows);
  if (advanceAll(model.languageModel, all, budget) !== 'done') return false;
  const [took, inUnit] = [instructionsNow() - before, unit.instructions - unitBefore];
  others.forEach((other, i) => {
    other.ahead = true;
    other.beat = now();
    other.tokenIds = other.writing!.tokenIds as number[];
    other.unitInstructions += Math.round(shares[i]! * inUnit);
    session.unitInstructions -= Math.round(shares[i]! * inUnit);
    counters.tokens += 1;
    chargeOther(session, other, Math.round(shares[i]! * took));
  });
  return true;
}

/** Makes the tokens of a message. @returns why the session is over, if it is @throws NoRoom */
export function makeTokens(
  session: Session,
  model: Model,
  { budget, most }: Reach,
  others: readonly Session[] = [],
): 'stop' | 'length' | undefined {
  if (!session.writing) {
    // its last token was made and not told: by another's message, or by one whose answer was lost
    const over = overReason(session, session.options);
    if (over) return over;
    session.writing = begin(session, model);
  }
  const { writing } = session;
  if (prefixes.borrow(session, writing, model.languageModel) > 0) session.embeddingCached = true;
  if (writing.sequence.phase === 'encode' && !encode(session, model, writing.sequence, budget)) return undefined;

  if (others.length > 0) {
    const isMade = makeTogether(session, others, model, budget);
    session.tokenIds = writing.tokenIds as number[];
    return isMade ? writing.finishReason : undefined;
  }
  let dearest = 0;
  for (let made = 0; session.tokensPerCall === 0 || made < session.tokensPerCall; made++) {
    const start = instructionsNow();
    // several tokens a call: stop where one more would not fit
    if (made > 0 && start + 1.1 * dearest > most) return undefined;
    const progress = advanceGeneration(model.languageModel, writing, budget);
    session.tokenIds = writing.tokenIds as number[];
    if (progress === 'finished') return writing.finishReason;
    if (progress !== 'token') return undefined;
    dearest = Math.max(dearest, instructionsNow() - start);
  }
  return undefined;
}

/** At its beginning, or where it stood. @throws NoRoom */
function begin({ sourceIds, options, tokenIds, beams }: Session, { languageModel }: Model): Generation {
  const from = tokenIds.length > 0 ? { tokenIds, beams } : undefined;
  for (;;) {
    try {
      return arena.within(arenaBytes(), () => openGeneration(languageModel, sourceIds, options, from));
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
