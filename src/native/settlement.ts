// The end of a message. What a message took is known when the interpreter has done its last thing, and there is no
// TypeScript any more that could look at the counter: so what needs that figure is left to native code, which every
// message of Azle's comes back to (src/node/build/link-native.ts). It puts the total into the session's bill in stable
// memory and into the reply, accepts what the caller owes, and replies. Only what it does itself after its look is a
// constant.
import { HEADER_BYTES } from '../tensor/assembly/protocol';
import { performanceCounter } from '../tensor/assembly/machine';
import { writeOurs } from './blocks';
import {
  ACCEPTED, BILL, CYCLES_AT, DUE, INSTRUCTIONS_AT, NOWHERE, PERCENT, REJECTS, REPLY, REPLY_BYTES, ROW, TOTAL,
} from './settlement-protocol';
import { msgReply } from './system-calls';

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_cycles_accept128')
declare function accept(high: u64, low: u64, to: usize): void;
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_reply_data_append')
declare function replyDataAppend(from: usize, bytes: usize): void;

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_reject')
declare function msgReject(from: usize, bytes: usize): void;

/** Place of `settled_callback` in the canister's table: the build writes it. */
export let settled_callback_index: u32 = 0;

/** Payload that the message in hand is settled with; 0 for none. */
let open: usize = 0;
/** ic-cdk's callback, one for all calls that TypeScript makes. */
let callback: u32 = 0;

/**
 * Instructions behind the look at the counter: of settling, of a row, of an accepted payment, of a reply beside its
 * bytes.
 */
const SETTLING: u64 = 100;
const OF_ROW: u64 = 200;
const OF_PAYMENT: u64 = 700;
const OF_REPLY: u64 = 1100;
/** Instructions that the system takes for each byte of a reply. */
const OF_REPLY_BYTE: u64 = 50;

/** COMMAND_SETTLE. */
export function openSettlement(mailbox: usize): void {
  open = mailbox + HEADER_BYTES;
}

/** Called when a message has done everything else. */
export function settle(): void {
  const at = open;
  if (at == 0) return;
  open = 0;
  const row = load<u64>(at + ROW);
  const percent = load<u64>(at + PERCENT);
  const replyBytes = load<u32>(at + REPLY_BYTES);
  let total = performanceCounter(0) + SETTLING;
  if (row != <u64>NOWHERE) total += OF_ROW;
  if (percent != 0) total += OF_PAYMENT;
  if (replyBytes != 0) total += OF_REPLY + OF_REPLY_BYTE * replyBytes;
  store<u64>(at + TOTAL, total);
  if (row != <u64>NOWHERE) {
    store<f64>(at + BILL, load<f64>(at + BILL) + <f64>total);
    writeOurs(row, at + BILL, 8);
  }
  if (percent != 0) accept(0, priceOf(load<u64>(at + DUE) + total, percent), at + ACCEPTED);
  if (replyBytes == 0) return;
  if (load<u32>(at + REJECTS)) return msgReject(at + REPLY, replyBytes);
  addAt(at + REPLY, load<u32>(at + INSTRUCTIONS_AT), total);
  addAt(at + REPLY, load<u32>(at + CYCLES_AT), total);
  replyDataAppend(at + REPLY, replyBytes);
  msgReply();
}

// @ts-ignore: AssemblyScript's decorator
@inline
function addAt(reply: usize, place: u32, total: u64): void {
  if (place != 0) store<u64>(reply + place, load<u64>(reply + place) + total);
}

/** What so many cycles are sold for, rounded up; where that is more than 64 bits hold, all that is attached. */
function priceOf(cycles: u64, percent: u64): u64 {
  const hundreds = cycles / 100;
  if (hundreds > (u64.MAX_VALUE >> 1) / percent) return u64.MAX_VALUE;
  return hundreds * percent + ((cycles % 100) * percent + 99) / 100;
}

/**
 * Which callback stands for one that TypeScript's call was given: one that settles the message afterwards. The timers'
 * own calls (`<ic-cdk internal> …`) keep theirs.
 */
export function settledCallback(given: u32, name: usize, nameBytes: usize): u32 {
  if (nameBytes == 0 || load<u8>(name) == 60) return given;
  if (callback == 0) callback = given;
  return given == callback ? settled_callback_index : given;
}

/** Stands in the canister's table for ic-cdk's callback. */
export function settled_callback(env: u32): void {
  call_indirect<void>(callback, env);
  settle();
}
