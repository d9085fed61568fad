// y = x W^T with int4 weights (layout.ts). They stand for int8 weights exactly (int4.ts): few rows of activations go over them as they are, many over
// what they are unpacked to, and what comes out is the same to the bit, linear-q8's with those int8 weights.

import { rowInt4 } from '../generated/dot-blocks';
import { INT4_GROUP as INT4_GROUP_, INT4_UNPACK_ROWS as INT4_UNPACK_ROWS_ } from '../protocol';
import { linearQ8 } from './linear-q8';

const GROUP: u32 = INT4_GROUP_;
const UNPACK_ROWS: u32 = INT4_UNPACK_ROWS_;

/** Eight bytes at `w` -> the earlier rows' weights, int16, times `multipliers`. */
// @ts-ignore: AssemblyScript's decorator
@inline
function earlier(w: usize, at: usize, multipliers: v128): v128 {
  return i16x8.mul(i16x8.sub(v128.and(v128.load_ext<i8>(w + at), i16x8.splat(15)), i16x8.splat(8)), multipliers);
}

/** The later rows'. */
// @ts-ignore: AssemblyScript's decorator
@inline
function later(w: usize, at: usize, multipliers: v128): v128 {
  return i16x8.mul(i16x8.shr_s(v128.load_ext<i8>(w + at), 4), multipliers);
}

/** w int4 [outputs, inputs] -> out int8, in groups of four rows (layout.ts). */
function unpack(out: usize, w: usize, multipliers: usize, outputs: u32, inputs: u32): void {
  const fourBytes = <usize>inputs << 2;
  for (let octets = outputs >> 3; octets > 0; octets -= 1) {
    for (let left = inputs; left > 0; multipliers += 8) {
      const columns = left < GROUP ? left : GROUP;
      left -= columns;
      const m = v128.load_ext<i8>(multipliers);
      // each row's twice, as its columns come in pairs
      const first = v128.shuffle<i16>(m, m, 0, 0, 1, 1, 2, 2, 3, 3);
      const second = v128.shuffle<i16>(m, m, 4, 4, 5, 5, 6, 6, 7, 7);
      for (const end = w + (<usize>columns << 2); w < end; w += 32, out += 32) {
        v128.store(out, i8x16.narrow_i16x8_s(earlier(w, 0, first), earlier(w, 8, first)));
        v128.store(out, i8x16.narrow_i16x8_s(earlier(w, 16, first), earlier(w, 24, first)), 16);
        v128.store(out + fourBytes, i8x16.narrow_i16x8_s(later(w, 0, second), later(w, 8, second)));
        v128.store(out + fourBytes, i8x16.narrow_i16x8_s(later(w, 16, second), later(w, 24, second)), 16);
      }
    }
    out += fourBytes;
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
  if (rows >= UNPACK_ROWS) {
    unpack(unpacked, w, multipliers, outputs, inputs);
    linearQ8(out, x, xScales, unpacked, wScales, rows, outputs, inputs, accumulate, sums);
    return;
  }
  const outBytes = <usize>outputs << 2;
  const octetMultipliers = <usize>((inputs + GROUP - 1) / GROUP) << 3;
  for (let row: u32 = 0; row < rows; row++) {
    const at = out + <usize>row * outBytes;
    const scale = load<f32>(xScales + (<usize>row << 2));
    rowInt4(
      at, x + <usize>row * (<usize>inputs << 1), w, <usize>inputs << 2, multipliers, octetMultipliers, wScales, scale, at + outBytes, inputs,
      accumulate != 0,
    );
  }
}
