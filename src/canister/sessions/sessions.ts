/**
 * The generation cache: what is being written, and what was. A session lives in the heap while it waits or is worked
 * on, in stable memory from its start and at its end; before an upgrade those in between are written too. Its key/value
 * caches lie in the arena and are made anew where they are lost. Who works on it, and when, is scheduler.ts.
 */
import { isController, msgCaller } from 'azle';
import { hex } from '../../interface/hex.ts';
import type { FinishReason, GenerateError, Progress, SessionInfo, SessionState } from '../../interface/llm.did.ts';
import { rowsOf } from '../../model/generation/scoring.ts';
import type { Sequence } from '../../model/sequence.ts';
import { addBill, type Bill, cyclesOf, emptyBill, executed } from '../../service/bill.ts';
import type { Amount, Reservation } from '../../service/quotas.ts';
import { type Entry, type Mark, type MarkStanding, SessionIndex } from '../../service/session-index.ts';
import { Turns } from '../../service/turns.ts';
import { shownText } from '../../text/stop-strings.ts';
import { addReceipt } from '../certification/receipts.ts';
import { readyModel } from '../model/model.ts';
import { prefixes } from '../model/prefixes.ts';
import { anonymous } from '../runtime/anonymous.ts';
import { callerText } from '../runtime/caller.ts';
import { addChore, keepHouseBy, keepHouseSoon } from '../runtime/housekeeping.ts';
import { isRestored, Restored } from '../runtime/restoring.ts';
import { now } from '../runtime/time.ts';
import { NoStableRoom } from '../storage/blocks.ts';
import { utf8 } from '../storage/bytes.ts';
import { settings } from '../storage/settings.ts';
import { put, readRecord, sessionRecords, writeRecord } from '../storage/stable.ts';
import { billAddress, readBill, sessionTable, writeBill } from '../storage/tables.ts';
import { accountOf, charge, ownAccount, promise, sharedAccount, withdraw } from './billing.ts';
import { counters } from './counters.ts';
import { detach, sync } from './native-loop.ts';
import { NoSeed, randomBytes } from './random.ts';
import { receiptFields } from './receipt.ts';
import type { Session } from './session.ts';
import { decodeSession, encodeSession, type SessionRecord, type State } from './session-record.ts';
import { type Account, collect, type Settlement, settle } from './settlement.ts';
import { wakeCalls } from './waiting.ts';

/**
 * Sessions in the heap, by id and by handle: those worked on, and those that wait and have not been through an upgrade.
 */
const live = new Map<string, Session>();
const byHandle = new Map<number, Session>();
let handles = 0;
/** Sessions that are over and yet to be written down. */
const unsaved = new Map<string, Session>();

/** What quotas have promised to those that are under way. */
const promises = new Map<Entry, Reservation>();

const allSessions = new SessionIndex(sessionTable());
const line = new Turns<Entry>();
/** Those under way wait for their turn again after an upgrade. */
const restored = new Restored(restore());

function* restore(): Generator<void, void> {
  for (const part of allSessions.open(readRecord<Mark[]>('marks') ?? [])) {
    for (const entry of part) {
      // what it may cost is not in the index: only its tokens are promised
      promises.set(entry, promise(entry.owner, { tokens: entry.promised, cycles: 0 }));
      if (allSessions.standingOf(entry) === 'underWay') line.queueUp(entry);
      else line.setAsideOne(entry);
    }
    yield;
  }
}

/** All sessions. */
function index(): SessionIndex {
  restored.finish();
  return allSessions;
}

type Ended = Exclude<State, 'queued' | 'active'>;
/** A message that ends a session forgets so many, if there are too many; a timer's message does the rest. */
const MOST_PRUNED = 2;
/** When what could not be written down is tried again. */
const RETRY_MS = 60_000;

export function turns(): Turns<Entry> {
  index();
  return line;
}

const MARKED: Record<MarkStanding, string> = {
  replaced: 'the model was replaced',
  cleared: 'a controller cleared the queue',
};

export const isFinished = ({ state }: SessionRecord): boolean => state === 'stop' || state === 'length';

/** What has ended a session by a mark, and is not written down. */
function markOf({ entry }: Session): MarkStanding | undefined {
  const standing = entry && index().standingOf(entry);
  return standing === 'replaced' || standing === 'cleared' ? standing : undefined;
}

export const underWay = (session: Session): boolean =>
  (session.state === 'queued' || session.state === 'active') && markOf(session) === undefined;

