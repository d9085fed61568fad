/**
 * The generation cache: what is being written, and what was. A session lives in the heap while it is worked on, in stable memory from its start
 * and at its end; before an upgrade those in between are written too. Its key/value caches lie in the arena and are made anew where they are lost.
 */
import { canisterSelf, isController, msgCaller, Principal, time } from 'azle';
import type { T5Session } from '../model/t5/t5.ts';
import type { FinishReason, GenerateError, SessionState, Usage } from './candid.ts';
import { embeddingCache } from './embeddings.ts';
import { activeModel, type Model } from './model.ts';
import { fromJsonBytes, sessionRecords, toJsonBytes, utf8 } from './stable.ts';
import { instructionsNow, MESSAGE_BUDGET, SLICE, unit } from './unit.ts';

/** Sessions that are worked on at once: each holds keys and values in the arena. */
const MAX_GENERATING = 32;
/** Finished sessions that are kept. */
const MAX_FINISHED = 1000;

/** A session as it is written down. */
interface SessionRecord {
  id: string;
  /** Text of the principal who started it. */
  owner: string;
  created: number;
  /** SHA-256 of the pack that answers. */
  model: string;
  sourceIds: number[];
  /** Without the start token. */
  tokenIds: number[];
  maxNewTokens: number;
  /** 0: as many as a slice holds. */
  tokensPerCall: number;
  state: 'generating' | 'stop' | 'length' | 'failed';
  /** Why it failed. */
  reason: string;
  calls: number;
  instructions: number;
  unitInstructions: number;
  embeddingCached: boolean;
}

export interface Session extends SessionRecord {
  /** Its place in the arena; undefined until it is worked on. */
  open?: T5Session;
}

const live = new Map<string, Session>();
/** Ids of the sessions in stable memory, oldest first; undefined until first needed. */
let stored: string[] | undefined;

const keyOf = utf8;

function storedIds(): string[] {
  if (!stored) {
    const records = Array.from(sessionRecords.values(), (bytes) => fromJsonBytes<SessionRecord>(bytes));
    stored = records.sort((a, b) => a.created - b.created).map(({ id }) => id);
  }
  return stored;
}

function save(session: Session): void {
  const { open: _, ...record } = session;
  const ids = storedIds();
  if (!sessionRecords.containsKey(keyOf(session.id))) ids.push(session.id);
  sessionRecords.insert(keyOf(session.id), toJsonBytes(record satisfies SessionRecord));
  while (ids.length > MAX_FINISHED) {
    const oldest = ids.findIndex((id) => !live.has(id));
    if (oldest < 0) break;
    sessionRecords.remove(keyOf(ids.splice(oldest, 1)[0]!));
  }
}

/** Called before an upgrade. */
export function saveLiveSessions(): void {
  for (const session of live.values()) save(session);
}

/** 128 random bits in hexadecimal. @throws Error in the moments after install, before the canister has its seed. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

export function startSession(
  model: Model,
  sourceIds: number[],
  maxNewTokens: number,
  tokensPerCall: number,
): Session | GenerateError {
  if (live.size >= MAX_GENERATING) {
    return {
      Unavailable: `generate: expected fewer than ${MAX_GENERATING} sessions under way, got ${live.size}; try again`,
    };
  }
  let id: string;
  try {
    id = randomId();
  } catch {
    return { Unavailable: 'generate: the canister has just started and has no random seed yet; try again' };
  }
  const session: Session = {
    id,
    owner: msgCaller().toText(),
    created: Number(time() / 1_000_000n),
    model: model.stored.sha256,
    sourceIds,
    tokenIds: [],
    maxNewTokens,
    tokensPerCall,
    state: 'generating',
    reason: '',
    calls: 0,
    instructions: 0,
    unitInstructions: 0,
    embeddingCached: false,
  };
  live.set(id, session);
  save(session);
  return session;
}

/** A session by id, from the heap or from stable memory. */
export function findSession(id: string): Session | undefined {
  const session = live.get(id);
  if (session) return session;
  const bytes = sessionRecords.get(keyOf(id));
  if (!bytes) return undefined;
  const record = fromJsonBytes<Session>(bytes);
  if (record.state === 'generating') live.set(id, record);
  return record;
}

