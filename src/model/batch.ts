/**
 * A batch: rows that go through a model together, each a position of a sequence. What a row comes to does not depend on
 * the others, to the bit. The first rows of a batch are the ones whose logits are wanted, one for each sequence; the
 * others only leave keys and values.
 */
import { CACHE_KEYS, ROW_CACHES, ROW_POSITION, ROW_TOKEN, ROW_WORDS } from '../tensor/assembly/row-table.ts';
import type { Sequence } from './sequence.ts';

/** Most rows of a batch. From 64 rows on, linear ops take fewer products (tensor/kernels/strassen.ts). */
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
 * What is to run next so that each of the sequences gets the logits after its last token: with all that is missing, if
 * a batch holds it.
 * @throws RangeError for more sequences than a batch has logits for
 */
export function nextBatch(sequences: readonly Sequence[]): Batch {
  const logitRows = sequences.length;
  if (logitRows < 1 || logitRows > MAX_LOGIT_ROWS)
    throw new RangeError(`batch: expected 1 to ${MAX_LOGIT_ROWS} sequences, got ${logitRows}`);
  let lacking = 0;
  for (const sequence of sequences) lacking += missing(sequence);
  if (lacking + logitRows > MAX_ROWS) return { rows: missingRows(sequences), logitRows: 0 };
  const rows: Row[] = [];
  for (const sequence of sequences) rows.push({ sequence, position: sequence.targetIds.length - 1 });
  return { rows: lacking > 0 ? rows.concat(missingRows(sequences)) : rows, logitRows };
}

/**
 * What is to run next so that these rows get logits: with all positions that their sequences lack before them, if a
 * batch holds it. Rows of a sequence stand next to each other, rising.
 * @throws RangeError for more rows than a batch has logits for
 */
export function batchOf(wanted: readonly Row[]): Batch {
  const logitRows = wanted.length;
  if (logitRows < 1 || logitRows > MAX_LOGIT_ROWS)
    throw new RangeError(`batch: expected 1 to ${MAX_LOGIT_ROWS} rows, got ${logitRows}`);
  const before: Row[] = [];
  wanted.forEach(({ sequence, position }, i) => {
    if (i > 0 && wanted[i - 1]!.sequence === sequence) return;
    for (let at = sequence.cached; at < position; at++) before.push({ sequence, position: at });
  });
  return before.length + logitRows > MAX_ROWS
    ? { rows: before.slice(0, MAX_ROWS), logitRows: 0 }
    : { rows: [...wanted, ...before], logitRows };
}

/** After a batch has run: its rows' keys and values are there. */
export function noteCached({ rows }: Batch): void {
  for (const { sequence, position } of rows) if (position >= sequence.cached) sequence.cached = position + 1;
}

/** The row table's words. A row sees the positions of its first cache up to its own. */
export function rowWords({ rows }: Batch): Uint32Array {
  const words = new Uint32Array(rows.length * ROW_WORDS);
  for (let i = 0; i < rows.length; i++) {
    const { sequence, position } = rows[i]!;
    const at = i * ROW_WORDS;
    words.set(sequence.row, at);
    words[at + ROW_TOKEN] = sequence.targetIds[position]!;
    words[at + ROW_POSITION] = position;
    words[at + ROW_CACHES + CACHE_KEYS] = position + 1;
  }
  return words;
}
