/**
 * Relays: a session's next tokens made by messages that never enter the interpreter, the kernels' programs being all there is to run (src/native/relay.ts). The drive
 * of a session lends it to a relay with its call to itself, and takes it back when that call is answered, or where nobody waits when a message comes that the relay
 * has nothing to do with. A message of one relay makes the next token of all. Whoever gets hold of the session meanwhile recalls it first: then what was made is in
 * the session, and the relay makes no more. A record in the arena is never given back, only used again, so that a late message finds a record and no other session's
 * memory.
 */
import { MAX_LOGIT_ROWS } from '../../model/batch.ts';
import { planOf } from '../../model/generation/generation.ts';
import type { StepPlan } from '../../model/language-model.ts';
import {
  ARGS,
  BEAT,
  CHOICE,
  EXECUTED,
  GOING,
  HALTED,
  IDS,
  INSTRUCTIONS,
  MADE,
  MAX_STOPS,
  MESSAGE_BYTES,
  MOST,
  MOST_ROWS,
  MOST_TOKENS,
  RECORD_BYTES,
  REGISTERS_AT,
  RELAY,
  ROOM_BYTES,
  ROW,
  SENT,
  SERIAL,
  STATE,
  STEP,
  STOPS,
  TABLE,
  UNIT_INSTRUCTIONS,
} from '../../native/relay-record.ts';
import { addBill, callFees, emptyBill, executed, SELF_CALL_BYTES } from '../../service/bill.ts';
import { readyModel } from '../model/model.ts';
import { arena, unit } from '../runtime/unit.ts';
import { charge, onewayReplies, REST } from './billing.ts';
import { counters } from './counters.ts';
import type { Relay, Session } from './session.ts';

/** A step that took more than this may not fit a message next time; TypeScript makes it, in several if need be. */
const MOST_STEP_INSTRUCTIONS = 1_000_000_000;
/** What a batch may take. A further row takes less than half of what a row alone does, whose weights' pages it does not pay (docs/performance.md); this much is counted. */
const BATCH_INSTRUCTIONS = 1_400_000_000;
const FURTHER_ROW = 0.6;

/** Rows of a batch that fits a message, where a step of one row takes so much. */
export const rowsThatFit = (stepInstructions: number): number =>
  Math.max(1, Math.min(MAX_LOGIT_ROWS, 1 + Math.floor((BATCH_INSTRUCTIONS / stepInstructions - 1) / FURTHER_ROW)));
/** Sessions beyond this many go without a relay. */
const MOST_LENT = 64;
/** A record is lost where a callback traps and the cleanup after it, too: no message tells that it is free, and one that is in use must not be written. */
const MOST_RECORDS = 4_096;

const idle: number[] = [];
let records = 0;
let serials = 0;
/** Relays that are not recalled. */
const going = new Set<Relay>();
/** Relays whose next message nobody waits for, by record. */
const chained = new Map<number, Relay>();

/**
 * Lends an active session to a relay, if programs are all that its next tokens need.
 * @param awaited whether a call will wait for it, or nobody
 * @returns what the call to ourselves carries
 */
export function lend(session: Session, awaited: boolean): Relay | undefined {
  dismiss(session);
  const { tokensPerCall, stepInstructions, options, tokenIds } = session;
  if (tokensPerCall !== 1 || stepInstructions === 0 || stepInstructions > MOST_STEP_INSTRUCTIONS) return undefined;
  if (options.eosTokenIds.length > MAX_STOPS) return undefined;
  if (going.size >= MOST_LENT) return undefined;
  const { writing } = session;
  const model = readyModel();
  const plan = writing && model && planOf(model.languageModel, [writing]);
  const at = plan && (idle.pop() ?? newRecord());
  if (!at) return undefined;
  serials += 1;
  const most = Math.min(MOST_TOKENS, options.maxNewTokens - tokenIds.length);
  const mostRows = rowsThatFit(stepInstructions);
  unit.write(at, recordOf(plan, options.eosTokenIds, { most, mostRows, serial: serials, at }));
  const relay = { at, serial: serials, session, lease: session.lease, awaited, recalled: false, counted: emptyBill() };
  session.relay = relay;
  going.add(relay);
  if (!awaited) chained.set(at, relay);
  return relay;
}

function newRecord(): number | undefined {
  if (records >= MOST_RECORDS) return undefined;
  records += 1;
  const at = arena.allocate(ROOM_BYTES);
  // room that was somebody's: whether it is in the list of those that go on is not for each use to write
  unit.write(at, new Uint8Array(ROOM_BYTES));
  return at;
}

