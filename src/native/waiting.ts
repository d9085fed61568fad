// A call that waits for its session's end: it asks the management canister for something, and looks again when the
// answer comes, a round later. As long as the session is not over and drives go on, the look is native, and sends the
// next question. Each fourth is a call to the canister itself, which is refused while the canister stops: somebody who
// waits would hold the stop up.
import { performanceCounter } from '../tensor/assembly/machine';
import { MESSAGE_BYTES, NAME, NAME_BYTES, SELF } from './loop-record';
import {
  ASKED, LOOKS_LEFT, OVER, PINGED, PING_ARGS, QUESTION, QUESTION_BYTES, SEEN, UNTIL, WAIT_CLEANUP, WAIT_NAME, WAIT_REJECT, WAIT_REPLY, WAITED_INSTRUCTIONS,
} from './waiting-record';
import { callDataAppend, callNew, callOnCleanup, callPerform, time } from './system-calls';

/** Place of `wait_reply` in the canister's table: the build writes it. */
export let wait_reply_index: u32 = 0;

/** Messages of drives that were executed. */
let life: u32 = 0;
/** The drive that was begun last, 0 before the first: it has the canister's own principal and its method's name. */
let room: usize = 0;

export function noteDrive(drive: usize): void {
  room = drive;
}

export function noteLife(): void {
  life += 1;
}

/** Where callbacks for a cleanup are kept. */
export function waitCleanup(record: usize, cleanup: u32, env: u32): void {
  store<u32>(record + WAIT_CLEANUP, cleanup);
  store<u32>(record + WAIT_CLEANUP, env, 4);
}

/** The first question, as TypeScript asks it. */
export function beginWait(record: usize, callee: usize, calleeBytes: usize, name: usize, reply: u32, replyEnv: u32, reject: u32, rejectEnv: u32): void {
  memory.copy(record + WAIT_NAME, name, NAME_BYTES);
  store<u32>(record + SEEN, life);
  store<u32>(record + WAIT_REPLY, reply);
  store<u32>(record + WAIT_REPLY, replyEnv, 4);
  store<u32>(record + WAIT_REJECT, reject);
  store<u32>(record + WAIT_REJECT, rejectEnv, 4);
  callNew(callee, calleeBytes, name, NAME_BYTES, wait_reply_index, <u32>record, reject, rejectEnv);
}

/** Instructions behind the count. */
const COUNTING: u64 = 60;

/** A round later. */
export function wait_reply(record: usize): void {
  const left = load<u32>(record + LOOKS_LEFT);
  const until = load<u64>(record + UNTIL);
  const goesOn = load<u32>(record + OVER) == 0 && left != 0 && load<u32>(record + SEEN) != life && (until == 0 || time() < until);
  if (goesOn && ask(record, left)) {
    store<u32>(record + LOOKS_LEFT, left - 1);
    store<u32>(record + SEEN, life);
    store<u64>(record + WAITED_INSTRUCTIONS, load<u64>(record + WAITED_INSTRUCTIONS) + performanceCounter(0) + COUNTING);
    return;
  }
  call_indirect<void>(load<u32>(record + WAIT_REPLY), load<u32>(record + WAIT_REPLY, 4));
}

/** Asks once more; whether that could be sent. */
function ask(record: usize, left: u32): bool {
  const isPing = room != 0 && left % 4 == 0;
  const reject = load<u32>(record + WAIT_REJECT);
  const rejectEnv = load<u32>(record + WAIT_REJECT, 4);
  if (isPing) callNew(room + SELF + 4, load<u32>(room + SELF), room + NAME, NAME_BYTES, wait_reply_index, <u32>record, reject, rejectEnv);
  else callNew(0, 0, record + WAIT_NAME, NAME_BYTES, wait_reply_index, <u32>record, reject, rejectEnv);
  callOnCleanup(load<u32>(record + WAIT_CLEANUP), load<u32>(record + WAIT_CLEANUP, 4));
  if (isPing) callDataAppend(record + PING_ARGS, MESSAGE_BYTES);
  else callDataAppend(record + QUESTION, QUESTION_BYTES);
  if (callPerform() != 0) return false;
  const count = record + (isPing ? PINGED : ASKED);
  store<u32>(count, load<u32>(count) + 1);
  return true;
}
