/**
 * Records by which native code makes tokens (src/native/loop-record.ts): what a drive's begins with, whoever's messages
 * these are, and those of members. A member is a session whose next tokens programs alone make.
 */
import { MAX_LOGIT_ROWS } from '../../model/batch.ts';
import type { StepPlan } from '../../model/language-model.ts';
import {
  CHOICE,
  DRIVE_HEAD_BYTES,
  GOES,
  GOING,
  IDS,
  LEFT,
  MADE,
  MAX_STOPS,
  MEMBER_BYTES,
  REGISTERS_AT,
  ROW,
  SHARE_EXECUTED,
  SHARE_INSTRUCTIONS,
  SHARE_SENT,
  SHARE_UNIT,
  STATE,
  STEP,
  STOPS,
  TABLE,
} from '../../native/loop-record.ts';
import { ROW_WORDS } from '../../tensor/assembly/row-table.ts';
import type { Model } from '../model/model.ts';
import { arena, unit } from '../runtime/unit.ts';
import type { Session } from './session.ts';

/**
 * What a batch may take. A further row takes less than half of what a row alone does, whose weights' pages it does not
 * pay (docs/performance.md); this much is counted.
 */
const BATCH_INSTRUCTIONS = 1_400_000_000;
const FURTHER_ROW = 0.6;
/** Where not even two rows fit a message, TypeScript makes steps, in several messages if need be. */
const MOST_STEP_INSTRUCTIONS = BATCH_INSTRUCTIONS / (1 + FURTHER_ROW);

/** Rows of a batch that fits a message, where a step of one row takes so much. */
export const rowsThatFit = (stepInstructions: number): number =>
  Math.max(1, Math.min(MAX_LOGIT_ROWS, 1 + Math.floor((BATCH_INSTRUCTIONS / stepInstructions - 1) / FURTHER_ROW)));

/**
 * Rows of a batch that need not fit a message. Where few would, weights are touched for so few that it takes less to go
 * through several messages with all of them.
 */
export const rowsTogether = (stepInstructions: number): number =>
  isLong(stepInstructions) ? MAX_LOGIT_ROWS : rowsThatFit(stepInstructions);

/** Whether a step takes several messages, or would if it had a second row. */
export const isLong = (stepInstructions: number): boolean => stepInstructions > MOST_STEP_INSTRUCTIONS;

/** What a step of one row takes that takes so much with `rows`. */
export const ofOneRow = (instructions: number, rows: number): number => instructions / (1 + FURTHER_ROW * (rows - 1));

/** What a step of so many rows takes, where one of one row takes so much. */
export const ofRows = (instructions: number, rows: number): number => instructions * (1 + FURTHER_ROW * (rows - 1));

/** Whether programs are all that a session's next tokens need, each of them whole in a message. */
export const isNative = ({ options, writing }: Session, { stepInstructions, languageModel }: Model): boolean =>
  languageModel.stages === 1 &&
  options.eosTokenIds.length <= MAX_STOPS &&
  writing?.isPlain === true &&
  stepInstructions > 0 &&
  !isLong(stepInstructions);

/** What a drive's record begins with, whoever its members are: programs, row table and registers of a model. */
let head: { model: Model; words: Uint32Array } | undefined;

/** @param plan of so many rows */
export function noteHead(model: Model, plan: StepPlan, rows: number): void {
  if (head?.model === model) return;
  const words = new Uint32Array(DRIVE_HEAD_BYTES / 4);
  words[STATE / 4] = GOING;
  words.set(plan.step, STEP / 4);
  words.set(plan.choice, CHOICE / 4);
  words[TABLE / 4] = plan.table;
  words.set(
    plan.registers.map((register) => register / rows),
    REGISTERS_AT / 4,
  );
  head = { model, words };
}

/** A copy of it, for a drive of its own; undefined where none of the model was noted. */
export const headOf = (model: Model): Uint32Array | undefined =>
  head?.model === model ? head.words.slice() : undefined;

/** Says in words from `at` on who the members are. */
export function putMembers(words: Uint32Array, at: number, members: readonly number[]): void {
  words[at] = members.length;
  words.set(members, at + 1);
}

const idle: number[] = [];

/** @param i which row of the plan is the session's */
export function lendMember({ rows }: StepPlan, i: number, { options, tokenIds }: Session): number {
  const at = idle.pop() ?? arena.allocate(MEMBER_BYTES);
  const words = new Uint32Array(IDS / 4);
  words[GOES / 4] = 1;
  words[LEFT / 4] = options.maxNewTokens - tokenIds.length;
  words[STOPS / 4] = options.eosTokenIds.length;
  words.set(options.eosTokenIds, STOPS / 4 + 1);
  words.set(rows.subarray(i * ROW_WORDS, (i + 1) * ROW_WORDS), ROW / 4);
  unit.write(at, new Uint8Array(words.buffer));
  return at;
}

export function giveBackMember(at: number): void {
  unit.write(at + GOES, new Uint8Array(4));
  idle.push(at);
}

/** What native code has done for a session since it was looked at last. */
export interface Done {
  tokens: number;
  /** Its shares. */
  instructions: number;
  inUnit: number;
  messages: number;
  callsSent: number;
}

/** Takes the tokens that native code has made of a session, and says what they took. */
export function takeMade(session: Session, member: number): Done | undefined {
  const bytes = unit.read(member + MADE, MEMBER_BYTES - MADE);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const u64 = (at: number): number => Number(view.getBigUint64(at - MADE, true));
  const [tokens, messages] = [view.getUint32(0, true), view.getFloat64(SHARE_EXECUTED - MADE, true)];
  if (tokens === 0 && messages === 0) return undefined;
  unit.write(member + MADE, new Uint8Array(IDS - MADE));
  const inUnit = u64(SHARE_UNIT);
  if (tokens > 0) {
    session.writing!.take(Array.from({ length: tokens }, (_, i) => view.getUint32(IDS - MADE + 4 * i, true)));
    session.tokenIds = session.writing!.tokenIds as number[];
    session.failures = 0;
  }
  const callsSent = view.getFloat64(SHARE_SENT - MADE, true);
  return { tokens, instructions: u64(SHARE_INSTRUCTIONS), inUnit, messages, callsSent };
}
