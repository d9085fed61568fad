/** A session in the heap: what is written down of it (session-record.ts), and what works on it. */
import type { Generation } from '../../model/generation/generation.ts';
import type { Bill } from '../../service/bill.ts';
import type { Reservation } from '../../service/quotas.ts';
import type { Entry } from '../../service/session-index.ts';
import type { SessionRecord } from './session-record.ts';

/** A record in the arena that is in use (relay.ts). */
export interface Relay {
  at: number;
  serial: number;
  session: Session;
  /** The session's when it was lent. */
  lease: number;
  /** Whether a call waits for its messages, or nobody does. */
  awaited: boolean;
  /** Whether what it made is in the session, and it makes no more. */
  recalled: boolean;
  /** What of its record's counters is on the session's bill. */
  counted: Bill;
}

export interface Session extends SessionRecord {
  /** What the index of all sessions has of it; undefined of one that nobody keeps. */
  entry?: Entry;
  /** The answer in the making, with its place in the arena; undefined until it is worked on. */
  writing?: Generation;
  /** Its number in messages of the canister to itself. */
  handle: number;
  /** Number of the drive that may go on with it; scheduler.ts has what that means. */
  lease: number;
  /** Whether a call that waits for the answer drives it. */
  awaited: boolean;
  /** Milliseconds since 1970 of the last message that worked on it. */
  beat: number;
  /** Steps in a row that trapped or were rejected. */
  failures: number;
  /** What the unit took for the last token that was made by a message of its own; 0 before. */
  stepInstructions: number;
  /** Whether another's message has made the token that its own next message is for. */
  ahead: boolean;
  /** Instructions of the message in hand that are on the bills of others whose tokens it has made. */
  forOthers: number;
  /** What its owner's quota has promised it, while it is under way. */
  reservation?: Reservation;
  /** Tokens that are on its owner's quota. */
  tokensCharged: number;
  /** What makes its tokens for the time being, or did until it was recalled. */
  relay?: Relay;
}
