/**
 * A batch: rows that go through a model together, each a position of a sequence. What a row comes to does not depend on the others, to the bit.
 * The first rows of a batch are the ones whose logits are wanted, one for each sequence; the others only leave keys and values.
 */
import { ROW_WORDS } from '../tensor/assembly/row-table.ts';
import type { Sequence } from './sequence.ts';

/** Most rows of a batch. From 64 rows on, linear ops take fewer products (tensor/strassen.ts). */
export const MAX_ROWS = 64;
/** Most rows of a batch whose logits are wanted. */
export const MAX_LOGIT_ROWS = 32;

export interface Row {
  sequence: Sequence;
  position: number;
}

/** What one run of a model does. */
export interface Batch {
  rows: readonly Row[];
  /** How many rows, the first ones, get logits. */
  logitRows: number;
}

/** Positions of a sequence that have no keys and values yet, its last one apart, which gets logits. */
const missing = ({ targetIds, cached }: Sequence): number => Math.max(0, targetIds.length - 1 - cached);

function missingRows(sequences: readonly Sequence[]): Row[] {
  const rows: Row[] = [];
  for (const sequence of sequences) {
    for (let i = 0; i < missing(sequence) && rows.length < MAX_ROWS; i++)
      rows.push({ sequence, position: sequence.cached + i });
  }
  return rows;
}

/** Rows that only leave keys and values, as many as a batch holds; undefined where none is missing. */
export function replayBatch(sequences: readonly Sequence[]): Batch | undefined {
  const rows = missingRows(sequences);
  return rows.length > 0 ? { rows, logitRows: 0 } : undefined;
}

/**
 * What is to run next so that each of the sequences gets the logits after its last token: with all that is missing, if a batch holds it.
 * @throws RangeError for more sequences than a batch has logits for
 */
export function nextBatch(sequences: readonly Sequence[]): Batch {
  if (sequences.length < 1 || sequences.length > MAX_LOGIT_ROWS)
    throw new RangeError(`batch: expected 1 to ${MAX_LOGIT_ROWS} sequences, got ${sequences.length}`);
  const lacking = sequences.reduce((sum, sequence) => sum + missing(sequence), 0);
  const rows = missingRows(sequences);
  if (lacking + sequences.length > MAX_ROWS) return { rows, logitRows: 0 };
  const last = sequences.map((sequence) => ({ sequence, position: sequence.targetIds.length - 1 }));
  return { rows: [...last, ...rows], logitRows: last.length };
}

/** After a batch has run: its rows' keys and values are there. */
export function noteCached({ rows }: Batch): void {
  // rising, and what was missing before the last position
  for (const { sequence, position } of [...rows].sort((a, b) => a.position - b.position)) {
    if (position === sequence.cached) sequence.cached += 1;
  }
}

/** The row table's words. */
export function rowWords(rows: readonly Row[], wordsOf: (row: Row) => readonly number[]): Uint32Array {
  const words = new Uint32Array(rows.length * ROW_WORDS);
  rows.forEach((row, i) => {
    words.set(wordsOf(row), i * ROW_WORDS);
  });
  return words;
}