/** @throws NoStableRoom */
function save(session: Session): void {
  const {
    writing,
    member: _m,
    handle: _h,
    failures: _f,
    suspect: _s,
    served: _n,
    entry,
    reservation: _q,
    tokensCharged: _t,
    ...record
  } = sync(session);
  record.updated = now();
  if (writing) record.beams = writing.state().beams;
  // of what was made whoever waits pays for it, and whoever goes on with it later pays for the rest alone
  if (isFinished(session) || session.state === 'cancelled') record.payingFrom = undefined;
  put(sessionRecords, utf8(session.id), encodeSession(record));
  if (entry) writeBill(entry.slot, session);
}

/** Sessions that were over then, in milliseconds since 1970, or before, have expired. */
const expiredBefore = (): number => now() - settings().finished_seconds * 1000;
/** @param before where it is known already: asking for time and settings takes ten times as long as the rest */
const isExpired = ({ standing, since }: Entry, before?: number): boolean =>
  standing !== 'underWay' && since <= (before ?? expiredBefore());

/** Takes out what is over and too old or too much, what ended first coming first. @returns whether there was one */
export function pruneOne(): boolean {
  const oldest = index().endedFirst();
  if (!oldest || !(isExpired(oldest) || index().over > settings().max_finished)) return false;
  forget(oldest);
  return true;
}

/** When the next session expires. */
const nextExpiry = (): number | undefined => {
  const oldest = index().endedFirst();
  return oldest && oldest.since + settings().finished_seconds * 1000;
};

function forget(entry: Entry): void {
  index().remove(entry);
  prefixes.forget(entry.id);
  unsaved.delete(entry.id);
  sessionRecords.remove(utf8(entry.id));
}

/** Called before an upgrade. Those that wait are as they were written when they began to. */
export function saveLiveSessions(): void {
  collect();
  // where sessions are still being read from stable memory, none is worked on yet
  for (const { id } of line.active) saveOrLeave(live.get(id)!);
  for (const session of unsaved.values()) saveOrLeave(session);
}

/** An upgrade is not refused for want of room: what the session had when it was last written is what it has then. */
function saveOrLeave(session: Session): void {
  try {
    save(session);
  } catch (error) {
    if (!(error instanceof NoStableRoom)) throw error;
    console.log(`session ${session.id} could not be written down: ${error.message}`);
  }
}

/** Marks all that waits as ended; it is ended later, one by one. @param worked whether all that is worked on, too */
export function endAll(standing: MarkStanding, worked: boolean): number {
  const waiting = turns().queued;
  const active = turns().active.map(({ id }) => live.get(id)!);
  if (worked) {
    turns().stopWork();
    for (const session of active) endLater(session, 'failed', MARKED[standing]);
  }
  const marks = index().mark(standing);
  // what is worked on comes after the mark
  if (!worked) for (const { entry } of active) index().put(entry!, 'underWay', entry!.since);
  turns().setAside();
  writeRecord('marks', marks);
  keepHouseSoon();
  return waiting;
}

/** Ends one of those that were marked. @returns whether there was one */
function endOneMarked(): boolean {
  const entry = turns().nextAside();
  if (entry) endMarked(entry);
  else if (index().dropMarks()) writeRecord('marks', undefined);
  return entry !== undefined;
}

/** Its record stays as it is: where the index says how a session ended, that counts. */
export function endMarked(entry: Entry): void {
  const standing = index().standingOf(entry);
  if (index().get(entry.id) !== entry || standing === entry.standing) return;
  const session = live.get(entry.id);
  if (session) {
    detach(session);
    release(session);
    wakeCalls(session.id);
    session.state = 'failed';
    session.reason = MARKED[standing as MarkStanding];
    live.delete(session.id);
    byHandle.delete(session.handle);
  }
  if (session) session.reservation = undefined;
  breakPromise(entry);
  index().put(entry, standing, now(), 0);
  counters.failed += 1;
}

/** What a session was promised and has not spent is free again. */
function breakPromise(entry: Entry): void {
  const promised = promises.get(entry);
  if (promised) withdraw(promised);
  promises.delete(entry);
}

/** Writes down one of those that are yet to be. @returns whether there was one, and room for it */
function saveOne(): boolean {
  const [session] = unsaved.values();
  return session !== undefined && saveEnded(session);
}

/**
 * Writes down how a session ended; where there is no room it stays in the heap until there is.
 * @returns whether there was
 */
function saveEnded(session: Session): boolean {
  try {
    save(session);
    unsaved.delete(session.id);
    return true;
  } catch (error) {
    if (!(error instanceof NoStableRoom)) throw error;
    unsaved.set(session.id, session);
    return false;
  }
}

