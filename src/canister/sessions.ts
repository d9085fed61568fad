/**
 * The generation cache: what is being written, and what was. A session lives in the heap while it waits or is worked on, in stable memory from its
 * start and at its end; before an upgrade those in between are written too. Its key/value caches lie in the arena and are made anew where they are
 * lost. Who works on it, and when, is scheduler.ts.
 */
import { isController, msgCaller } from 'azle';
import { anonymous } from './access.ts';
import { hex, utf8 } from './bytes.ts';
import { sessionBegins, sessionEnds } from './callers.ts';
import type { FinishReason, GenerateError, SessionInfo, SessionState, Usage } from './candid.ts';
import { counters } from './counters.ts';
import { readyModel } from './model.ts';
import { MESSAGE_CYCLES } from './prices.ts';
import { NoSeed, randomBytes } from './random.ts';
import { dismiss, recall } from './relay.ts';
import type { Session } from './session.ts';
import {
  decodeSession,
  encodeSession,
  type SessionHead,
  type SessionRecord,
  type State,
  sessionHead,
} from './session-record.ts';
import { settings } from './settings.ts';
import { sessionRecords } from './stable.ts';
import { now } from './time.ts';

/** By id, and by handle. */
const live = new Map<string, Session>();
const byHandle = new Map<number, Session>();
let handles = 0;
/** Heads of all sessions in stable memory, oldest first; undefined until first needed. */
let stored: Map<string, SessionHead> | undefined;
/** Sessions that are under way in stable memory only. */
let away = 0;

function heads(): Map<string, SessionHead> {
  if (!stored) {
    // one after the other: all values at once are hundreds of megabytes of heap, which would not be given back
    const all = Array.from(sessionRecords.keys(), (key) => sessionHead(sessionRecords.get(key)!));
    all.sort((a, b) => a.created - b.created);
    stored = new Map(all.map((head) => [head.id, head]));
    away = all.filter(({ id, live: isLive }) => isLive && !live.has(id)).length;
  }
  return stored;
}

export const isFinished = ({ state }: SessionRecord): boolean => state === 'stop' || state === 'length';
export const underWay = ({ state }: SessionRecord): boolean => state === 'queued' || state === 'active';

function save(session: Session): void {
  const {
    writing,
    relay: _r,
    handle: _h,
    lease: _l,
    awaited: _a,
    beat: _b,
    failures: _f,
    stepInstructions: _s,
    ...record
  } = recall(session);
  record.updated = now();
  if (writing) record.beams = writing.state().beams;
  heads().set(session.id, sessionHead(record));
  sessionRecords.insert(utf8(session.id), encodeSession(record));
}

/** Takes out what is over and too old or too much, oldest first. */
export function prune(): void {
  const { max_finished, finished_seconds } = settings();
  const oldest = now() - finished_seconds * 1000;
  let over = heads().size - live.size - away;
  for (const { id, created, live: isLive } of heads().values()) {
    if (over <= max_finished && created >= oldest) return;
    if (isLive) continue;
    forget(id);
    over -= 1;
  }
}

function forget(id: string): void {
  heads().delete(id);
  sessionRecords.remove(utf8(id));
}

/** Called before an upgrade. Those that wait are as they were written when they began to. */
export function saveLiveSessions(): void {
  for (const session of live.values()) if (session.state === 'active') save(session);
}

/** After an upgrade: the sessions that were under way and have not been brought back yet, oldest first. */
export function* sessionsToRestore(): Generator<Session> {
  for (const { id, live: isLive } of [...heads().values()]) {
    if (!isLive || live.has(id)) continue;
    const session = findSession(id)!;
    if (underWay(session)) yield session;
  }
}

/** Whether a session that is under way has to be brought back first. */
export const isAway = (session: Session): boolean => underWay(session) && !live.has(session.id);

export function bringBack(session: Session): void {
  away -= 1;
  begin(session, 0);
}

/** 128 random bits in hexadecimal. @throws NoSeed in the moments after install and upgrade */
const randomId = (): string => hex(randomBytes(16));

type Opening = Pick<SessionRecord, 'owner' | 'model' | 'prompt' | 'sourceIds' | 'options' | 'tokensPerCall'>;

/** Leases begin with the time, so that messages from before an upgrade have old ones. */
const atRest = () => ({
  handle: 0,
  lease: Math.floor(now() / 1000),
  awaited: false,
  beat: 0,
  failures: 0,
  stepInstructions: 0,
});

/** A session that nobody keeps. */
export const passingSession = (opening: Opening, id = ''): Session => ({
  ...opening,
  ...atRest(),
  id,
  created: now(),
  updated: 0,
  tokenIds: [],
  state: 'active',
  reason: '',
  calls: 0,
  instructions: 0,
  unitInstructions: 0,
  embeddingCached: false,
});

/** Opens a session, which is queued. */
export function newSession(opening: Opening): Session | GenerateError {
  let id: string;
  try {
    id = randomId();
  } catch (error) {
    if (error instanceof NoSeed) return { Unavailable: error.message };
    throw error;
  }
  const session = passingSession(opening, id);
  goOn(session);
  return session;
}

/** Puts a session that is new, or was over, among those under way. */
export function goOn(session: Session): void {
  session.reason = '';
  session.failures = 0;
  session.text = undefined;
  begin(session, session.options.maxNewTokens - session.tokenIds.length);
  save(session);
}

