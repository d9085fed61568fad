import type { Value } from './value.ts';

/** float32 [rows, cols] in the arena; cols is a multiple of 16, and columns from `width` on are zero. */
export interface Rows {
  at: Value;
  rows: Value;
  cols: number;
  width: number;
}
