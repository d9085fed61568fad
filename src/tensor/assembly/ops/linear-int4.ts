// y = x W^T with int4 weights (layout.ts). They stand for int8 weights exactly (int4.ts): few rows of activations go over them as they are, many over
// what they are unpacked to, and what comes out is the same to the bit, linear-q8's with those int8 weights.

import { rowInt4, spanOf } from '../generated/dot-blocks';
import { INT4_GROUP as INT4_GROUP_, INT4_UNPACK_ROWS as INT4_UNPACK_ROWS_ } from '../protocol';
import { linearQ8 } from './linear-q8';

const GROUP: u32 = INT4_GROUP_;
const UNPACK_ROWS: u32 = INT4_UNPACK_ROWS_;

/**
 * Two weights a lane times |m| or -|m|: a weight q is (n ^ flips) - 8, n being a nibble. For m > 0 q m is n m - 8 m; for m < 0 n is flipped to 15 - n
 * and q m is n |m| - 7 |m|. A byte's product is at most 15 * 15, so that the two of a lane do not touch. Subtracted is `less`, 8 |m| or 7 |m|.
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

/** w int4 [outputs, inputs] -> out int8, in groups of four rows (layout.ts). */
function unpack(out: usize, w: usize, multipliers: usize, octetMultipliers: usize, outputs: u32, inputs: u32): void {
  let columns: u32 = 0;
  for (let from: u32 = 0; from < inputs; from += columns) {
    columns = spanOf(inputs - from);
    const before = <usize>(from * outputs);
    unpackSpan(out + before, w + (before >> 1), multipliers + (<usize>(from / GROUP) << 3), octetMultipliers, outputs, columns);
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
 * x int16 [rows, K] with scales f32 [rows], w int4 [F, K] -> out f32 [rows, F], added to what is there where `accumulate` is set. K and F multiples
 * of 16. sums: ACCUMULATOR_BYTES, unpacked: F * K bytes of scratch, untouched by less than INT4_UNPACK_ROWS rows.
 */
export function linearInt4(
  out: usize, x: usize, xScales: usize, w: usize, multipliers: usize, wScales: usize, rows: u32, outputs: u32, inputs: u32, accumulate: u32,
  sums: usize, unpacked: usize,
): void {
  const octetMultipliers = <usize>((inputs + GROUP - 1) / GROUP) << 3;
  if (rows >= UNPACK_ROWS) {
    unpack(unpacked, w, multipliers, octetMultipliers, outputs, inputs);
    linearQ8(out, x, xScales, unpacked, wScales, rows, outputs, inputs, accumulate, sums);
    return;
  }
  const outBytes = <usize>outputs << 2;
  for (let row: u32 = 0; row < rows; row++) {
    const at = out + <usize>row * outBytes;
    const scale = load<f32>(xScales + (<usize>row << 2));
    rowInt4(
      at, x + <usize>row * (<usize>inputs << 1), w, multipliers, octetMultipliers, wScales, scale, at + outBytes, inputs,
      accumulate != 0,
    );
  }
}
