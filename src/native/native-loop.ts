// The native loop: steps as messages that never enter the interpreter. Azle's `generate` and its system calls
// `call_new` and `call_on_cleanup` go through here (src/node/build/link-native.ts). A call of the canister to itself
// that is marked as a drive's is answered by a step, and its reply by the next such call, until the record says no
// more; only then does ic-cdk's own callback see a reply. Where nobody waits, the step itself sends the next one, and
// the last of them goes on to Azle's `generate`. A step is one batch, which makes the next token of every member of the
// drive, or of as many as a batch holds, by turns. So QuickJS is entered once for many tokens, and its heap (70 pages a
// message, most of them written) is touched once. Where TypeScript has to make each step, as for beams and draws, a
// reply to its message is native all the same, and sends the next. A trap, a reject or a failing call ends in ic-cdk's
// callbacks as ever.
import { performanceCounter, run } from '../tensor/assembly/machine';
import { REGISTERS, RESULT } from '../tensor/assembly/protocol';
import { CACHE_KEYS, ROW_BYTES, ROW_CACHES, ROW_POSITION, ROW_TOKEN } from '../tensor/assembly/row-table';
import {
  ARGS, ARRIVED, BATCH_REGISTERS, BEAT, CALLER, CHOICE, CLEANUP, COUNT, CURSOR, ENTERING, GOES, GOING, HALTED, IDS, JOINED, LEFT, MADE, MARK, MEMBERS, MESSAGE_BYTES, MOST_ROWS, MOST_TOKENS, NAME,
  NAME_BYTES, NOBODY, POT_EXECUTED, POT_INSTRUCTIONS, POT_SENT, PREPAID, REGISTERS_AT, REJECT, NATIVE_LOOP, REPLY, ROW, ROWS, SELF, SERIAL, SHARE_EXECUTED, SHARE_INSTRUCTIONS, SHARE_SENT,
  SHARE_UNIT, STATE, STEP, STEPS_LEFT, STOPS, TABLE,
} from './loop-record';
import { settle, settledCallback } from './settlement';
import { beginWait, noteDrive, noteLife, waitCleanup } from './waiting';
import { PING } from './waiting-record';
import { callDataAppend, callNew, callOnCleanup, callPerform, msgReply, time } from './system-calls';

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_arg_data_size')
declare function msgArgDataSize(): usize;
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_arg_data_copy')
declare function msgArgDataCopy(to: usize, offset: usize, bytes: usize): void;
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_caller_size')
declare function msgCallerSize(): usize;
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_caller_copy')
declare function msgCallerCopy(to: usize, offset: usize, bytes: usize): void;
/** Azle's own. */
// @ts-ignore: AssemblyScript's decorator
@external('env', 'azle generate')
declare function azleGenerate(): void;

/** Place of `loop_reply` in the canister's table: the build writes it. */
export let loop_reply_index: u32 = 0;

/** A record that is or was in use, 0 before the first: what a message brings is copied there. */
let room: usize = 0;
/** The record whose call was begun last and has no cleanup callback yet; whether it is that of a call that waits. */
let begun: usize = 0;
let begunWaits: bool = false;
/** First letter of "raw_rand": what a call that waits asks for. */
const ASKS: u8 = 114;

/** The record that a method's name carries, or 0. */
function recordOf(name: usize, bytes: usize): usize {
  if (bytes <= <usize>(NAME_BYTES + 1) || load<u8>(name, NAME_BYTES) != MARK) return 0;
  let pointer: usize = 0;
  for (let i: usize = <usize>(NAME_BYTES + 1); i < bytes; i++) pointer = pointer * 10 + load<u8>(name + i) - 48;
  return pointer;
}

