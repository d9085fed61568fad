/**
 * A sequence: what has keys and values in the arena, a prompt and what follows it. What lies in the arena of it can be
 * made again from its ids. A caller's session has one sequence, or one for each beam.
 */
export interface Sequence {
  readonly sourceIds: readonly number[];
  /** What was given, then what was made so far. */
  readonly targetIds: number[];
  /** How many of the target ids were given: the start token alone, or a decoder-only model's prompt. */
  readonly given: number;
  /** The most tokens that may be made. */
  readonly capacity: number;
  /** Pointers of its caches, in the order of the row table (tensor/assembly/row-table.ts). */
  readonly caches: readonly number[];
  /**
   * Its row in the table, but what changes from position to position: the token, the position, the keys of the first
   * cache.
   */
  readonly row: Uint32Array;
  /** The sequence whose prompt's keys and values it shares. */
  readonly forkOf?: Sequence;
  phase: 'encode' | 'cross' | 'decode';
  /** Target positions whose keys and values are there. */
  cached: number;
}

/** How many ids two lists have in common from the first on. */
export function agreement(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let i = 0;
  while (i < most && a[i] === b[i]) i++;
  return i;
}