function recordOf(
  plan: StepPlan,
  stops: readonly number[],
  { most, mostRows, serial, at }: { most: number; mostRows: number; serial: number; at: number },
): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  const put = (where: number, ...words: readonly number[]): void =>
    words.forEach((word, i) => {
      view.setUint32(where + 4 * i, word, true);
    });
  put(SERIAL, serial);
  put(STATE, GOING);
  put(STEP, ...plan.step);
  put(CHOICE, ...plan.choice);
  put(ROW, ...plan.rows);
  put(TABLE, plan.table);
  put(REGISTERS_AT, ...plan.registers);
  put(MOST, most);
  put(MOST_ROWS, mostRows);
  put(STOPS, stops.length, ...stops);
  bytes.set(relayArgs({ at, serial }), ARGS);
  return bytes;
}

/** Arguments of a relay's messages. */
export function relayArgs({ at, serial }: Pick<Relay, 'at' | 'serial'>): Uint8Array {
  const args = new Uint8Array(MESSAGE_BYTES);
  const view = new DataView(args.buffer);
  view.setUint8(0, RELAY);
  view.setUint32(1, serial, true);
  view.setUint32(5, at, true);
  return args;
}

/** Takes a session back from its relay, if it has one: what was made is in the session after it, and no more is made. */
export function recall(session: Session): Session {
  const { relay, writing } = session;
  if (!relay || relay.recalled) return session;
  relay.recalled = true;
  going.delete(relay);
  const bytes = unit.read(relay.at, RECORD_BYTES);
  unit.write(relay.at + STATE, Uint8Array.of(HALTED, 0, 0, 0));
  const view = new DataView(bytes.buffer);
  const made = view.getUint32(MADE, true);
  if (made > 0) {
    writing!.take(Array.from({ length: made }, (_, i) => view.getUint32(IDS + 4 * i, true)));
    session.tokenIds = writing!.tokenIds as number[];
    session.calls += made;
    session.unitInstructions += Number(view.getBigUint64(UNIT_INSTRUCTIONS, true));
    session.beat = Number(view.getBigUint64(BEAT, true)) / 1e6;
    session.failures = 0;
    counters.tokens += made;
    counters.messages += made;
  }
  chargeCounted(relay, view);
  return session;
}

/** Puts what a relay's messages took since the last time on its session's bill. */
function chargeCounted({ session, awaited, counted }: Relay, view: DataView): void {
  const messages = view.getUint32(EXECUTED, true);
  const sent = view.getUint32(SENT, true);
  // less than nothing where its message ran a batch, and TypeScript has that message on the bill as a whole
  const now = executed(Number(view.getBigInt64(INSTRUCTIONS, true)), messages);
  now.fees += callFees(SELF_CALL_BYTES, sent);
  if (!awaited) addBill(now, onewayReplies(sent));
  charge(session, {
    instructions: now.instructions - counted.instructions,
    messages: now.messages - counted.messages,
    fees: now.fees - counted.fees,
  });
  Object.assign(counted, now);
}

/** Takes all sessions back: a program is under way, and rows that it works in are not to be written over. */
export function recallAll(): void {
  for (const { session } of going) recall(session);
}

/** The call is answered: its session is taken back, its record may be used again. */
export function giveBack(relay: Relay): void {
  const { session, at } = relay;
  if (session.relay === relay) {
    // a message that came after it was recalled is on its bill, too
    if (relay.recalled) chargeCounted(relay, new DataView(unit.read(at, RECORD_BYTES).buffer));
    else recall(session);
    session.relay = undefined;
  }
  chained.delete(at);
  idle.push(at);
}

/** Takes a session from its relay for good; should a message of it still come, it does nothing. Of one that is awaited, that message gives the record back. */
export function dismiss(session: Session): void {
  const { relay } = recall(session);
  if (!relay || relay.awaited) return;
  unit.write(relay.at + SERIAL, new Uint8Array(4));
  giveBack(relay);
  charge(session, executed(REST.idle));
}

/** The relay that a message which nobody waits for is of; undefined for one that was dismissed. */
export function relayOf(args: Uint8Array): Relay | undefined {
  const view = new DataView(args.buffer, args.byteOffset);
  const relay = chained.get(view.getUint32(5, true));
  return relay?.serial === view.getUint32(1, true) ? relay : undefined;
}
