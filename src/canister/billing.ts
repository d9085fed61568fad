/**
 * Who is charged for what the canister does: a session, and by it its owner's quota; the owner's quota alone, where there is no session (yet); or the canister
 * itself, which has that in its metrics. A message counts its instructions itself, near its end: what comes after that is a constant that was measured
 * (test/long/bills.ts holds all of it against what the replica charged). Work that a trap undoes is on nobody's bill.
 */
import { time } from 'azle';
import { addBill, type Bill, callFees, emptyBill, executed } from '../service/bill.ts';
import { type Amount, type Limits, Quotas, type Reservation } from '../service/quotas.ts';
import type { Session } from './session.ts';
import { settings } from './settings.ts';
import { readRecord, writeRecord } from './stable.ts';
import { instructionsNow } from './unit.ts';

/** Instructions from where a message counts itself to its end, by what is left to do. */
export const REST = {
  /** A call was made, and its answer is awaited. */
  call: 235_000,
  /** What a session takes that is paid for, beside: payment is looked at. */
  paid: 450_000,
  /** A step was made. */
  step: 300_000,
  /** An answer with nothing but a session's id, or nothing at all. */
  small: 500_000,
  /** A message that a relay has nothing to do with any more: the whole of it. */
  idle: 100_000,
  /** A session was ended by another call, or its record is read to be changed. */
  ended: 1_900_000,
  /** The watchdog has looked. */
  watch: 3_000_000,
} as const;

/** Instructions that writing a session down takes, and what comes with its end. */
export const ofSaving = ({ owner, prompt, sourceIds, tokenIds, text = '' }: Session): number =>
  2_750_000 +
  17_000 * owner.length +
  8_700 * (sourceIds.length + tokenIds.length) +
  9_300 * (prompt.length + text.length) +
  (isAscii(prompt) ? 0 : 1_000_000);

/** Other text is encoded by another way. */
const isAscii = (text: string): boolean => !/[^ -~]/.test(text);

export type Rest = (session: Session) => number;
export const restOfStep: Rest = () => REST.step;
/** A whole answer is encoded and replied. */
export const restOfAnswer: Rest = ({ tokenIds }) => 4_750_000 + 6_100 * tokenIds.length;

/** Bytes of a call to ourselves: "generate" and its arguments. */
export const SELF_CALL_BYTES = 17;
/** The reply to a call that nobody awaits goes to a callback that does not exist: a message that traps at once. */
export const ONEWAY_INSTRUCTIONS = 0;
const ONEWAY = executed(ONEWAY_INSTRUCTIONS);
ONEWAY.fees += callFees(SELF_CALL_BYTES);

let kept: Quotas | undefined;

/** Quotas of all callers, as they were before an upgrade. */
function quotas(): Quotas {
  kept ??= new Quotas(() => Number(time() / 86_400_000_000_000n), {
    callers: readRecord('callers'),
    all: readRecord('all_callers'),
  });
  return kept;
}

function limits(): Limits {
  const s = settings();
  return {
    sessions: s.max_sessions_per_caller,
    day: { tokens: s.tokens_per_day, cycles: s.cycles_per_day },
    dayOverall: { tokens: s.tokens_per_day_overall, cycles: s.cycles_per_day_overall },
  };
}

/** Why this caller gets no further session of up to `wanted`. */
export const overLimit = (method: string, who: string, wanted: Amount): string | undefined =>
  quotas().overLimit(method, who, wanted, limits());

/** Why nobody gets one. */
export const overallLimit = (method: string, wanted: Amount): string | undefined =>
  quotas().overLimitOfAll(method, wanted, limits());

/** A session begins: what it may take is promised to it. */
export const promise = (who: string, wanted: Amount): Reservation => quotas().begin(who, wanted);
/** It is over: what was promised and not spent is not any more. */
export const withdraw = (reservation: Reservation): void => quotas().end(reservation);

/** Called before an upgrade. */
export function saveQuotas(): void {
  const { callers, all } = quotas().save();
  writeRecord('callers', callers);
  writeRecord('all_callers', all);
}

export const forgetCallers = (): void => quotas().forget();

/** What the canister did for nobody, since its code was installed or upgraded: waiting, watching, refusing. */
export const ownBill = emptyBill();

/** Puts something on a session's bill, and on its owner's quota with the tokens that were made since the last time. */
export function charge(session: Session, bill: Bill): void {
  addBill(session, bill);
  const tokens = session.tokenIds.length - session.tokensCharged;
  session.tokensCharged = session.tokenIds.length;
  const spent = { tokens, cycles: bill.instructions + bill.fees };
  if (session.reservation) quotas().spend(session.reservation, spent);
  else quotas().spendFreely(session.owner, spent);
}

/** Puts the message in hand on a session's bill: what it has taken and what is left of it. Where it is there already, what has come since. */
export function chargeMessage(session: Session, rest: number): void {
  const total = instructionsNow() + rest;
  charge(session, session.charged === 0 ? executed(total) : executed(total - session.charged, 0));
  session.charged = total;
}

/** A call to ourselves whose answer is awaited: the reply is a message of its own. */
export const chargeCall = (session: Session): void =>
  charge(session, { instructions: 0, messages: 0, fees: callFees(SELF_CALL_BYTES) });

/** A call to ourselves that nobody awaits. */
export const chargeOneway = (session: Session): void => charge(session, ONEWAY);

/** Counts work on a caller's account that came to no session, or to one that is over: the message in hand, and what came before it. */
export function chargeCaller(who: string, before: Bill, rest: number): void {
  const bill = executed(instructionsNow() + rest);
  quotas().spendFreely(who, { tokens: 0, cycles: bill.instructions + bill.fees + before.instructions + before.fees });
  addBill(ownBill, bill);
  addBill(ownBill, before);
}

/** The message in hand is nobody's. */
export const chargeOurselves = (rest: number): void => addBill(ownBill, executed(instructionsNow() + rest));