/** The session if the caller may see it: its owner and controllers may, and everyone who has the id of an anonymous caller's. */
export function sessionForCaller(method: string, id: string): Session | GenerateError {
  const session = findSession(id);
  if (!session)
    return { NoSuchSession: `${method}: expected the id of a session, got ${JSON.stringify(id.slice(0, 40))}` };
  const caller = msgCaller();
  if (session.owner === Principal.anonymous().toText()) return session;
  if (session.owner === caller.toText() || isController(caller) || caller.toText() === canisterSelf().toText())
    return session;
  return { NotYours: `${method}: expected the session's owner, got ${caller.toText()}` };
}

export const isSession = (value: Session | GenerateError): value is Session => 'sourceIds' in value;

export const sessionCounts = (): { all: number; generating: number } => ({
  all: storedIds().length,
  generating: live.size,
});

function end(session: Session, state: 'stop' | 'length' | 'failed', reason = ''): void {
  session.state = state;
  session.reason = reason;
  if (session.open) activeModel()?.t5.close(session.open);
  session.open = undefined;
  live.delete(session.id);
  save(session);
}

export function failSession(session: Session, reason: string): void {
  end(session, 'failed', reason);
}

export function closeAllSessions(reason: string): void {
  for (const session of [...live.values()]) failSession(session, reason);
}

/** A failed session goes on from its last token. */
export function reviveSession(session: Session): void {
  session.state = 'generating';
  session.reason = '';
  live.set(session.id, session);
}

/**
 * Works on a session for one message: makes the number of tokens it asked for, fewer where the instruction budget ends or it is finished.
 * What it took is added to the session.
 */
export function advance(session: Session): void {
  const before = unit.instructions;
  session.calls += 1;
  const model = activeModel();
  if (!model || model.stored.sha256 !== session.model) {
    failSession(session, 'the model was replaced');
    return;
  }
  if (model.load(Number(MESSAGE_BUDGET))) makeTokens(session, model);
  session.unitInstructions += unit.instructions - before;
  // the message's end is not counted: a few ten thousand instructions
  session.instructions += instructionsNow();
  if (session.state !== 'generating') save(session);
}

function makeTokens(session: Session, model: Model): void {
  const { t5 } = model;
  const { decoderStartTokenId, eosTokenIds } = t5.shape.config;
  session.open ??= t5.open(session.sourceIds, session.maxNewTokens, [decoderStartTokenId, ...session.tokenIds]);
  const open = session.open;
  if (open.phase === 'encode' && !encode(session, model, open)) return;

  let dearest = 0;
  for (let made = 0; session.tokensPerCall === 0 || made < session.tokensPerCall; made++) {
    const start = instructionsNow();
    // several tokens a call: stop where one more would not fit the slice
    if (made > 0 && start + 1.1 * dearest > SLICE - END_OF_MESSAGE) return;
    if (t5.step(open, MESSAGE_BUDGET) !== 'done') return;
    const id = t5.greedy();
    open.targetIds.push(id);
    session.tokenIds.push(id);
    if (eosTokenIds.includes(id)) end(session, 'stop');
    else if (session.tokenIds.length >= session.maxNewTokens) end(session, 'length');
    if (session.state !== 'generating') return;
    dearest = Math.max(dearest, instructionsNow() - start);
  }
}

/** What a message spends after its last token: saving, replying, sending the next call. */
const END_OF_MESSAGE = 20_000_000;

/** From the embedding cache, or by the encoder; whether it is done. */
function encode(session: Session, { stored, t5 }: Model, open: T5Session): boolean {
  const key = embeddingCache.key(stored.sha256, session.sourceIds);
  const cached = embeddingCache.get(key);
  if (cached) {
    session.embeddingCached = true;
    return t5.useEncoding(open, cached) === 'done';
  }
  if (t5.encode(open, MESSAGE_BUDGET) !== 'done') return false;
  embeddingCache.put(key, t5.encoding(open));
  return true;
}

export function usageOf(session: Session): Usage {
  return {
    prompt_tokens: session.sourceIds.length,
    output_tokens: session.tokenIds.length,
    calls: session.calls,
    instructions: BigInt(session.instructions),
    unit_instructions: BigInt(session.unitInstructions),
    embedding_cached: session.embeddingCached,
  };
}

export const finishReason = (session: Session): FinishReason =>
  session.state === 'stop' ? { stop: null } : { length: null };

export function stateOf(session: Session): SessionState {
  if (session.state === 'generating') return { generating: null };
  if (session.state === 'failed') return { failed: session.reason };
  return { finished: finishReason(session) };
}
