/**
 * The native loop: sessions' next tokens made by messages that never enter the interpreter, the kernels' programs being
 * all there is to run (src/native/native-loop.ts). A session is attached, and becomes a member: the messages of a drive
 * make its next tokens with those of all other members, until TypeScript has a look. Whoever gets hold of a member
 * takes what was made so far (`sync`), and it goes on; it is taken back for good (`detach`) where it ends or is worked
 * on by TypeScript. The record of a drive is never given back to the arena, only used again, so that a late message
 * finds a record and no other session's memory.
 */
import { planOf } from '../../model/generation/generation.ts';
import {
  ARGS,
  BEAT,
  COUNT,
  DRIVE_BYTES,
  DRIVE_HEAD_BYTES,
  ENTERING,
  HALTED,
  MESSAGE_BYTES,
  MOST_MEMBERS,
  MOST_ROWS,
  MOST_TOKENS,
  NATIVE_LOOP,
  POT_BYTES,
  POT_EXECUTED,
  POT_INSTRUCTIONS,
  POT_SENT,
  PREPAID,
  SERIAL,
  STATE,
  STEPS_LEFT,
} from '../../native/loop-record.ts';
import { type Bill, callFees, emptyBill, executed, SELF_CALL_BYTES } from '../../service/bill.ts';
import { type Model, readyModel } from '../model/model.ts';
import { arena, unit } from '../runtime/unit.ts';
import { charge, ownBill, REST } from './billing.ts';
import { counters } from './counters.ts';
import {
  giveBackMember,
  headOf,
  isNative,
  lendMember,
  noteHead,
  putMembers,
  rowsThatFit,
  takeMade,
} from './members.ts';
import type { Session } from './session.ts';

/** A record in the arena by which messages are sent. */
export interface Drive {
  at: number;
  serial: number;
  /** Whether a call waits for its messages, or nobody does. */
  awaited: boolean;
  /** Whether each of its messages is TypeScript's, and only replies are native. */
  enters: boolean;
  /** Arguments of its messages. */
  args: Uint8Array;
  /** The model whose programs it runs. */
  model: Model;
}

/**
 * A record is lost where a callback traps and the cleanup after it, too: no message tells that it is free, and one that
 * is in use must not be written.
 */
const MOST_DRIVES = 4_096;

const idleDrives: number[] = [];
let drives = 0;
let serials = 0;
/** Sessions that are attached, in the order in which they came. */
const members: Session[] = [];
/** Whose messages make members' tokens. */
let current: Drive | undefined;
/** Drives whose next message nobody waits for, by record. */
const chained = new Map<number, Drive>();

/** Whether messages of the native loop can make a session's next tokens: one each. */
export const isAttachable = (session: Session, model: Model): boolean =>
  session.tokensPerCall === 1 && isNative(session, model);

/** Makes an active session a member, if it is none yet and can be one. @returns whether it is */
export function attach(session: Session): boolean {
  const model = readyModel();
  if (!model || !isAttachable(session, model)) return false;
  if (session.member !== undefined) return true;
  if (members.length >= MOST_MEMBERS) return false;
  const plan = planOf(model.languageModel, [session.writing!]);
  if (!plan) return false;
  noteHead(model, plan, 1);
  session.member = lendMember(plan, 0, session);
  members.push(session);
  if (current) writeMembers(current);
  return true;
}

/**
 * Says who the members are, between two messages of a drive. One that runs another model's programs makes no more
 * tokens.
 */
function writeMembers({ at, model }: Drive): void {
  if (model !== readyModel()) {
    halt();
    return;
  }
  const words = new Uint32Array(1 + members.length);
  putMembers(words, 0, records());
  unit.write(at + COUNT, new Uint8Array(words.buffer));
}

const records = (): number[] => members.map(({ member }) => member!);

/**
 * Makes a drive the one in charge whose messages TypeScript makes of, while replies to them are native.
 * @returns undefined where no record is free
 */
export function openEntering(model: Model): Drive | undefined {
  const words = new Uint32Array(DRIVE_HEAD_BYTES / 4);
  words[STATE / 4] = ENTERING;
  words[STEPS_LEFT / 4] = MOST_TOKENS;
  return begin(model, words, true, true);
}

/**
 * Makes a drive the one that makes members' tokens.
 * @param awaited whether a call will wait for its messages, or nobody
 * @param steps after which TypeScript has a look
 * @returns undefined where there are no members, or no record is free
 */
export function openDrive(awaited: boolean, steps = MOST_TOKENS): Drive | undefined {
  const model = readyModel();
  if (members.length === 0 || !model || model.languageModel.busy) return undefined;
  const words = headOf(model);
  if (!words) return undefined;
  words[MOST_ROWS / 4] = rowsThatFit(model.stepInstructions);
  words[STEPS_LEFT / 4] = steps;
  putMembers(words, COUNT / 4, records());
  return begin(model, words, awaited);
}

