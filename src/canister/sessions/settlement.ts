/**
 * What a message took, to the instruction. TypeScript cannot know it: when its last line has run, the interpreter goes
 * on for a while. So a message says who it is for, and native code (src/native/settlement.ts) puts the figure into the
 * reply and the session's row once all is done; the next message puts it on the bill.
 */

import {
  BILL,
  COMMAND_SETTLE,
  CYCLES_AT,
  DUE,
  INSTRUCTIONS_AT,
  NOWHERE,
  PERCENT,
  REJECTS,
  REPLY,
  REPLY_BYTES,
  ROW,
  TOTAL,
} from '../../native/settlement-protocol.ts';
import { HEADER_BYTES } from '../../tensor/assembly/protocol.ts';
import { unit } from '../runtime/unit.ts';

/** Whom a message is for. */
export interface Account {
  /** Once, when a message says that it is for this account; again with -1 where it then says that it is for another. */
  addMessages(count: number): void;
  /** What such a message took, later. */
  addInstructions(count: number): void;
}

/** A reply that has numbers in it which the message's instructions are added to. */
export interface OpenReply {
  bytes: Uint8Array;
  /** Whether the bytes are the message of a reject. */
  isReject?: boolean;
  /** Places of numbers of 64 bits: none, or two. */
  instructionsAt?: number;
  cyclesAt?: number;
}

export interface Settlement {
  /** Where in our blocks the session's instructions stand, and what they are without this message. */
  row?: { address: number; instructions: number };
  /** What the caller owes without this message's instructions, and at how many percent it is sold. */
  due?: { cycles: number; percent: number };
  reply?: OpenReply;
}

/**
 * The message that was settled last, or is to be. Native code reads and writes the mailbox where it lies, so it is kept
 * until its total is taken.
 */
let last: { account: Account; mailbox?: Uint8Array } | undefined;

const totalOf = ({ buffer }: Uint8Array): number =>
  Number(new DataView(buffer).getBigUint64(HEADER_BYTES + TOTAL, true));

/** Puts what the last message took on its bill. Called by every message before it looks at a bill. */
export function collect(): void {
  const total = last?.mailbox ? totalOf(last.mailbox) : 0;
  if (total === 0) return;
  const { account } = last!;
  last = undefined;
  account.addInstructions(total);
}

/**
 * Says whom the message in hand is for; what it said before counts no more.
 * @param settlement asked when the message itself is on the bill
 */
export function settle(account: Account, settlement: () => Settlement = () => ({})): void {
  collect();
  last?.account.addMessages(-1);
  account.addMessages(1);
  last = { account };
  const { row, due, reply } = settlement();
  const mailbox = new Uint8Array(HEADER_BYTES + REPLY + (reply?.bytes.length ?? 0));
  const view = new DataView(mailbox.buffer, HEADER_BYTES);
  view.setBigInt64(ROW, BigInt(row?.address ?? NOWHERE), true);
  if (row) view.setFloat64(BILL, row.instructions, true);
  if (due) {
    view.setBigUint64(DUE, BigInt(Math.ceil(due.cycles)), true);
    view.setBigUint64(PERCENT, BigInt(due.percent), true);
  }
  if (reply) {
    view.setUint32(REPLY_BYTES, reply.bytes.length, true);
    view.setUint32(REJECTS, Number(reply.isReject ?? false), true);
    view.setUint32(INSTRUCTIONS_AT, reply.instructionsAt ?? 0, true);
    view.setUint32(CYCLES_AT, reply.cyclesAt ?? 0, true);
    mailbox.set(reply.bytes, HEADER_BYTES + REPLY);
  }
  last.mailbox = mailbox;
  unit.bulk(mailbox, COMMAND_SETTLE);
}
