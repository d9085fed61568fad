// A relay: steps of a session as messages that never enter the interpreter. Azle's `generate` and its system calls `call_new` and `call_on_cleanup` go
// through here (src/node/build/relay.ts). A call of the canister to itself that is marked as a relay's is answered by a step, and its reply by the next such call,
// until the record says no more; only then does ic-cdk's own callback see a reply. Where nobody waits, the step itself sends the next one, and the last of them goes on to
// Azle's `generate`. A step is everyone's: one batch makes the next token of each record that goes on. So QuickJS is entered once for many tokens, and its heap (30 pages a message, nearly all written) is touched once. A trap, a reject or a failing
// call ends in ic-cdk's callbacks as ever.
import { performanceCounter, run } from '../tensor/assembly/machine';
import { REGISTERS } from '../tensor/assembly/protocol';
import { CACHE_KEYS, ROW_BYTES, ROW_CACHES, ROW_POSITION, ROW_TOKEN } from '../tensor/assembly/row-table';
import {
  AHEAD, ARGS, ARRIVED, BATCH_REGISTERS, BEAT, CALLER, CHOICE, CLEANUP, EXECUTED, GOING, HALTED, IDS, INSTRUCTIONS, JOINED, LINKED, MADE, MARK, MESSAGE_BYTES, MOST, MOST_ROWS, NAME,
  NAME_BYTES, NEXT, NOBODY, REGISTERS_AT, REJECT, RELAY, REPLY, ROW, SELF, SENT, SERIAL, STATE, STEP, STOPS, TABLE, UNIT_INSTRUCTIONS,
} from './relay-record';
import { settle, settledCallback } from './settlement';

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'call_new')
declare function callNew(callee: usize, calleeBytes: usize, name: usize, nameBytes: usize, reply: u32, replyEnv: u32, reject: u32, rejectEnv: u32): void;
// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'call_on_cleanup')
declare function callOnCleanup(cleanup: u32, env: u32): void;
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'call_data_append')
declare function callDataAppend(source: usize, bytes: usize): void;
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'call_perform')
declare function callPerform(): i32;
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
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_reply')
declare function msgReply(): void;
// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'time')
declare function time(): u64;
/** Azle's own. */
// @ts-ignore: AssemblyScript's decorator
@external('env', 'azle generate')
declare function azleGenerate(): void;

/** Place of `relay_reply` in the canister's table: the build writes it. */
export let relay_reply_index: u32 = 0;

/** A record that is or was in use, 0 before the first: what a message brings is copied there. */
let room: usize = 0;
/** The record whose call was begun last and has no cleanup callback yet. */
let begun: usize = 0;
/** The first record of the list of those that go on; some that do not any more may still be in it. */
let first: usize = 0;

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
  room = record;
  link(record);
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
  callNew(callee, calleeBytes, name, NAME_BYTES, relay_reply_index, <u32>record, reject, rejectEnv);
}

/** Stands where Azle imports `ic0.call_on_cleanup`. */
export function call_on_cleanup(cleanup: u32, env: u32): void {
  if (begun != 0) {
    store<u32>(begun + CLEANUP, cleanup);
    store<u32>(begun + CLEANUP, env, 4);
    begun = 0;
  }
  callOnCleanup(cleanup, env);
}

/** Whether the message in hand is a relay's: by its first byte, and from the canister itself. Leaves its bytes at ARRIVED. */
function isRelays(): bool {
  if (room == 0 || msgArgDataSize() != MESSAGE_BYTES) return false;
  msgArgDataCopy(room + ARRIVED, 0, MESSAGE_BYTES);
  const size = load<u32>(room + SELF);
  if (load<u8>(room + ARRIVED) != RELAY || msgCallerSize() != size) return false;
  msgCallerCopy(room + CALLER, 0, size);
  return memory.compare(room + CALLER, room + SELF + 4, size) == 0;
}

/** Stands where the canister exports `generate`. */
export function relay_generate(): void {
  if (!isRelays()) return azles();
  const record: usize = load<u32>(room + ARRIVED, 5);
  if (load<u32>(record + SERIAL) == load<u32>(room + ARRIVED, 1)) {
    if (isGoing(record)) step(record);
    // what TypeScript makes of this message, it counts itself
    if (load<u32>(record + REPLY) == NOBODY && !(isGoing(record) && sendNext(record))) return azles();
    count(record, REPLYING);
  }
  msgReply();
}

/** Azle's `generate`, and what comes at a message's end. */
function azles(): void {
  azleGenerate();
  settle();
}

// @ts-ignore: AssemblyScript's decorator
@inline
function isGoing(record: usize): bool {
  return load<u32>(record + STATE) == GOING;
}

function link(record: usize): void {
  if (load<u32>(record + LINKED) != 0) return;
  store<u32>(record + LINKED, 1);
  store<u32>(record + NEXT, <u32>first);
  first = record;
}

/** Runs a program of a record over so many rows of the table. */
function runPart(record: usize, part: usize, registers: usize): void {
  run(load<u32>(record + part), load<u32>(record + part, 4), load<u32>(record + part, 8), u64.MAX_VALUE, registers);
}

/** Registers for so many rows. */
function registersOf(record: usize, rows: u32): usize {
  for (let i: usize = 0; i < <usize>REGISTERS << 2; i += 4)
    store<u32>(record + BATCH_REGISTERS + i, load<u32>(record + REGISTERS_AT + i) * rows);
  return record + BATCH_REGISTERS;
}