addChore({
  step: () => saveOne() || endOneMarked(),
  next: () => (unsaved.size > 0 ? now() + RETRY_MS : undefined),
});
addChore({ step: pruneOne, next: nextExpiry });

/** A session that waits, in the heap. */
export function bringBack(entry: Entry): Session {
  const session = live.get(entry.id) ?? readSession(entry)!;
  if (session.handle === 0) goLive(session);
  return session;
}

/** 128 random bits in hexadecimal. @throws NoSeed in the moments after install and upgrade */
const randomId = (): string => hex(randomBytes(16));

type Opening = Pick<
  SessionRecord,
  'owner' | 'model' | 'prompt' | 'sourceIds' | 'systemIds' | 'options' | 'choices' | 'tokensPerCall' | 'payingFrom'
>;

const atRest = () => ({ handle: 0, failures: 0, suspect: false, served: 0 });

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
  ...emptyBill(),
  unitInstructions: 0,
  embeddingCached: false,
  answerCached: false,
  tokensCharged: 0,
});

/**
 * Opens a session, which is queued.
 * @param wanted what it may take
 * @param before its bill so far, the message in hand left out
 */
export function newSession(method: string, opening: Opening, wanted: Amount, before: Bill): Session | GenerateError {
  let id: string;
  try {
    id = randomId();
  } catch (error) {
    if (error instanceof NoSeed) return { Unavailable: `${method}: ${error.message}` };
    throw error;
  }
  const session = passingSession(opening, id);
  // tokens in are work, too
  session.tokensCharged = -opening.sourceIds.length - (opening.options.scoring ? rowsOf(opening.options) : 0);
  return goOn(method, session, wanted, before) ?? session;
}

/**
 * Puts a session that is new, or was over, among those under way.
 * @returns why not, where there is no room to write it down
 */
export function goOn(method: string, session: Session, wanted: Amount, before: Bill): GenerateError | undefined {
  const promised = session.options.maxNewTokens - session.tokenIds.length;
  const known = index().get(session.id);
  const original = { ...session };
  session.reason = '';
  session.failures = 0;
  session.text = undefined;
  session.state = 'queued';
  try {
    save(session);
  } catch (error) {
    if (!(error instanceof NoStableRoom)) throw error;
    Object.assign(session, original);
    return { Unavailable: `${method}: ${error.message}` };
  }
  const entry = known ?? index().add(session.id, session.owner, promised, now());
  if (!entry) {
    sessionRecords.remove(utf8(session.id));
    return {
      Unavailable: `${method}: expected room for a session, got as many as there may be; try again later`,
    };
  }
  if (known) index().put(known, 'underWay', now(), promised);
  unsaved.delete(session.id);
  entry.rows = session.options.numBeams;
  session.entry = entry;
  promises.set(entry, promise(session.owner, wanted));
  goLive(session);
  charge(session, before);
  writeBill(entry.slot, session);
  return undefined;
}

function goLive(session: Session): void {
  session.state = 'queued';
  handles += 1;
  session.handle = handles;
  session.reservation = promises.get(session.entry!);
  live.set(session.id, session);
  byHandle.set(session.handle, session);
}

/** A session by id, from the heap or from stable memory; none that has expired. */
export function findSession(id: string): Session | undefined {
  const entry = index().get(id);
  if (!entry || isExpired(entry)) return undefined;
  const session = live.get(id);
  const marked = session && markOf(session);
  if (marked)
    return { ...sync(session), writing: undefined, member: undefined, state: 'failed', reason: MARKED[marked] };
  return session ? sync(session) : (unsaved.get(id) ?? readSession(entry));
}

/** As it was written, but where the index knows better. */
function readSession(entry: Entry): Session | undefined {
  const bytes = sessionRecords.get(utf8(entry.id));
  if (!bytes) return undefined;
  const record = decodeSession(bytes, () => readBill(entry.slot));
  const session: Session = { ...record, ...atRest(), entry, tokensCharged: record.tokenIds.length };
  const standing = index().standingOf(entry);
  if (standing === 'underWay') session.state = 'queued';
  else if (standing === 'over' && (session.state === 'queued' || session.state === 'active'))
    Object.assign(session, { state: 'failed', reason: 'stable memory had no room for what it came to' });
  else if (standing !== 'over') Object.assign(session, { state: 'failed', reason: MARKED[standing as MarkStanding] });
  return session;
}

/** The same for whoever changes it: what a mark has ended is ended first. */
export function findToChange(id: string): Session | undefined {
  const entry = index().get(id);
  if (entry) endMarked(entry);
  const session = findSession(id);
  if (session && session.handle === 0 && underWay(session)) goLive(session);
  return session;
}

