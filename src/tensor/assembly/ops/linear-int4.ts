// y = x W^T with int4 weights (layout.ts). They stand for int8 weights exactly (int4.ts): few rows of activations go
// over them as they are, many over what they are unpacked to, and what comes out is the same to the bit, linear-q8's
// with those int8 weights.

import { spanOf } from '../generated/dot-blocks';
import { rowInt4, tileInt4, tileRowsInt4 } from '../generated/dot-blocks-int4';
import {
  CHUNK_GROUPS as CHUNK_GROUPS_,
  INT4_GROUP as INT4_GROUP_,
  INT4_UNPACK_OUTPUTS as INT4_UNPACK_OUTPUTS_,
  INT4_UNPACK_ROWS as INT4_UNPACK_ROWS_,
  TILE_STRIDE as TILE_STRIDE_,
} from '../protocol';
import { linearQ8Into, scaleRow } from './linear-q8';

const GROUP: u32 = INT4_GROUP_;
const CHUNK_GROUPS: u32 = CHUNK_GROUPS_;
const UNPACK_ROWS: u32 = INT4_UNPACK_ROWS_;
const UNPACK_OUTPUTS: u32 = INT4_UNPACK_OUTPUTS_;
const TILE_STRIDE: usize = TILE_STRIDE_;

/**
 * Two weights a lane times |m| or -|m|: a weight q is (n ^ flips) - 8, n being a nibble. For m > 0 q m is n m - 8 m;
 * for m < 0 n is flipped to 15 - n and q m is n |m| - 7 |m|. A byte's product is at most 15 * 15, so that the two of a
 * lane do not touch. Subtracted is `less`, 8 |m| or 7 |m|.
 */
// @ts-ignore: AssemblyScript's decorator
@inline
function product(nibbles: v128, flips: v128, m: v128, less: v128): v128 {
  return i8x16.sub(i16x8.mul(v128.xor(v128.and(nibbles, i8x16.splat(15)), flips), m), less);
}

/** Each int16 of 0 … 255 as two equal bytes. */
function twice(v: v128): v128 {
  return v128.or(v, i16x8.shl(v, 8));
}

/**
 * Rows `first` to `first + count`, multiples of 8, of w int4 [outputs, inputs] -> out int8 [count, inputs], in groups
 * of four rows (layout.ts).
 */
function unpack(out: usize, w: usize, multipliers: usize, octetMultipliers: usize, outputs: u32, inputs: u32, first: u32, count: u32): void {
  multipliers += <usize>(first >> 3) * octetMultipliers;
  let columns: u32 = 0;
  for (let from: u32 = 0; from < inputs; from += columns) {
    columns = spanOf(inputs - from);
    const part = w + (<usize>(from * outputs + first * columns) >> 1);
    unpackSpan(out + <usize>(from * count), part, multipliers + (<usize>(from / GROUP) << 3), octetMultipliers, count, columns);
  }
}

function unpackSpan(out: usize, w: usize, multipliers: usize, octetMultipliers: usize, outputs: u32, span: u32): void {
  const fourBytes = <usize>span << 2;
  for (let octets = outputs >> 3; octets > 0; octets -= 1, multipliers += octetMultipliers) {
    let later = out + fourBytes;
    let m = multipliers;
    for (let left = span; left > 0; m += 8) {
      const columns = left < GROUP ? left : GROUP;
      left -= columns;
      const signed = v128.load_ext<i8>(m);
      const sign = i16x8.shr_s(signed, 15);
      const size = i16x8.abs(signed);
      const eights = twice(i16x8.add(i16x8.shl(size, 3), i16x8.mul(sign, size)));
      const flips = twice(v128.and(sign, i16x8.splat(15)));
      // an int64 has four rows
      const m0 = v128.shuffle<i64>(size, size, 0, 0);
      const m1 = v128.shuffle<i64>(size, size, 1, 1);
      const less0 = v128.shuffle<i64>(eights, eights, 0, 0);
      const less1 = v128.shuffle<i64>(eights, eights, 1, 1);
      const flips0 = v128.shuffle<i64>(flips, flips, 0, 0);
      // a later row's q is signed: without its sign it is n ^ 8
      const flips1 = v128.xor(v128.shuffle<i64>(flips, flips, 1, 1), i8x16.splat(8));
      for (const end = w + (<usize>columns << 2); w < end; w += 64, out += 64, later += 64) {
        v128.store(out, product(v128.load(w), flips0, m0, less0));
        v128.store(out, product(v128.load(w, 16), flips0, m0, less0), 16);
        v128.store(out, product(v128.load(w, 32), flips0, m0, less0), 32);
        v128.store(out, product(v128.load(w, 48), flips0, m0, less0), 48);
        v128.store(later, product(i16x8.shr_u(v128.load(w), 4), flips1, m1, less1));
        v128.store(later, product(i16x8.shr_u(v128.load(w, 16), 4), flips1, m1, less1), 16);
        v128.store(later, product(i16x8.shr_u(v128.load(w, 32), 4), flips1, m1, less1), 32);
        v128.store(later, product(i16x8.shr_u(v128.load(w, 48), 4), flips1, m1, less1), 48);
      }
    }
    out = later;
  }
}