function isStop(record: usize, id: u32): bool {
  for (let i = load<u32>(record + STOPS); i > 0; i--) if (load<u32>(record + STOPS + (i << 2)) == id) return true;
  return false;
}

// @ts-ignore: AssemblyScript's decorator
@inline
function add(counter: usize, n: u64): void {
  store<u64>(counter, load<u64>(counter) + n);
}

/** Instructions behind the count: of the counting itself, and of a reply without bytes. */
const COUNTING: u64 = 60;
const REPLYING: u64 = 600;

/** The message in hand, of which TypeScript sees nothing. @param rest instructions that come after it */
function count(record: usize, rest: u64): void {
  store<u32>(record + EXECUTED, load<u32>(record + EXECUTED) + 1);
  add(record + INSTRUCTIONS, performanceCounter(0) + rest);
}

/**
 * The token that a record's message is for. If another's batch has not made it, a batch makes it, and the next one of every other record that goes on: weights are touched
 * once for all. Each has its share of what that took; its own message then has nothing to do.
 */
function step(record: usize): void {
  if (load<u32>(record + AHEAD) != 0) return store<u32>(record + AHEAD, 0);
  const before = performanceCounter(0);
  const table: usize = load<u32>(record + TABLE);
  memory.copy(table, record + ROW, ROW_BYTES);
  const rows = gather(record, table);
  const registers = rows == 1 ? record + REGISTERS_AT : registersOf(record, rows);
  runPart(record, STEP, registers);
  runPart(record, CHOICE, registers);
  const now = time();
  const share = (performanceCounter(0) - before) / rows;
  take(record, table, now, share);
  if (rows == 1) return;
  // its message is on its bill as a whole
  add(record + INSTRUCTIONS, 0 - share * (rows - 1));
  let row = table;
  for (let other = first; other != 0; other = load<u32>(other + NEXT)) {
    if (load<u32>(other + JOINED) == 0) continue;
    store<u32>(other + JOINED, 0);
    row += ROW_BYTES;
    take(other, row, now, share);
    store<u32>(other + AHEAD, 1);
    add(other + INSTRUCTIONS, share);
  }
}

/** Puts rows of others behind the record's own, and takes those out of the list that do not go on. @returns how many rows there are */
function gather(record: usize, table: usize): u32 {
  const most = load<u32>(record + MOST_ROWS);
  let rows: u32 = 1;
  let last: usize = 0;
  for (let other = first; other != 0;) {
    const next: usize = load<u32>(other + NEXT);
    if (!isGoing(other)) {
      store<u32>(other + LINKED, 0);
      if (last == 0) first = next;
      else store<u32>(last + NEXT, <u32>next);
    } else {
      last = other;
      if (rows < most && mayJoin(record, other)) {
        store<u32>(other + JOINED, 1);
        memory.copy(table + <usize>rows * ROW_BYTES, other + ROW, ROW_BYTES);
        rows += 1;
      }
    }
    other = next;
  }
  return rows;
}

/** Whether another record's next token can be made in this one's batch: it is of the same model, and not ahead of its own messages. */
function mayJoin(record: usize, other: usize): bool {
  return other != record && load<u32>(other + AHEAD) == 0 &&
    load<u32>(other + STEP) == load<u32>(record + STEP) && load<u32>(other + CHOICE) == load<u32>(record + CHOICE);
}

/** Takes the token that was chosen for a record's row. */
function take(record: usize, chosen: usize, now: u64, instructions: u64): void {
  const row = record + ROW;
  const id = load<u32>(chosen, ROW_TOKEN * 4);
  const made = load<u32>(record + MADE);
  store<u32>(record + IDS + (made << 2), id);
  store<u32>(record + MADE, made + 1);
  store<u32>(row, id, ROW_TOKEN * 4);
  store<u32>(row, load<u32>(row, ROW_POSITION * 4) + 1, ROW_POSITION * 4);
  store<u32>(row, load<u32>(row, (ROW_CACHES + CACHE_KEYS) * 4) + 1, (ROW_CACHES + CACHE_KEYS) * 4);
  if (made + 1 >= load<u32>(record + MOST) || isStop(record, id)) store<u32>(record + STATE, HALTED);
  store<u64>(record + BEAT, now);
  add(record + UNIT_INSTRUCTIONS, instructions);
}

/** Sends the next message; whether it could be sent. */
function sendNext(record: usize): bool {
  const awaited = load<u32>(record + REPLY) != NOBODY;
  callNew(
    record + SELF + 4, load<u32>(record + SELF), record + NAME, NAME_BYTES,
    awaited ? relay_reply_index : NOBODY, awaited ? <u32>record : NOBODY, load<u32>(record + REJECT), load<u32>(record + REJECT, 4),
  );
  if (awaited) callOnCleanup(load<u32>(record + CLEANUP), load<u32>(record + CLEANUP, 4));
  callDataAppend(record + ARGS, MESSAGE_BYTES);
  if (callPerform() != 0) return false;
  store<u32>(record + SENT, load<u32>(record + SENT) + 1);
  return true;
}

/** The reply to a relay's message: through the table, where the call in Azle had its own callback. */
export function relay_reply(record: usize): void {
  if (isGoing(record) && sendNext(record)) return count(record, COUNTING);
  call_indirect<void>(load<u32>(record + REPLY), load<u32>(record + REPLY, 4));
}
