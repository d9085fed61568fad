/** A session in the heap: what is written down of it (session-record.ts), and what works on it. */
import type { Generation } from '../../model/generation/generation.ts';
import type { Reservation } from '../../service/quotas.ts';
import type { Entry } from '../../service/session-index.ts';
import type { SessionRecord } from './session-record.ts';

export interface Session extends SessionRecord {
  /** What the index of all sessions has of it; undefined of one that nobody keeps. */
  entry?: Entry;
  /** The answer in the making, with its place in the arena; undefined until it is worked on. */
  writing?: Generation;
  /** Its number in messages of the canister to itself. */
  handle: number;
  /** Steps in a row that were its alone, and trapped or were rejected. */
  failures: number;
  /** Whether it is to be tried alone: it was there when a step failed. */
  suspect: boolean;
  /** Number of the place in a batch of TypeScript's that it had last. */
  served: number;
  /** What its owner's quota has promised it, while it is under way. */
  reservation?: Reservation;
  /** Tokens that are on its owner's quota. */
  tokensCharged: number;
  /** Its record in the arena, while it is attached to what makes tokens without the interpreter (native-loop.ts). */
  member?: number | undefined;
}
