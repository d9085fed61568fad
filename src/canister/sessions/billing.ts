/**
 * Who is charged for what the canister does: a session, and by it its owner's quota; the owner's quota alone, where
 * there is no session (yet); or the canister itself, which has that in its metrics. Native code counts a message's
 * instructions at its end (settlement.ts); test/canister/bills.ts holds all of it against what the replica charged.
 * Work that a trap undoes is on nobody's bill.
 */
import { time } from 'azle';
import {
  addBill,
  type Bill,
  callFees,
  cyclesOf,
  emptyBill,
  executed,
  partOf,
  SELF_CALL_BYTES,
} from '../../service/bill.ts';
import { type Amount, type Limits, Quotas, type Reservation } from '../../service/quotas.ts';
import { SpentCallers } from '../../service/spent-callers.ts';
import { Restored } from '../runtime/restoring.ts';
import { keyOfAccount, settings } from '../storage/settings.ts';
import { readBytes, readRecord, writeBytes, writeRecord } from '../storage/stable.ts';
import type { Session } from './session.ts';
import type { Account } from './settlement.ts';

/** Of messages that TypeScript sees nothing of, or not the end. */
export const REST = {
  /** A message that the native loop has nothing to do with any more: the whole of it. */
  idle: 100_000,
  /** One by which a call that waits sees whether the canister stops: the whole of it. */
  ping: 700,
  /** The watchdog has looked. */
  watch: 3_000_000,
} as const;

/**
 * The replies to so many calls that nobody awaits: each goes to a callback that does not exist, a message that traps at
 * once.
 */
export const onewayReplies = (count: number): Bill => executed(0, count);
const ONEWAY = onewayReplies(1);
ONEWAY.fees += callFees(SELF_CALL_BYTES);

let kept: Quotas | undefined;

/** Quotas of all callers; of before an upgrade, of those that are read. */
function quotas(): Quotas {
  kept ??= new Quotas(() => Number(time() / 86_400_000_000_000n), readRecord('all_callers'));
  return kept;
}

let saved: SpentCallers | undefined;
const savedCallers = (): SpentCallers => (saved ??= new SpentCallers(readBytes('callers')));

const restored = new Restored(restore());

function* restore(): Generator<void, void> {
  while (!savedCallers().isRead) {
    for (const [who, spent] of savedCallers().next()) quotas().remember(who, spent);
    yield;
  }
}

/** What limits are held against: what was spent before an upgrade, too. */
function wholeQuotas(): Quotas {
  restored.finish();
  return quotas();
}

/** @param who the bearer of an API key has limits of its own */
function limits(who = ''): Limits {
  const s = settings();
  const key = keyOfAccount(who);
  const { tokens_per_day: tokens, cycles_per_day: cycles } = key ?? s;
  return {
    sessions: key ? key.max_sessions : s.max_sessions_per_caller,
    day: { tokens, cycles },
    dayOverall: { tokens: s.tokens_per_day_overall, cycles: s.cycles_per_day_overall },
  };
}

/** Why this caller gets no further session of up to `wanted`. */
export const overLimit = (method: string, who: string, wanted: Amount): string | undefined =>
  wholeQuotas().overLimit(method, who, wanted, limits(who));

/** Why nobody gets one. */
export const overallLimit = (method: string, wanted: Amount): string | undefined =>
  wholeQuotas().overLimitOfAll(method, wanted, limits());

/** A session begins: what it may take is promised to it. */
export const promise = (who: string, wanted: Amount): Reservation => quotas().begin(who, wanted);
/** It is over: what was promised and not spent is not any more. */
export const withdraw = (reservation: Reservation): void => quotas().end(reservation);

/** Called before an upgrade. */
export function saveQuotas(): void {
  const { callers, all } = quotas().save();
  writeBytes('callers', savedCallers().withUnread(callers));
  writeRecord('all_callers', all);
}

export const forgetCallers = (): void => quotas().forget();

/** What the canister did for nobody, since its code was installed or upgraded: waiting, watching, refusing. */
export const ownBill = emptyBill();