/** Stands where Azle imports `ic0.call_new`. */
export function call_new(callee: usize, calleeBytes: usize, name: usize, nameBytes: usize, reply: u32, replyEnv: u32, reject: u32, rejectEnv: u32): void {
  const record = recordOf(name, nameBytes);
  begun = record;
  if (reply != NOBODY) {
    reply = settledCallback(reply, name, nameBytes);
    reject = settledCallback(reject, name, nameBytes);
  }
  if (record == 0) return callNew(callee, calleeBytes, name, nameBytes, reply, replyEnv, reject, rejectEnv);
  begunWaits = load<u8>(name) == ASKS;
  if (begunWaits) return beginWait(record, callee, calleeBytes, name, reply, replyEnv, reject, rejectEnv);
  room = record;
  noteDrive(record);
  store<u32>(record + SELF, calleeBytes);
  memory.copy(record + SELF + 4, callee, calleeBytes);
  memory.copy(record + NAME, name, NAME_BYTES);
  store<u32>(record + REPLY, reply);
  store<u32>(record + REPLY, replyEnv, 4);
  store<u32>(record + REJECT, reject);
  store<u32>(record + REJECT, rejectEnv, 4);
  if (reply == NOBODY) {
    begun = 0;
    return callNew(callee, calleeBytes, name, NAME_BYTES, reply, replyEnv, reject, rejectEnv);
  }
  callNew(callee, calleeBytes, name, NAME_BYTES, loop_reply_index, <u32>record, reject, rejectEnv);
}

/** Stands where Azle imports `ic0.call_on_cleanup`. */
export function call_on_cleanup(cleanup: u32, env: u32): void {
  if (begun != 0) {
    if (begunWaits) waitCleanup(begun, cleanup, env);
    else {
      store<u32>(begun + CLEANUP, cleanup);
      store<u32>(begun + CLEANUP, env, 4);
    }
    begun = 0;
  }
  callOnCleanup(cleanup, env);
}

/**
 * Whether the message in hand is the native loop's: by its first byte, and from the canister itself. Leaves its bytes
 * at ARRIVED.
 */
function isOurs(): bool {
  if (room == 0 || msgArgDataSize() != MESSAGE_BYTES) return false;
  msgArgDataCopy(room + ARRIVED, 0, MESSAGE_BYTES);
  const size = load<u32>(room + SELF);
  const kind = load<u8>(room + ARRIVED);
  if ((kind != NATIVE_LOOP && kind != PING) || msgCallerSize() != size) return false;
  msgCallerCopy(room + CALLER, 0, size);
  return memory.compare(room + CALLER, room + SELF + 4, size) == 0;
}

/** Stands where the canister exports `generate`. */
export function loop_generate(): void {
  if (!isOurs()) return azles();
  if (load<u8>(room + ARRIVED) == PING) return msgReply();
  const drive: usize = load<u32>(room + ARRIVED, 5);
  if (load<u32>(drive + SERIAL) == load<u32>(room + ARRIVED, 1)) {
    noteLife();
    if (load<u32>(drive + STATE) == ENTERING) {
      if (countDown(drive) == 0) store<u32>(drive + STATE, HALTED);
      return azles();
    }
    store<u32>(drive + ROWS, 0);
    if (isGoing(drive)) step(drive);
    if (load<u32>(drive + REPLY) == NOBODY && !(isGoing(drive) && sendNext(drive))) {
      // what TypeScript makes of this message, it counts itself, and learns how much of it is counted
      const before = performanceCounter(0);
      store<u64>(drive + PREPAID, share(drive, before, 0) ? before : 0);
      return azles();
    }
    const spent = performanceCounter(0) + REPLYING;
    if (!share(drive, spent, 1)) keep(drive, spent);
  }
  msgReply();
}

/** Azle's `generate`, and what comes at a message's end. */
function azles(): void {
  noteLife();
  azleGenerate();
  settle();
}

// @ts-ignore: AssemblyScript's decorator
@inline
function isGoing(drive: usize): bool {
  return load<u32>(drive + STATE) == GOING;
}

/** Runs a program over so many rows of the table. */
function runPart(drive: usize, part: usize, registers: usize): void {
  run(load<u32>(drive + part), load<u32>(drive + part, 4), load<u32>(drive + part, 8), u64.MAX_VALUE, registers);
}

