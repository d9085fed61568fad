// linearQ8 of many rows by Strassen's algorithm (tensor/kernels/strassen.ts): what lies where, and in what order it is
// made. 49 products stand for 64; the same to the bit.
//
//   scratch: sums of 49 products, a tile of rows for each seven | … of the next 64 rows || 49 operands of x | … of the
//   next 64 rows || seven operands of w
//
// Seven operands of w at a time, so that they stay in the cache near the processor while the rows pass; all 49 of a
// chunk, 1.6 MB, took a fifth more time than no splitting at all.

import { spanOf } from '../generated/dot-blocks';
import { join, multiplySeven, splitW, splitX } from '../generated/strassen';
import { fetch } from '../fetch';
import {
  SPLIT_BLOCKS as BLOCKS_,
  SPLIT_GROUPS as MOST_GROUPS_,
  SPLIT_LEAST_COLUMNS as LEAST_COLUMNS_,
  SPLIT_LEAST_GROUPS as LEAST_GROUPS_,
  SPLIT_PASSES as PASSES_,
  SPLIT_X,
  TILE_ROWS,
  TILE_STRIDE,
} from '../protocol';

const BLOCKS: u32 = BLOCKS_;
const PASSES: u32 = PASSES_;
const MOST_GROUPS: u32 = MOST_GROUPS_;
const LEAST_GROUPS: u32 = LEAST_GROUPS_;
const LEAST_COLUMNS: u32 = LEAST_COLUMNS_;
/** Rows of x that are split together. */
export const SPLIT_ROWS: u32 = BLOCKS_ * TILE_ROWS;
/** Bytes that belong to one of seven times seven products, and to all of them, of as many rows. */
const SEVEN_SUMS: u32 = TILE_ROWS * TILE_STRIDE;
const SEVEN_X: u32 = 7 * SPLIT_X;
const ALL_SUMS: u32 = 7 * SEVEN_SUMS;
const ALL_X: u32 = 7 * SEVEN_X;

/**
 * linearQ8Into of as many of the rows, from the first on, as it pays for; gives how many these are: none of less than
 * SPLIT_ROWS.
 */
export function linearSplit(
  out: usize, outBytes: usize, x: usize, xScales: usize, w: usize, wScales: usize, rows: u32, outputs: u32, inputs: u32, accumulate: bool, scratch: usize,
  from: u32, to: u32,
): u32 {
  if (inputs % (BLOCKS * 16) || inputs < LEAST_COLUMNS || to - from < LEAST_GROUPS * 4) return 0;
  const taken = rows / SPLIT_ROWS * SPLIT_ROWS;
  const groups = (to - from) >> 2;
  const last = to >> 2;
  const chunks = (groups + MOST_GROUPS - 1) / MOST_GROUPS;
  // chunks alike, each of whole groups a block
  const chunkGroups = (groups + chunks * BLOCKS - 1) / (chunks * BLOCKS) * BLOCKS;
  const xBytes = <usize>inputs << 1;
  const xs = scratch + PASSES * ALL_SUMS;
  const ws = xs + PASSES * ALL_X;
  for (let first: u32 = 0; first < taken; first += PASSES * SPLIT_ROWS) {
    const passes = min(PASSES, (taken - first) / SPLIT_ROWS);
    for (let done = from >> 2; done < last; done += chunkGroups) {
      const ofChunk = min(chunkGroups, last - done);
      const blockGroups = ofChunk / BLOCKS;
      let columns: u32 = 0;
      for (let span: u32 = 0; span < inputs; span += columns) {
        columns = spanOf(inputs - span);
        const blockColumns = columns / BLOCKS;
        const part = w + <usize>(span * outputs) + <usize>(done * columns << 2);
        fetch(part, part + <usize>(ofChunk * columns << 2));
        for (let pass: u32 = 0; pass < passes; pass++) {
          splitX(xs + pass * ALL_X, x + <usize>(first + pass * SPLIT_ROWS) * xBytes + (<usize>span << 1), xBytes, blockColumns);
        }
        for (let outer: u32 = 0; outer < 7; outer++) {
          splitW(outer, ws, part, blockGroups, blockColumns);
          for (let pass: u32 = 0; pass < passes; pass++) {
            multiplySeven(scratch + pass * ALL_SUMS + outer * SEVEN_SUMS, xs + pass * ALL_X + outer * SEVEN_X, ws, blockGroups, blockColumns);
          }
        }
        for (let pass: u32 = 0; pass < passes; pass++) {
          const row = first + pass * SPLIT_ROWS;
          join(
            out + <usize>row * outBytes + (<usize>done << 4), outBytes, scratch + pass * ALL_SUMS, wScales + (<usize>done << 4), xScales + (<usize>row << 2),
            blockGroups, accumulate || span > 0,
          );
        }
      }
    }
  }
  return taken;
}
