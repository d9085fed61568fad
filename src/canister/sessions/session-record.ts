/**
 * A session in stable memory: a head, which layouts up to 4 made an index of, then JSON.
 *
 *   0         1       2          10               26            27          27 + n
 *   +---------+-------+----------+----------------+-------------+-----------+------+
 *   | version | live  | created  | id, 128 bits   | n = owner's | owner,    | JSON |
 *   | u8      | u8    | f64 ms   |                | length, u8  | ASCII     |      |
 *   +---------+-------+----------+----------------+-------------+-----------+------+
 */

import { fromHex } from '../../interface/hex.ts';
import type { BeamState } from '../../model/generation/beam-search.ts';
import type { GenerationOptions } from '../../model/generation/options.ts';
import type { Bill } from '../../service/bill.ts';
import { MESSAGE_CYCLES } from '../../service/prices.ts';
import { decodeUtf8 } from '../../text/utf8.ts';
import { utf8 } from '../storage/bytes.ts';

/** `queued` and `active` are under way; an active one is encoding until it has its first token. */
export type State = 'queued' | 'active' | 'stop' | 'length' | 'cancelled' | 'failed';

/** A session as it is written down, with its bill. */
export interface SessionRecord extends Bill {
  id: string;
  /** Text of the principal who started it. */
  owner: string;
  /** Milliseconds since 1970. */
  created: number;
  updated: number;
  /** SHA-256 of the pack that answers. */
  model: string;
  prompt: string;
  sourceIds: number[];
  /** So many of them are a system prompt, which a decoder-only model has made for others already; absent: none. */
  systemIds?: number;
  /** Without the start token. */
  tokenIds: number[];
  /** What they say, from the session's end on: the model that can tell may be replaced. */
  text?: string;
  options: GenerationOptions;
  /** The texts that there is a choice of, as they were given. */
  choices?: readonly string[];
  /** Of a scoring that is over: of each choice, the sum of its tokens' log-probabilities. */
  sums?: readonly number[];
  /** Number of its receipt, once it is finished. */
  receipt?: number;
  /** Of a beam search, from its first token on. */
  beams?: BeamState;
  /** 0: as many as a slice holds. */
  tokensPerCall: number;
  state: State;
  /** Why it failed. */
  reason: string;
  calls: number;
  unitInstructions: number;
  /** Whether the prompt's encoding, or keys and values of its beginning, were there already. */
  embeddingCached: boolean;
  /** Whether the answer cache had it. */
  answerCached: boolean;
  /**
   * Cycles on its bill from which on a paying caller owes what is added; absent where nobody does. What a failure gave
   * back is due when it is resumed.
   */
  payingFrom?: number;
}

const VERSION = 2;
const OWNER = 27;

const isLive = ({ state }: Pick<SessionRecord, 'state'>): boolean => state === 'queued' || state === 'active';

/** Its bill is not in it: that is in its row (tables.ts), since it changes when the record does not. */
export function encodeSession({ instructions: _i, messages: _m, fees: _f, ...record }: SessionRecord): Uint8Array {
  const json = utf8(JSON.stringify(record));
  const owner = utf8(record.owner);
  const bytes = new Uint8Array(OWNER + owner.length + json.length);
  bytes[0] = VERSION;
  bytes[1] = Number(isLive(record));
  new DataView(bytes.buffer).setFloat64(2, record.created);
  bytes.set(fromHex(record.id), 10);
  bytes[26] = owner.length;
  bytes.set(owner, OWNER);
  bytes.set(json, OWNER + owner.length);
  return bytes;
}

/**
 * @param bill in its row, asked where the record has none
 * A session of before bills were whole had the messages that made its tokens on it, and nothing else.
 */
export function decodeSession(bytes: Uint8Array, bill: () => Bill): SessionRecord {
  const record = JSON.parse(decodeUtf8(bytes, OWNER + bytes[26]!)) as Partial<Bill> & SessionRecord;
  if (record.instructions === undefined) Object.assign(record, bill());
  record.messages ??= record.calls;
  record.fees ??= record.calls * MESSAGE_CYCLES;
  record.answerCached ??= false;
  return record;
}
