/**
 * What the programs of every family have in common: their registers, what a batch leaves behind, the room that they
 * share, and the programs after `forward`.
 */
import { ACCUMULATOR_BYTES, INT4_UNPACK_OUTPUTS } from '../tensor/assembly/protocol.ts';
import { ROW_BYTES } from '../tensor/assembly/row-table.ts';
import { pad } from '../tensor/layout.ts';
import type { Program, Registers } from '../tensor/machine.ts';
import { Recorder, type Rows, type RowTable, type Scratch } from '../tensor/recorder.ts';
import { register } from '../tensor/value.ts';
import { MAX_LOGIT_ROWS } from './batch.ts';
import type { WeightsKind } from './tensor-table.ts';

/** Registers: rows of the batch, and how many of them, the first ones, get logits. */
export const [ROWS, LOGIT_ROWS] = [register(0), register(1)];
export const registersOf = (rows: number, logitRows: number): Registers => [rows, logitRows];

/** Takes room in the arena while programs are recorded. */
export type Allocate = (bytes: number) => number;

/** The programs that batches of any stage need; a family may have more. All of them are placed in the arena. */
export interface StagePrograms {
  /** Rows through the layers that are here. */
  forward: Program;
  /** Where `forward` has its rows between layers. */
  hidden: Rows;
  /** Registers: out, source, bytes. */
  copy: Program;
  /** The row table, written before a program runs. */
  batch: number;
}

/** Those of a model that is whole, or of its first stage. */
export interface BatchPrograms extends StagePrograms {
  /** From the row table's tokens to logits. */
  forward: Program;
  /** Word of `forward` at which the head begins: without it, rows only leave keys and values. */
  head: number;
  /** The likeliest id of each row of logits becomes its token in `batch`. */
  greedy: Program;
  /** float32 [MAX_LOGIT_ROWS, V padded]: what `forward` leaves behind. */
  logits: Rows;
}

/** A row table with room for `most` rows. */
export const tableOf = (most: number, allocate: Allocate): RowTable => ({ at: allocate(most * ROW_BYTES), rows: ROWS });

export function logitsOf(vocabularySize: number, allocate: Allocate): Rows {
  const cols = pad(vocabularySize, 16);
  return { at: allocate(MAX_LOGIT_ROWS * cols * 4), rows: LOGIT_ROWS, cols, width: vocabularySize };
}

export type SharedScratch = Pick<Scratch, 'sums' | 'unpacked'>;

/**
 * Scratch that all programs share.
 * @param inputs padded widths of what matrices read
 * @param outputs of what they give
 */
export function sharedRoom(
  weights: WeightsKind,
  inputs: readonly number[],
  outputs: readonly number[],
  allocate: Allocate,
): SharedScratch {
  const most = Math.min(INT4_UNPACK_OUTPUTS, Math.max(...outputs));
  const unpacked = weights === 'int4' ? allocate(most * Math.max(...inputs)) : undefined;
  return { sums: allocate(ACCUMULATOR_BYTES), unpacked };
}

export function recordGreedy(batch: RowTable, logits: Rows): Program {
  const r = new Recorder();
  r.argmax(batch.at, logits, logits.width, ROW_BYTES);
  return r.finish();
}

export function recordCopy(): Program {
  const r = new Recorder();
  r.copy('keys and values', register(0), register(1), register(2));
  return r.finish();
}