export function liveSession(handle: number): Session | undefined {
  const session = byHandle.get(handle);
  return session && sync(session);
}

/** Rows that a session has in a batch: one for each beam. One that an upgrade found waiting is read for that. */
export function batchRowsOf(entry: Entry): number {
  entry.rows ??= bringBack(entry).options.numBeams;
  return entry.rows;
}

/** Sessions that are worked on. */
export const activeSessions = (): Session[] => workedOn().map(sync);

/** The same, without taking any of them from the native loop. */
export const workedOn = (): Session[] => turns().active.map(({ id }) => live.get(id)!);

/**
 * The session if the caller may see it: its owner and controllers may, and everyone who has the id of an anonymous
 * caller's. For the others there is none.
 * @param find `findToChange` for whoever changes it
 */
export function sessionForCaller(method: string, id: string, find = findSession): Session | GenerateError {
  // an id has 32 characters: what is longer is not looked up
  const session = id.length === 32 ? find(id) : undefined;
  const who = callerText();
  const isYours = session && (session.owner === anonymous || session.owner === who || isController(msgCaller()));
  if (isYours) return session;
  // the same for a session of somebody else and for none: ids that were seen somewhere cannot be tried out
  const got = JSON.stringify(id.slice(0, 40));
  return { NoSuchSession: `${method}: expected the id of a session of ${who}, got ${got}` };
}

export const isSession = (value: object): value is Session => 'sourceIds' in value;

/** How many there are, how many of these are worked on and how many wait; after an upgrade, of those that are read. */
export function sessionCounts(): { all: number; active: number; queued: number } {
  isRestored();
  return { all: allSessions.size, active: line.active.length, queued: line.queued };
}

/** Whether no further session may wait. */
export function isFull(): boolean {
  const { queued } = turns();
  return queued > 0 && queued >= settings().max_queued && !turns().hasRoom(settings().max_active, batchRowsOf);
}

/** Ends a session that is under way; one whose last token is there is finished, whatever else `state` says. */
export function end(session: Session, state: Ended, reason = ''): void {
  endLater(session, state, reason);
  saveEnded(session);
  for (let i = 0; i < MOST_PRUNED && pruneOne(); i++);
}

/** The same, but that it is written down some time later. */
function endLater(session: Session, state: Ended, reason: string): void {
  detach(session);
  const finished = session.writing?.finishReason;
  session.state = finished ?? state;
  session.reason = finished ? '' : reason;
  counters[session.state] += 1;
  release(session, session.state !== 'failed');
  wakeCalls(session.id);
  const model = readyModel();
  if (session.choices && isFinished(session)) session.text = session.choices[choiceOf(session)];
  else if (model?.stored.sha256 === session.model)
    session.text = shownText(model.tokenizer.decode(session.tokenIds), session.options.stopStrings);
  if (isFinished(session)) session.receipt = addReceipt(receiptFields(session));
  live.delete(session.id);
  byHandle.delete(session.handle);
  session.reservation = undefined;
  breakPromise(session.entry!);
  unsaved.set(session.id, session);
  index().put(session.entry!, 'over', now(), 0);
  keepHouseBy(nextExpiry());
  if (session.state === 'failed') console.log(`session failed after ${session.tokenIds.length} tokens: ${reason}`);
}

/**
 * Says that the message in hand is a session's.
 * @param settlement what else is to be settled at its end, asked when the message is on the bill
 */
export function closeMessage(session: Session, settlement: () => Settlement = () => ({})): void {
  collect();
  const bill = billInUse(session);
  settle(bill === session ? accountOf(session) : both(session, bill), () => {
    // what is under way is written down at its end
    const row = bill === session ? rowOf(session) : undefined;
    return { ...settlement(), ...(row && { row }) };
  });
}

/** Says that the message in hand is for several sessions, in equal parts but for what was measured of each. */
export function closeShared(sessions: readonly Session[]): void {
  collect();
  settle(sessions.length > 0 ? sharedAccount(sessions, noteBill) : ownAccount);
}

/** What comes on the bill of a session that is over, is written to its row. */
function noteBill(session: Session): void {
  const { entry, id } = session;
  if (entry && !underWay(session) && index().get(id) === entry && !live.has(id)) writeBill(entry.slot, session);
}

/** A session's own, or that of whoever has taken it up since it ended for this one. */
function billInUse(session: Session): Session {
  const since = live.get(session.id);
  return since && since !== session ? since : session;
}