/** Registers for so many rows. */
function registersOf(drive: usize, rows: u32): usize {
  for (let i: usize = 0; i < <usize>REGISTERS << 2; i += 4)
    store<u32>(drive + BATCH_REGISTERS + i, load<u32>(drive + REGISTERS_AT + i) * rows);
  return drive + BATCH_REGISTERS;
}

function isStop(member: usize, id: u32): bool {
  for (let i = load<u32>(member + STOPS); i > 0; i--) if (load<u32>(member + STOPS + (i << 2)) == id) return true;
  return false;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function add(counter: usize, n: u64): void {
  store<u64>(counter, load<u64>(counter) + n);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function addPart(counter: usize, n: f64): void {
  store<f64>(counter, load<f64>(counter) + n);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function add32(counter: usize, n: u32): void {
  store<u32>(counter, load<u32>(counter) + n);
}

/** Instructions behind the count: of the counting itself, and of a reply without bytes. */
const COUNTING: u64 = 60;
const REPLYING: u64 = 600;
/** Of putting a message on the bills of members, for each of them. */
const SHARING: u64 = 60;

/** A message that made no token: it is for those of the next step. */
function keep(drive: usize, instructions: u64): void {
  add(drive + POT_INSTRUCTIONS, instructions);
  add32(drive + POT_EXECUTED, 1);
}

/**
 * Puts the message in hand, and what was kept, on the bills of those whose tokens it made, in equal parts.
 * @returns false where it made none
 */
function share(drive: usize, instructions: u64, executed: u32): bool {
  const rows = load<u32>(drive + ROWS);
  if (rows == 0) return false;
  const all = load<u64>(drive + POT_INSTRUCTIONS) + instructions + SHARING * rows;
  const each = all / rows;
  const messages = <f64>(load<u32>(drive + POT_EXECUTED) + executed) / <f64>rows;
  const calls = <f64>load<u32>(drive + POT_SENT) / <f64>rows;
  for (let i: u32 = 0; i < rows; i++) {
    const member: usize = load<u32>(drive + JOINED + (i << 2));
    add(member + SHARE_INSTRUCTIONS, each);
    addPart(member + SHARE_EXECUTED, messages);
    addPart(member + SHARE_SENT, calls);
  }
  store<u64>(drive + POT_INSTRUCTIONS, all - each * rows);
  store<u32>(drive + POT_EXECUTED, 0);
  store<u32>(drive + POT_SENT, 0);
  return true;
}

/** What `makeTokens` has come to: nobody has gone on, somebody has the last token now, or all go on. */
const NOTHING: u32 = 0;
const SOME_OVER: u32 = 1;
const ALL_GO_ON: u32 = 2;

/** Makes the next token of every member, in one batch: weights are touched once for all. */
function makeTokens(drive: usize): u32 {
  const before = performanceCounter(0);
  const rows = gather(drive);
  if (rows == 0) return NOTHING;
  const registers = rows == 1 ? drive + REGISTERS_AT : registersOf(drive, rows);
  runPart(drive, STEP, registers);
  runPart(drive, CHOICE, registers);
  const each = (performanceCounter(0) - before) / rows;
  let outcome = ALL_GO_ON;
  let row: usize = load<u32>(drive + TABLE);
  for (let i: u32 = 0; i < rows; i++, row += ROW_BYTES) {
    const member: usize = load<u32>(drive + JOINED + (i << 2));
    add(member + SHARE_UNIT, each);
    if (!take(member, row)) outcome = SOME_OVER;
  }
  return outcome;
}

/** A message's step. The drive halts where one has its last token: that is for TypeScript to see. */
function step(drive: usize): void {
  const outcome = makeTokens(drive);
  if (outcome == NOTHING) return store<u32>(drive + STATE, HALTED);
  store<u64>(drive + BEAT, time());
  if (countDown(drive) == 0 || outcome == SOME_OVER) store<u32>(drive + STATE, HALTED);
}

/** A command of loop-record.ts. */
export function steps(mailbox: usize): void {
  const drive: usize = load<u32>(mailbox, 8);
  const most = load<u32>(mailbox, 12);
  const until = load<u64>(mailbox, 16);
  let dearest: u64 = 0;
  let last: u64 = 0;
  for (let made: u32 = 0; made < most; made++) {
    const before = performanceCounter(0);
    // a step touches pages that further ones do not; but for these, no two differ by as much as a tenth
    if (made > 0 && before + last + last / 10 > until) break;
    if (makeTokens(drive) == NOTHING) break;
    last = performanceCounter(0) - before;
    if (last > dearest) dearest = last;
  }
  store<u32>(mailbox, <u32>dearest, RESULT * 4);
}

/** A step is made. @returns how many there are to be until TypeScript has a look */
function countDown(drive: usize): u32 {
  const left = load<u32>(drive + STEPS_LEFT) - 1;
  store<u32>(drive + STEPS_LEFT, left);
  return left;
}

/**
 * Fills the row table: with all members, or with as many as a batch may have, those first whose turn it is.
 * @returns how many rows there are
 */
function gather(drive: usize): u32 {
  const most = load<u32>(drive + MOST_ROWS);
  const count = load<u32>(drive + COUNT);
  let at = load<u32>(drive + CURSOR);
  if (at >= count) at = 0;
  let row: usize = load<u32>(drive + TABLE);
  let rows: u32 = 0;
  for (let i: u32 = 0; i < count && rows < most; i++) {
    const member: usize = load<u32>(drive + MEMBERS + (at << 2));
    at = at + 1 == count ? 0 : at + 1;
    if (load<u32>(member + GOES) == 0 || load<u32>(member + MADE) >= <u32>MOST_TOKENS) continue;
    store<u32>(drive + JOINED + (rows << 2), <u32>member);
    memory.copy(row, member + ROW, ROW_BYTES);
    row += ROW_BYTES;
    rows += 1;
  }
  store<u32>(drive + CURSOR, at);
  store<u32>(drive + ROWS, rows);
  return rows;
}

/** Takes the token that was chosen for a member's row. @returns whether it goes on */
function take(member: usize, chosen: usize): bool {
  const row = member + ROW;
  const id = load<u32>(chosen, ROW_TOKEN * 4);
  const made = load<u32>(member + MADE);
  store<u32>(member + IDS + (made << 2), id);
  store<u32>(member + MADE, made + 1);
  store<u32>(row, id, ROW_TOKEN * 4);
  store<u32>(row, load<u32>(row, ROW_POSITION * 4) + 1, ROW_POSITION * 4);
  store<u32>(row, load<u32>(row, (ROW_CACHES + CACHE_KEYS) * 4) + 1, (ROW_CACHES + CACHE_KEYS) * 4);
  const left = load<u32>(member + LEFT) - 1;
  store<u32>(member + LEFT, left);
  if (left != 0 && !isStop(member, id)) return true;
  store<u32>(member + GOES, 0);
  return false;
}

/** Sends the next message; whether it could be sent. */
function sendNext(drive: usize): bool {
  const awaited = load<u32>(drive + REPLY) != NOBODY;
  callNew(
    drive + SELF + 4, load<u32>(drive + SELF), drive + NAME, NAME_BYTES,
    awaited ? loop_reply_index : NOBODY, awaited ? <u32>drive : NOBODY, load<u32>(drive + REJECT), load<u32>(drive + REJECT, 4),
  );
  if (awaited) callOnCleanup(load<u32>(drive + CLEANUP), load<u32>(drive + CLEANUP, 4));
  callDataAppend(drive + ARGS, MESSAGE_BYTES);
  if (callPerform() != 0) return false;
  add32(drive + POT_SENT, 1);
  // the reply to a call without callbacks is a message that traps at once
  if (!awaited) add32(drive + POT_EXECUTED, 1);
  return true;
}

/** The reply to a drive's message: through the table, where the call in Azle had its own callback. */
export function loop_reply(drive: usize): void {
  if (load<u32>(drive + STATE) != HALTED && sendNext(drive)) return keep(drive, performanceCounter(0) + COUNTING);
  call_indirect<void>(load<u32>(drive + REPLY), load<u32>(drive + REPLY, 4));
}
