// y = x W^T with int8 weights and int16 activations: integer sums over spans of 512 columns, float32 from there on.
// The result does not depend on how rows and columns are cut into blocks: sums within a span are exact.

import { rowSums, tileSums } from '../generated/dot-blocks';
import { CHUNK_GROUPS as CHUNK_GROUPS_, SPAN as SPAN_, TILE_ROWS as TILE_ROWS_ } from '../protocol';

const CHUNK_GROUPS: u32 = CHUNK_GROUPS_;
const SPAN: u32 = SPAN_;
const TILE_ROWS: u32 = TILE_ROWS_;

/** out[4 g + r] (+)= sums[g, r] * scales[4 g + r] * scale */
function scaleRow(out: usize, sums: usize, scales: usize, scale: f32, groups: u32, accumulate: bool): void {
  const s = f32x4.splat(scale);
  const end = out + (<usize>groups << 4);
  if (accumulate) {
    for (; out < end; out += 16, sums += 16, scales += 16) {
      const y = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), v128.load(scales)), s);
      v128.store(out, f32x4.add(v128.load(out), y));
    }
  } else {
    for (; out < end; out += 16, sums += 16, scales += 16) {
      v128.store(out, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), v128.load(scales)), s));
    }
  }
}

/**
 * x int16 [rows, K] with scales f32 [rows], w int8 [F, K] in groups of four rows with scales f32 [F] -> out f32 [rows, F], added to what is
 * there where `accumulate` is set. K a multiple of 16, F of 4. sums: ACCUMULATOR_BYTES of scratch.
 */
export function linearQ8(
  out: usize, x: usize, xScales: usize, w: usize, wScales: usize, rows: u32, outputs: u32, inputs: u32, accumulate: u32, sums: usize,
): void {
  const groups = outputs >> 2;
  const groupBytes = <usize>inputs << 2;
  const xBytes = <usize>inputs << 1;
  const outBytes = <usize>outputs << 2;
  // rows of w in chunks, so that the sums stay in one page, and a chunk of w in the cache while every row of x passes over it
  for (let done: u32 = 0; done < groups; done += CHUNK_GROUPS) {
    const count = groups - done < CHUNK_GROUPS ? groups - done : CHUNK_GROUPS;
    const end = sums + (<usize>count << 4);
    const chunk = w + <usize>done * groupBytes;
    const chunkScales = wScales + (<usize>done << 4);
    let i: u32 = 0;
    while (i < rows) {
      const tile: u32 = rows - i >= TILE_ROWS ? TILE_ROWS : 1;
      const xRow = x + <usize>i * xBytes;
      for (let span: u32 = 0; span < inputs; span += SPAN) {
        const columns = inputs - span < SPAN ? inputs - span : SPAN;
        const xAt = xRow + (<usize>span << 1);
        const wAt = chunk + (<usize>span << 2);
        if (tile == 1) rowSums(xAt, wAt, groupBytes, sums, end, columns);
        else tileSums(xAt, xBytes, wAt, groupBytes, sums, end, columns);
        for (let t: u32 = 0; t < tile; t++) {
          const row = i + t;
          scaleRow(
            out + <usize>row * outBytes + (<usize>done << 4), sums + <usize>t * (CHUNK_GROUPS * 16), chunkScales,
            load<f32>(xScales + (<usize>row << 2)), count, accumulate != 0 || span > 0,
          );
        }
      }
      i += tile;
    }
  }
}
