/**
 * Who is in the next batch: those whose turn is longest ago come first, and nobody overtakes one that does not fit.
 * Knows rows and turns only.
 */

export interface Stepping {
  /**
   * Number of the place in a batch that it had last, counted over all: no two have the same, or one of them would be
   * first again and again.
   */
  readonly served: number;
}

/**
 * Of those that want a token, the ones whose rows fit a batch together, at least one.
 * @param most rows of a batch
 */
export function nextBatchOf<T extends Stepping>(wanting: readonly T[], rowsOf: (one: T) => number, most: number): T[] {
  const inOrder = [...wanting].sort((a, b) => a.served - b.served);
  const batch: T[] = [];
  let rows = 0;
  for (const one of inOrder) {
    rows += rowsOf(one);
    if (rows > most && batch.length > 0) break;
    batch.push(one);
  }
  return batch;
}
