/**
 * A model at work on a machine, whatever its family: what generation and the canister know of it. It holds the weights
 * and the sequences' keys and values, and takes sequences to their next logits, in as many slices as the instruction
 * budget makes of it. It knows ids only.
 */
import type { Arena } from '../tensor/arena.ts';
import type { Machine, Registers } from '../tensor/machine.ts';
import type { Rows } from '../tensor/recorder.ts';
import type { Row } from './batch.ts';
import type { PlacedProgram } from './placed-model.ts';
import type { Sequence } from './sequence.ts';
import type { Errand } from './stages/errands.ts';
import type { WeightPlaces } from './weight-places.ts';

/**
 * `paused`: the budget is used up, go on in another message. `busy`: other sequences are in the middle of a program.
 * `away`: their rows are with other stages; go on when those have answered.
 */
export type Outcome = 'paused' | 'busy' | 'away' | 'done';

/**
 * What makes the next tokens of some sequences, one after another, each the likeliest: for whoever runs the programs
 * without this class.
 */
export interface StepPlan {
  step: PlacedProgram;
  choice: PlacedProgram;
  /** For these rows; each of them is for so many rows as many times what it is for one. */
  registers: Registers;
  /**
   * Pointer of the row table: the rows are written there before a step, and the choice leaves each one's next id in it
   * as its token.
   */
  table: number;
  /**
   * Words of the rows of the next step. From a step to the next, each row's position and the keys of its first cache
   * grow by one.
   */
  rows: Uint32Array;
}

/** How long prompts and answers of a model may be, in tokens. */
export interface Limits {
  promptTokens: number;
  newTokens: number;
  /** Of a decoder-only model: prompt and answer together. */
  context?: number;
}

export interface LanguageModel {
  readonly machine: Machine;
  readonly arena: Arena;
  readonly vocabularySize: number;
  readonly limits: Limits;
  /**
   * Whether a prompt is encoded before the first token, which can be kept; a decoder-only model has the prompt in front
   * of the answer.
   */
  readonly hasEncoder: boolean;
  /** Where the weights belong; they are to be there before the first sequence runs. */
  readonly weights: WeightPlaces;
  /** What `step` leaves: logits of each sequence, and the row table, whose tokens choices may be written to. */
  readonly output: { logits: Rows; table: number };
  /** Whether a program is under way, which no other may run into. */
  readonly busy: boolean;
  /** The sequences that it is for, in its order; only a call with all of them goes on with it. */
  readonly underWay: readonly Sequence[];
  /** How many stages it is spread over; 1 where all layers are here. */
  readonly stages: number;
  /**
   * What another stage is to be asked now, so that programs whose rows are away can go on; undefined where nothing is.
   * Each is taken once, and is to be asked in that order.
   */
  takeErrand(): Errand | undefined;
  /** Takes what a stage has answered. There may be a next errand, or the program goes on with the next call. */
  answerErrand(errand: Errand, bytes: Uint8Array): void;
  /** It is not known what has come of the errand: its program begins anew with the next call. */
  giveUpErrand(errand: Errand): void;
  /** Programs whose rows are with other stages, or have come back and wait to go on. */
  readonly batchesAway: number;
  /** Whether rows of some of these sequences are with other stages, or have come back from there. */
  whereIs(sequences: readonly Sequence[]): 'away' | 'back' | undefined;
  /** Gives all its room back but open sequences'. */
  dispose(): void;

  /**
   * Opens a sequence for `capacity` tokens more than are given. `targetIds` of an earlier one, given ones included, are
   * taken up again: their keys and values are made anew.
   * @throws RangeError for ids or lengths out of range, or where memory is exhausted
   */
  open(sourceIds: readonly number[], capacity: number, targetIds?: readonly number[]): Sequence;
  /**
   * Another sequence on the same prompt, which shares what was made of it. It can step once the first one can, and must
   * be closed before it.
   */
  fork(first: Sequence): Sequence;
  /** Gives a sequence other target ids. Its keys and values stay as far as the ids agree. */
  retarget(sequence: Sequence, targetIds: readonly number[]): void;
  /**
   * Copies keys and values that it lacks from another sequence, as far as their target ids agree, and of the first
   * `most` ids at most. Of a model with an encoder both are on the same prompt.
   * @returns whether the budget allowed it
   */
  borrow(sequence: Sequence, other: Sequence, budget?: bigint, most?: number): boolean;
  /**
   * Gives back the room of a sequence that its keys and values do not take: it can be borrowed from and closed, no
   * more.
   * @returns the bytes that they take
   */
  trim(sequence: Sequence): number;
  /** Gives a sequence's room back. */
  close(sequence: Sequence): void;

  /** Encodes the prompt. After `done`, `encoding` gives what came out. */
  encode(sequence: Sequence, budget?: bigint): Outcome;
  /** What the encoder made of the prompt that was encoded last. */
  encoding(sequence: Sequence): Uint8Array;
  /** Takes a prompt's encoding in place of `encode`. */
  useEncoding(sequence: Sequence, encoding: Uint8Array): Outcome;

  /** Makes the keys and values that sequences lack, as after an upgrade, up to their last token. */
  replay(sequences: readonly Sequence[], budget?: bigint): Outcome;
  /**
   * Makes the logits after the last token of each sequence: row i of the logits belongs to the i-th. All that is to be
   * done before is done. A call that is not `done` is to be made again with the same sequences.
   */
  step(sequences: readonly Sequence[], budget?: bigint): Outcome;
  /**
   * Makes the logits behind any positions of sequences: row i of the logits belongs to the i-th. Rows of a sequence
   * stand next to each other, rising; what it lacks before them is made. A call that is not `done` is to be made again
   * with the same rows.
   */
  evaluate(rows: readonly Row[], budget?: bigint): Outcome;
  /** The likeliest id of a row of logits. */
  greedy(row: number): number;
  /** float32 [V] of a row after `step` was done. For looking at; in the canister logits stay in the unit. */
  logits(row?: number): Float32Array;
  /** The id that a choosing program left as the token of a row. */
  token(row: number): number;
  /** Undefined where something else than a step is to be done first, or a program is under way. */
  plan(sequences: readonly Sequence[]): StepPlan | undefined;
}