/**
 * x int16 [rows, K] with scales f32 [rows], w int4 [F, K] -> columns `from` up to `to` of out f32 [rows, F], added to
 * what is there where `accumulate` is set. K and F multiples of 16, from and to as well. sums: ACCUMULATOR_BYTES,
 * unpacked: INT4_UNPACK_OUTPUTS * K bytes of scratch, or F * K if that is less, untouched by less than INT4_UNPACK_ROWS
 * rows.
 */
export function linearInt4(
  out: usize, x: usize, xScales: usize, w: usize, multipliers: usize, wScales: usize, rows: u32, outputs: u32, inputs: u32, accumulate: u32,
  sums: usize, unpacked: usize, from: u32, to: u32,
): void {
  const octetMultipliers = <usize>((inputs + GROUP - 1) / GROUP) << 3;
  const outBytes = <usize>outputs << 2;
  if (rows >= UNPACK_ROWS) {
    for (let first = from; first < to; first += UNPACK_OUTPUTS) {
      const count = min(to - first, UNPACK_OUTPUTS);
      const firstBytes = <usize>first << 2;
      unpack(unpacked, w, multipliers, octetMultipliers, outputs, inputs, first, count);
      linearQ8Into(out + firstBytes, outBytes, x, xScales, unpacked, wScales + firstBytes, rows, count, inputs, accumulate, sums, 0, count);
    }
    return;
  }
  const xBytes = <usize>inputs << 1;
  let done: u32 = 0;
  for (let tile = tileRowsInt4(rows); tile > 1; tile = tileRowsInt4(rows - done)) {
    tileOver(
      tile, out + <usize>done * outBytes, x + <usize>done * xBytes, xScales + (<usize>done << 2), w, multipliers, octetMultipliers, wScales, outputs, inputs,
      accumulate != 0, sums, from, to,
    );
    done += tile;
  }
  for (; done < rows; done++) {
    const at = out + <usize>done * outBytes;
    const scale = load<f32>(xScales + (<usize>done << 2));
    const xRow = x + <usize>done * xBytes;
    if (to - from == outputs) rowInt4(at, xRow, w, multipliers, octetMultipliers, wScales, scale, at + outBytes, inputs, accumulate != 0);
    else someOfRow(at, xRow, w, multipliers, octetMultipliers, wScales, scale, outputs, inputs, accumulate != 0, from, to);
  }
}

/** Columns `from` up to `to` of a row: spans of these weights do not lie one behind the other. */
function someOfRow(
  out: usize, x: usize, w: usize, multipliers: usize, octetMultipliers: usize, wScales: usize, scale: f32, outputs: u32, inputs: u32, accumulate: bool,
  from: u32, to: u32,
): void {
  const first = <usize>from << 2;
  const end = out + (<usize>to << 2);
  const some = multipliers + <usize>(from >> 3) * octetMultipliers;
  let columns: u32 = 0;
  for (let span: u32 = 0; span < inputs; span += columns) {
    columns = spanOf(inputs - span);
    const part = w + (<usize>(span * outputs + from * columns) >> 1);
    rowInt4(
      out + first, x + (<usize>span << 1), part, some + (<usize>(span / GROUP) << 3), octetMultipliers, wScales + first, scale, end, columns,
      accumulate || span > 0,
    );
  }
}

/** As linearInt4, for the rows of one tile: a chunk of w at a time, so that the sums stay in one page. */
function tileOver(
  tile: u32, out: usize, x: usize, xScales: usize, w: usize, multipliers: usize, octetMultipliers: usize, wScales: usize, outputs: u32, inputs: u32,
  accumulate: bool, sums: usize, first: u32, to: u32,
): void {
  const groups = to >> 2;
  for (let done = first >> 2; done < groups; done += CHUNK_GROUPS) {
    const count = min(groups - done, CHUNK_GROUPS);
    const chunkMultipliers = multipliers + <usize>(done >> 1) * octetMultipliers;
    let columns: u32 = 0;
    for (let from: u32 = 0; from < inputs; from += columns) {
      columns = spanOf(inputs - from);
      const part = w + (<usize>(from * outputs) >> 1) + <usize>(done >> 1) * <usize>(columns << 2);
      tileInt4(
        tile, x + (<usize>from << 1), <usize>inputs << 1, part, <usize>(columns << 2), chunkMultipliers + (<usize>(from / GROUP) << 3), octetMultipliers,
        sums, sums + (<usize>count << 4), columns,
      );
      for (let t: u32 = 0; t < tile; t++) {
        scaleRow(
          out + <usize>t * (<usize>outputs << 2) + (<usize>done << 4), sums + <usize>t * TILE_STRIDE, wScales + (<usize>done << 4),
          load<f32>(xScales + (<usize>t << 2)), count, accumulate || from > 0,
        );
      }
    }
  }
}