/** Shown in the reply to who waited for it, and on the bill of what is made of the session now. */
const both = (shown: Session, charged: Session): Account => {
  const account = accountOf(charged);
  return {
    addMessages(count) {
      account.addMessages(count);
      addBill(shown, executed(0, count));
    },
    addInstructions(count) {
      account.addInstructions(count);
      addBill(shown, { instructions: count, messages: 0, fees: 0 });
    },
  };
};

/** The row of a session that is over, with its bill in it; none where there is no such session any more. */
function rowOf(session: Session): Settlement['row'] {
  const { entry, id } = session;
  if (!entry || underWay(session) || index().get(id) !== entry) return undefined;
  let bill: Bill = readBill(entry.slot);
  // it has been resumed and is over again since it ended for this message
  if (bill.messages > session.messages) addBill(bill, executed(0));
  else bill = session;
  writeBill(entry.slot, bill);
  return { address: billAddress(entry.slot), instructions: bill.instructions };
}

/** Which of its choices a session that is finished has come to. */
export function choiceOf({ tokenIds, options }: Session): number {
  const { choices = [], eosTokenIds } = options;
  const ends = tokenIds.length > 0 && eosTokenIds.includes(tokenIds.at(-1)!);
  const made = (options.scoring || !ends ? tokenIds : tokenIds.slice(0, -1)).join();
  return choices.findIndex((ids) => ids.join() === made);
}

/**
 * Gives its room in the arena back; what was there is made anew when it is worked on again.
 * @param isKept whether prompts that begin as this one may have its keys and values
 */
export function release(session: Session, isKept = false): void {
  detach(session);
  const { writing } = session;
  if (!writing) return;
  const { beams, sums } = writing.state();
  session.beams = writing.finishReason ? undefined : beams;
  if (sums) session.sums = sums;
  prefixes.close(writing, isKept);
  session.writing = undefined;
}

/** Takes a session that is over out of the cache. */
export function remove({ id }: Session): void {
  const entry = index().get(id);
  if (entry) forget(entry);
}

/** What a page of sessions holds at most. */
export interface PageLimits {
  sessions: number;
  /** Of prompts: a reply has room for three bytes of each of 100,000. */
  characters: number;
  /** Sessions that are gone through for it, those that have expired included. */
  looks: number;
}

/**
 * A page of somebody's sessions, newest first, from behind `after` on; fewer than there may be where prompts are long.
 * @returns undefined where there may be some, behind more expired ones than are gone through
 */
export function listSessions(owner: string, after: string | undefined, most: PageLimits): SessionInfo[] | undefined {
  const page: SessionInfo[] = [];
  let characters = 0;
  let looks = 0;
  const expired = expiredBefore();
  for (const entry of index().of(owner, after)) {
    if (page.length >= most.sessions) break;
    if (looks === most.looks) return page.length > 0 ? page : undefined;
    looks += 1;
    const session = isExpired(entry, expired) ? undefined : findSession(entry.id);
    if (!session) continue;
    characters += session.prompt.length;
    if (page.length > 0 && characters > most.characters) break;
    page.push(infoOf(session));
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

/**
 * In a reply that the message's own instructions are yet to be added to, a number may be less than nothing: what the
 * message has done for others is off the bill already (billing.ts). It is added modulo 2⁶⁴.
 */
const nat64 = (n: number): bigint => BigInt.asUintN(64, BigInt(Math.round(n)));

export function usageOf(session: Session): Omit<Progress, 'state' | 'text'> {
  const { calls, messages, instructions } = session;
  return {
    prompt_tokens: session.sourceIds.length,
    output_tokens: session.tokenIds.length,
    calls,
    messages: Math.round(messages),
    instructions: nat64(instructions),
    unit_instructions: BigInt(session.unitInstructions),
    cycles: nat64(cyclesOf(session)),
    embedding_cached: session.embeddingCached,
    answer_cached: session.answerCached,
  };
}

export const finishReason = (session: Session): FinishReason =>
  session.state === 'stop' ? { stop: null } : { length: null };

/** An encoder is at work, or a decoder-only model is yet to see all of the prompt but its last token. */
const readsPrompt = ({ phase, cached, given }: Sequence): boolean => phase === 'encode' || cached < given - 1;

export function stateOf(session: Session): SessionState {
  const { state, reason, writing, tokenIds } = session;
  if (state === 'active') {
    return tokenIds.length === 0 && (!writing || readsPrompt(writing.sequence))
      ? { encoding: null }
      : { generating: null };
  }
  if (state === 'queued') return { queued: null };
  if (state === 'cancelled') return { cancelled: null };
  return state === 'failed' ? { failed: reason } : { finished: finishReason(session) };
}
