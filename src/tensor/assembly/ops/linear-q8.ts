// y = x W^T with int8 weights and int16 activations: integer sums over spans of at most 512 columns, float32 from there
// on. Where spans end depends on the count of columns alone (spanOf), so results do not depend on how many rows there
// are.

import { rowQ8, spanOf, tileQ8, tileRowsQ8 } from '../generated/dot-blocks';
import { fetch } from '../fetch';
import { CHUNK_GROUPS as CHUNK_GROUPS_, TILE_STRIDE as TILE_STRIDE_ } from '../protocol';
import { linearSplit, SPLIT_ROWS } from './linear-q8-split';

const CHUNK_GROUPS: u32 = CHUNK_GROUPS_;
/**
 * From so many rows on, a chunk of weights is fetched before it is used: 0.3% of its instructions then, 7% of its time
 * where the weights come from memory.
 */
const FETCH_ROWS: u32 = 32;
const TILE_STRIDE: usize = TILE_STRIDE_;

/** sums * scales * s */
// @ts-ignore: AssemblyScript's decorator
@inline
function scaled(sums: usize, scales: usize, s: v128, at: usize): v128 {
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums + at)), v128.load(scales + at)), s);
}

/** out[4 g + r] (+)= sums[g, r] * scales[4 g + r] * scale; groups a multiple of four. */
export function scaleRow(out: usize, sums: usize, scales: usize, scale: f32, groups: u32, accumulate: bool): void {
  const s = f32x4.splat(scale);
  for (const end = out + (<usize>groups << 4); out < end; out += 64, sums += 64, scales += 64) {
    if (accumulate) {
      v128.store(out, f32x4.add(v128.load(out), scaled(sums, scales, s, 0)));
      v128.store(out, f32x4.add(v128.load(out, 16), scaled(sums, scales, s, 16)), 16);
      v128.store(out, f32x4.add(v128.load(out, 32), scaled(sums, scales, s, 32)), 32);
      v128.store(out, f32x4.add(v128.load(out, 48), scaled(sums, scales, s, 48)), 48);
    } else {
      v128.store(out, scaled(sums, scales, s, 0));
      v128.store(out, scaled(sums, scales, s, 16), 16);
      v128.store(out, scaled(sums, scales, s, 32), 32);
      v128.store(out, scaled(sums, scales, s, 48), 48);
    }
  }
}

/**
 * x int16 [rows, K] with scales f32 [rows], w int8 [F, K] in groups of four rows, span by span (layout.ts), with scales
 * f32 [F] -> columns `from` up to `to` of out f32 [rows, F], added to what is there where `accumulate` is set. K and F
 * multiples of 16, from and to as well. sums: ACCUMULATOR_BYTES of scratch, untouched where no tile of rows is full.
 */
export function linearQ8(
  out: usize, x: usize, xScales: usize, w: usize, wScales: usize, rows: u32, outputs: u32, inputs: u32, accumulate: u32, sums: usize, from: u32, to: u32,
): void {
  linearQ8Into(out, <usize>outputs << 2, x, xScales, w, wScales, rows, outputs, inputs, accumulate, sums, from, to);
}

/** linearQ8 into rows that are `outBytes` apart. */
export function linearQ8Into(
  out: usize, outBytes: usize, x: usize, xScales: usize, w: usize, wScales: usize, rows: u32, outputs: u32, inputs: u32, accumulate: u32, sums: usize,
  from: u32, to: u32,
): void {
  if (rows >= SPLIT_ROWS) {
    const split = linearSplit(out, outBytes, x, xScales, w, wScales, rows, outputs, inputs, accumulate != 0, sums, from, to);
    rows -= split;
    out += <usize>split * outBytes;
    x += <usize>split * inputs << 1;
    xScales += <usize>split << 2;
  }
  const groups = to >> 2;
  const xBytes = <usize>inputs << 1;
  let tiled: u32 = 0;
  // rows of w in chunks, so that the sums stay in one page, and a chunk of w in the cache while every tile of x passes
  // over it
  for (let done = from >> 2; done < groups; done += CHUNK_GROUPS) {
    const count = groups - done < CHUNK_GROUPS ? groups - done : CHUNK_GROUPS;
    const end = sums + (<usize>count << 4);
    const chunkScales = wScales + (<usize>done << 4);
    tiled = 0;
    for (let tile = tileRowsQ8(rows); tile > 1; tile = tileRowsQ8(rows - tiled)) {
      let span: u32 = 0;
      while (span < inputs) {
        const columns = spanOf(inputs - span);
        const groupBytes = <usize>columns << 2;
        const part = w + <usize>(span * outputs) + <usize>done * groupBytes;
        if (tiled == 0 && rows >= FETCH_ROWS) fetch(part, part + <usize>count * groupBytes);
        tileQ8(tile, x + <usize>tiled * xBytes + (<usize>span << 1), xBytes, part, groupBytes, sums, end, columns, false);
        for (let t: u32 = 0; t < tile; t++) {
          const row = tiled + t;
          scaleRow(
            out + <usize>row * outBytes + (<usize>done << 4), sums + <usize>t * TILE_STRIDE, chunkScales,
            load<f32>(xScales + (<usize>row << 2)), count, accumulate != 0 || span > 0,
          );
        }
        span += columns;
      }
      tiled += tile;
    }
  }
  for (let row = tiled; row < rows; row++) {
    const at = out + <usize>row * outBytes;
    const scale = load<f32>(xScales + (<usize>row << 2));
    const xRow = x + <usize>row * xBytes;
    if (to - from == outputs) rowQ8(at, xRow, w, wScales, scale, at + (<usize>outputs << 2), inputs, accumulate != 0);
    else someOfRow(at, xRow, w, wScales, scale, outputs, inputs, accumulate != 0, from, to);
  }
}

/** Columns `from` up to `to` of a row: spans of these weights do not lie one behind the other. */
function someOfRow(
  out: usize, x: usize, w: usize, wScales: usize, scale: f32, outputs: u32, inputs: u32, accumulate: bool, from: u32, to: u32,
): void {
  const first = <usize>from << 2;
  const end = out + (<usize>to << 2);
  let columns: u32 = 0;
  for (let span: u32 = 0; span < inputs; span += columns) {
    columns = spanOf(inputs - span);
    const part = w + <usize>(span * outputs) + <usize>(from * columns);
    rowQ8(out + first, x + (<usize>span << 1), part, wScales + first, scale, end, columns, accumulate || span > 0);
  }
}