function begin(session: Session, tokens: number): void {
  session.state = 'queued';
  handles += 1;
  session.handle = handles;
  live.set(session.id, session);
  byHandle.set(session.handle, session);
  sessionBegins(session.owner, tokens);
}

/** A session by id, from the heap or from stable memory. */
export function findSession(id: string): Session | undefined {
  const session = live.get(id);
  if (session) return recall(session);
  const bytes = sessionRecords.get(utf8(id));
  return bytes ? { ...decodeSession(bytes), ...atRest() } : undefined;
}

export function liveSession(handle: number): Session | undefined {
  const session = byHandle.get(handle);
  return session && recall(session);
}
export const liveSessions = (): Session[] => Array.from(live.values(), recall);

/** The session if the caller may see it: its owner and controllers may, and everyone who has the id of an anonymous caller's. For the others there is none. */
export function sessionForCaller(method: string, id: string): Session | GenerateError {
  // an id has 32 characters: what is longer is not looked up
  const session = id.length === 32 ? findSession(id) : undefined;
  const caller = msgCaller();
  const who = caller.toText();
  const isYours = session && (session.owner === anonymous || session.owner === who || isController(caller));
  if (isYours) return session;
  // the same for a session of somebody else and for none: ids that were seen somewhere cannot be tried out
  const got = JSON.stringify(id.slice(0, 40));
  return { NoSuchSession: `${method}: expected the id of a session of ${who}, got ${got}` };
}

export const isSession = (value: Session | GenerateError): value is Session => 'sourceIds' in value;

export const sessionCounts = (): { all: number; live: number } => ({ all: heads().size, live: live.size });

/** Ends a session that is under way; one whose last token is there is finished, whatever else `state` says. */
export function end(session: Session, state: Exclude<State, 'queued' | 'active'>, reason = ''): void {
  dismiss(session);
  const finished = session.writing?.finishReason;
  session.state = finished ?? state;
  session.reason = finished ? '' : reason;
  counters[session.state] += 1;
  session.lease += 1;
  release(session);
  const model = readyModel();
  if (model?.stored.sha256 === session.model) session.text = model.tokenizer.decode(session.tokenIds);
  live.delete(session.id);
  byHandle.delete(session.handle);
  sessionEnds(session.owner, session.options.maxNewTokens - session.tokenIds.length);
  save(session);
  prune();
  if (session.state === 'failed') console.log(`session failed after ${session.tokenIds.length} tokens: ${reason}`);
}

/** Counts what a message took that came to a session's end or after it: its record is written by then. */
export function addInstructions(session: Session, instructions: number): void {
  session.instructions += instructions;
  if (underWay(session)) return;
  // it may have been deleted, or resumed by another call
  const kept = findSession(session.id);
  if (!kept || underWay(kept)) return;
  kept.instructions += instructions;
  save(kept);
}

/** Gives its room in the arena back; what was there is made anew when it is worked on again. */
export function release(session: Session): void {
  const { writing } = recall(session);
  if (!writing) return;
  session.beams = writing.finishReason ? undefined : writing.state().beams;
  writing.close();
  session.writing = undefined;
}

/** Takes a session that is over out of the cache. */
export const remove = (session: Session): void => forget(session.id);

/**
 * A page of somebody's sessions, newest first, from behind `after` on; fewer than `limit` where their prompts have more than so many characters.
 * @param maxCharacters a reply has room for three bytes of each of 100,000
 */
export function listSessions(
  owner: string,
  after: string | undefined,
  limit: number,
  maxCharacters: number,
): SessionInfo[] {
  const ids = [...heads().values()].filter((head) => head.owner === owner).map(({ id }) => id);
  ids.reverse();
  const from = after === undefined ? 0 : ids.indexOf(after) + 1;
  const page: SessionInfo[] = [];
  let characters = 0;
  for (const id of ids.slice(from, from + limit)) {
    const info = infoOf(findSession(id)!);
    characters += info.prompt.length;
    if (page.length > 0 && characters > maxCharacters) break;
    page.push(info);
  }
  return page;
}

function infoOf(session: Session): SessionInfo {
  const { id, owner, prompt, created, updated, model } = session;
  return {
    session: id,
    owner,
    prompt,
    created: BigInt(created),
    updated: BigInt(updated),
    model,
    state: stateOf(session),
    ...usageOf(session),
  };
}

export function usageOf(session: Session): Usage {
  const { calls, instructions } = session;
  return {
    prompt_tokens: session.sourceIds.length,
    output_tokens: session.tokenIds.length,
    calls,
    instructions: BigInt(instructions),
    unit_instructions: BigInt(session.unitInstructions),
    cycles: BigInt(instructions + calls * MESSAGE_CYCLES),
    embedding_cached: session.embeddingCached,
  };
}

export const finishReason = (session: Session): FinishReason =>
  session.state === 'stop' ? { stop: null } : { length: null };

export function stateOf(session: Session): SessionState {
  const { state, reason, writing, tokenIds } = session;
  if (state === 'active') {
    return tokenIds.length === 0 && (!writing || writing.session.phase === 'encode')
      ? { encoding: null }
      : { generating: null };
  }
  if (state === 'queued') return { queued: null };
  if (state === 'cancelled') return { cancelled: null };
  return state === 'failed' ? { failed: reason } : { finished: finishReason(session) };
}