/**
 * Puts something on a session's bill, and on its owner's quota with the tokens that were made since the last time.
 * @param instead instructions of it that the bill has not: they are others'
 */
export function charge(session: Session, bill: Bill, instead = 0): void {
  addBill(session, bill);
  const tokens = session.tokenIds.length - session.tokensCharged;
  session.tokensCharged = session.tokenIds.length;
  const spent = { tokens, cycles: bill.instructions + bill.fees - instead };
  if (session.reservation) quotas().spend(session.reservation, spent);
  else quotas().spendFreely(session.owner, spent);
}

/** A call to ourselves whose answer is awaited: the reply is a message of its own. */
export const selfCall = (): Bill => ({ instructions: 0, messages: 0, fees: callFees(SELF_CALL_BYTES) });

/** A call to ourselves that nobody awaits. */
export const onewayCall = (): Bill => ONEWAY;

/** Puts something on several bills, in equal parts; on the canister's own where there are none. */
export function chargeEach(sessions: readonly Session[], bill: Bill): void {
  const { instructions, messages, fees } = bill;
  // most often there is nothing, as of a drive that was not there
  if (instructions === 0 && messages === 0 && fees === 0) return;
  const n = sessions.length;
  if (n === 0) addBill(ownBill, bill);
  const part = n === 1 ? bill : partOf(bill, 1, n);
  for (const session of sessions) charge(session, part);
}

/** Instructions of the message in hand that were measured, and are on somebody's bill. */
let measured = 0;
function takeMeasured(): number {
  const taken = measured;
  measured = 0;
  return taken;
}

/** Instructions of the message in hand are somebody's, whatever comes of the rest of it. */
export function chargeMeasured(session: Session, instructions: number): void {
  measured += instructions;
  charge(session, { instructions, messages: 0, fees: 0 });
}

/** Instructions of the message in hand are on bills already. */
export const noteCharged = (instructions: number): unknown => (measured += instructions);

/**
 * The message in hand is a session's. What is on bills comes off at once: all of the message is put there at its end.
 */
export function accountOf(session: Session): Account {
  const already = takeMeasured();
  session.instructions -= already;
  return {
    addMessages: (count) => charge(session, executed(0, count)),
    addInstructions: (instructions) => charge(session, { instructions, messages: 0, fees: 0 }, already),
  };
}

/**
 * The message in hand is for several sessions, in equal parts but for what was measured.
 * @param noted called for each whose bill has changed
 */
export function sharedAccount(sessions: readonly Session[], noted: (session: Session) => void): Account {
  const already = takeMeasured();
  const put = (bill: Bill): void => {
    chargeEach(sessions, bill);
    sessions.forEach(noted);
  };
  return {
    addMessages: (count) => chargeEach(sessions, executed(0, count)),
    addInstructions: (instructions) => put({ instructions: instructions - already, messages: 0, fees: 0 }),
  };
}

/** It is on a caller's account, with what came before it: it came to no session, or to one that is over. */
export function callersAccount(who: string, before: Bill): Account {
  const spend = (bill: Bill): void => {
    quotas().spendFreely(who, { tokens: 0, cycles: cyclesOf(bill) });
    addBill(ownBill, bill);
  };
  return {
    addMessages(count) {
      spend(executed(0, count));
      spend(partOf(before, count));
    },
    addInstructions: (instructions) => spend({ instructions, messages: 0, fees: 0 }),
  };
}

/** It is on a bill that is no session's yet. */
export const billsAccount = (bill: Bill): Account => ({
  addMessages: (count) => addBill(bill, executed(0, count)),
  addInstructions: (instructions) => addBill(bill, { instructions, messages: 0, fees: 0 }),
});

/** It is on bills that another canister has. */
const othersBill = emptyBill();
export const othersAccount = billsAccount(othersBill);

/** Cycles of all that a stage did: for another canister, and for nobody. */
export const charged = (): number => cyclesOf(othersBill) + cyclesOf(ownBill);

/** It is nobody's. */
export const ownAccount = billsAccount(ownBill);
