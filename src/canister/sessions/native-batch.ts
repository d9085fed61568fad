/**
 * Many tokens of several sessions within a message of TypeScript's: native code makes batch after batch, and TypeScript
 * takes what came of it. An interpreter takes as much for a row's token as the kernels do for a twentieth of it.
 */
import { MAX_LOGIT_ROWS } from '../../model/batch.ts';
import { planOf } from '../../model/generation/generation.ts';
import { COMMAND_STEPS, COUNT, DRIVE_BYTES, MOST_ROWS, MOST_TOKENS } from '../../native/loop-record.ts';
import type { Model } from '../model/model.ts';
import { arena, unit } from '../runtime/unit.ts';
import {
  type Done,
  giveBackMember,
  headOf,
  isNative,
  lendMember,
  noteHead,
  ofOneRow,
  putMembers,
  takeMade,
} from './members.ts';
import type { Session } from './session.ts';

let record: number | undefined;

/**
 * Makes up to so many tokens of each of these, if programs alone make all of them.
 * @param until instructions of the message that no step is to pass but the first
 * @returns what was done for each; undefined where nothing was
 */
export function makeNatively(
  sessions: readonly Session[],
  model: Model,
  tokens: number,
  until: number,
): Done[] | undefined {
  const { languageModel } = model;
  if (sessions.length > MAX_LOGIT_ROWS || languageModel.busy) return undefined;
  if (!sessions.every((session) => isNative(session, model))) return undefined;
  const plan = planOf(
    languageModel,
    sessions.map(({ writing }) => writing!),
  );
  if (!plan) return undefined;
  noteHead(model, plan, sessions.length);
  const members = sessions.map((session, i) => lendMember(plan, i, session));
  const words = headOf(model)!;
  words[MOST_ROWS / 4] = sessions.length;
  putMembers(words, COUNT / 4, members);
  record ??= arena.allocate(DRIVE_BYTES);
  unit.write(record, new Uint8Array(words.buffer));
  const low = until % 2 ** 32;
  const dearest = unit.command(COMMAND_STEPS, record, Math.min(tokens, MOST_TOKENS), low, (until - low) / 2 ** 32);
  const done = sessions.map((session, i) => takeMade(session, members[i]!)!);
  for (const member of members) giveBackMember(member);
  for (const { inUnit } of done) unit.instructions += inUnit;
  // dearer at once, as of a message's first step, which touches pages; cheaper by and by, as of shorter answers
  const more = ofOneRow(dearest, sessions.length) - model.stepInstructions;
  model.stepInstructions += more > 0 ? more : more / 8;
  return done;
}
