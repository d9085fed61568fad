/**
 * The subnet's randomness. Azle's generator begins with a seed that everyone knows, and gets a random one by a timer of
 * Azle's after install and upgrade, which may be late or lost: nothing is drawn before a seed has come that was asked
 * for here.
 */
import { call, IDL, Principal, randSeed } from 'azle';
import { type Bill, callFees } from '../../service/bill.ts';
import { CALL_BYTE_CYCLES } from '../../service/prices.ts';
import { now } from '../runtime/time.ts';
import { billsAccount } from './billing.ts';
import { collect, settle } from './settlement.ts';

const LOST_SECONDS = 300;
/** "raw_rand" and no argument in Candid; 32 bytes in Candid. */
const QUESTION_BYTES = 14;
const ANSWER_BYTES = 42;
/** What a call of `raw_rand` costs beside its messages. */
export const RANDOM_FEES = callFees(QUESTION_BYTES) + ANSWER_BYTES * CALL_BYTE_CYCLES;

let seeded = false;
/** Requests whose answer is on its way, and when the last was made. */
let asking = 0;
let asked = 0;

/**
 * Asks for a seed where there is none yet; without an answer (no cycles, stopping) there is none still. From updates
 * and timers.
 * @param before the call's bill: with the message in hand and its question, where one is asked
 */
export async function seedRandom(before: Bill): Promise<void> {
  if (seeded) return;
  asking += 1;
  asked = now();
  settle(billsAccount(before));
  before.fees += RANDOM_FEES;
  try {
    const seed = await call<undefined, Uint8Array>(Principal.managementCanister(), 'raw_rand', {
      returnIdlType: IDL.Vec(IDL.Nat8),
    });
    collect();
    randSeed(seed);
    seeded = true;
  } catch (error) {
    collect();
    // the cleanup of a callback that trapped goes on trapping, as in scheduler.ts
    if ((error as { type?: string }).type === 'CleanupCallback') throw error;
  } finally {
    asking -= 1;
  }
}

/** Whether an answer with a seed is on its way. Those that nothing is heard of for long are taken for lost. */
export const isSeeding = (): boolean => asking > 0 && now() - asked < LOST_SECONDS * 1000;

export class NoSeed extends Error {}

/** @throws NoSeed in the moments after install and upgrade */
export function randomBytes(count: number): Uint8Array {
  if (!seeded) throw new NoSeed('the canister has just started and has no random seed yet; try again');
  return crypto.getRandomValues(new Uint8Array(count));
}