function begin(model: Model, words: Uint32Array, awaited: boolean, enters = false): Drive | undefined {
  const at = idleDrives.pop() ?? newDrive();
  if (!at) return undefined;
  serials += 1;
  const drive = { at, serial: serials, awaited, enters, args: argsOf(at, serials), model };
  words[SERIAL / 4] = serials;
  const bytes = new Uint8Array(words.buffer);
  bytes.set(drive.args, ARGS);
  unit.write(at, bytes);
  current = drive;
  if (!awaited) chained.set(at, drive);
  return drive;
}

function newDrive(): number | undefined {
  if (drives >= MOST_DRIVES) return undefined;
  drives += 1;
  return arena.allocate(DRIVE_BYTES);
}

function argsOf(at: number, serial: number): Uint8Array {
  const args = new Uint8Array(MESSAGE_BYTES);
  const view = new DataView(args.buffer);
  view.setUint8(0, NATIVE_LOOP);
  view.setUint32(1, serial, true);
  view.setUint32(5, at, true);
  return args;
}

/** Takes what was made of a session, if it is a member; it goes on being one. */
export function sync(session: Session): Session {
  const { member } = session;
  const done = member === undefined ? undefined : takeMade(session, member);
  if (!done) return session;
  session.calls += done.tokens;
  session.unitInstructions += done.inUnit;
  counters.tokens += done.tokens;
  counters.messages += done.tokens;
  const bill = executed(done.instructions, done.messages);
  bill.fees += callFees(SELF_CALL_BYTES, done.callsSent);
  charge(session, bill);
  return session;
}

/** Takes a session back for good, if it is a member: what was made is in the session after it, and no more is made. */
export function detach(session: Session): void {
  const { member } = session;
  if (member === undefined) return;
  // of one whose last token is known, nothing more was made
  if (!session.writing?.finishReason) sync(session);
  session.member = undefined;
  giveBackMember(member);
  members.splice(members.indexOf(session), 1);
  if (current) writeMembers(current);
}

/**
 * Lets no more tokens be made: a program is under way, and rows that it works in are not to be written over. The
 * drive's next message is TypeScript's.
 */
export function halt(): void {
  if (current) unit.write(current.at + STATE, Uint8Array.of(HALTED, 0, 0, 0));
}

/** Lets TypeScript have a look after the next step, if it does not have one at each. */
export function askForLook(): void {
  if (current && !current.enters) unit.write(current.at + STEPS_LEFT, Uint8Array.of(1, 0, 0, 0));
}

/** Something that changes with every step, and when the last one was, in milliseconds since 1970. */
export function lastStep(): { sign: number; time: number } {
  if (!current) return { sign: 0, time: 0 };
  const view = new DataView(unit.read(current.at + STEPS_LEFT, BEAT + 8 - STEPS_LEFT).buffer);
  const time = Number(view.getBigUint64(BEAT - STEPS_LEFT, true)) / 1e6;
  return { sign: 64 * current.serial + view.getUint32(0, true), time };
}

/**
 * What a drive's messages took that is on nobody's bill, and instructions of the message in hand that are on members'
 * bills.
 */
export interface Pot {
  bill: Bill;
  prepaid: number;
}

function takePot({ at }: Drive): Pot {
  const words = new Uint32Array(unit.read(at + POT_INSTRUCTIONS, POT_BYTES).buffer);
  const word = (where: number): number => words[(where - POT_INSTRUCTIONS) / 4]!;
  const u64 = (where: number): number => word(where) + word(where + 4) * 2 ** 32;
  const bill = executed(u64(POT_INSTRUCTIONS), word(POT_EXECUTED));
  bill.fees += callFees(SELF_CALL_BYTES, word(POT_SENT));
  return { bill, prepaid: u64(PREPAID) };
}

/** Takes what replies to its messages took so far. It goes on. */
export function takeSpent(drive: Drive): Bill {
  const { bill } = takePot(drive);
  unit.write(drive.at + POT_INSTRUCTIONS, new Uint8Array(POT_BYTES));
  return bill;
}

/**
 * The call is answered, or its last message is TypeScript's: the record may be used again.
 * @returns what is yet to be paid
 */
export function giveBack(drive: Drive): Pot {
  const { at } = drive;
  const pot = takePot(drive);
  if (current === drive) current = undefined;
  chained.delete(at);
  idleDrives.push(at);
  return pot;
}

/**
 * Another drives from now on: should a message of the present one still come, it does nothing. Of one that is awaited,
 * the answer gives the record back.
 * @returns what is yet to be paid
 */
export function abandon(): Bill {
  if (!current) return emptyBill();
  halt();
  const drive = current;
  current = undefined;
  if (drive.awaited) return emptyBill();
  unit.write(drive.at + SERIAL, new Uint8Array(4));
  ownBill.instructions += REST.idle;
  return giveBack(drive).bill;
}

/** The drive that a message is of which TypeScript is to make something of; undefined for one that was abandoned. */
export function driveOf(args: Uint8Array): Drive | undefined {
  const view = new DataView(args.buffer, args.byteOffset);
  const at = view.getUint32(5, true);
  const drive = current?.at === at ? current : chained.get(at);
  return drive?.serial === view.getUint32(1, true) ? drive : undefined;
}
