/**
 * Writes the AssemblyScript of the integer dot products, one function for each block size, fully unrolled.
 * Why generated: the activations of a block sit in locals, and Wasm has no arrays of locals.
 *
 *   weights of a group of four rows r, two columns a load:      activations, one pair of columns splat:
 *   [r0k0 r0k1 r1k0 r1k1 r2k0 r2k1 r3k0 r3k1] load8x8_s         [xk0 xk1 xk0 xk1 xk0 xk1 xk0 xk1] load32_splat
 *                              i32x4.dot_i16x8_s  ->  [r0 r1 r2 r3] partial sums: no lane is ever shuffled
 *
 * One row of x: 5 counted instructions for 8 products. A tile of rows holds the weights in locals as well: 4 and a
 * share of the loads. Keys and values stand for weights too, as int16 (assembly/ops/append-kv.ts): the same with
 * v128.load.
 */
import { TILE_STRIDE } from '../assembly/protocol.ts';
import { SPANS } from '../layout.ts';
import { blockwise, DOT, dotSum, groupPart, type Kind, loadRow, range, weightPair } from './dot-sums.ts';

interface Tile {
  rows: number;
  /**
   * Rows between two branches. V8 brings the sums of a straight line of code abreast, one product of each at a time,
   * and with more than these it runs out of registers.
   */
  abreast: number[];
  /**
   * Where a sum is added to one in memory, each row comes three products behind the next one. By about so many earlier
   * it begins in its round of the columns, so that all rows need a pair of weights at the same time, while it is in a
   * register: 1.22 loads a product, not 1.6. What is best was found by trying.
   */
  lag: number;
  /** Blocks of columns, largest first. */
  blocks: number[];
}
/** The same where a sum is stored as it is: one product behind. */
const LAG_OF_FIRST = 1;

/**
 * Largest first; int8 weights have one for any rest from three rows on. The largest have 512 products a turn: with
 * twice as many a tile took half as long again in V8, as its code outgrows what the processor keeps decoded.
 */
const TILES: Record<Kind, Tile[]> = {
  Q8: [
    { rows: 16, abreast: [5, 5, 6], lag: 3, blocks: [64, 16] },
    { rows: 8, abreast: [4, 4], lag: 2, blocks: [128, 64, 16] },
    { rows: 7, abreast: [4, 3], lag: 2, blocks: [128, 16] },
    { rows: 6, abreast: [3, 3], lag: 2, blocks: [128, 16] },
    { rows: 5, abreast: [5], lag: 2, blocks: [128, 16] },
    { rows: 4, abreast: [4], lag: 2, blocks: [256, 64, 16] },
    { rows: 3, abreast: [3], lag: 2, blocks: [128, 16] },
  ],
  Q16: [
    // products of Strassen's algorithm have 128 columns at most (strassen.ts)
    { rows: 16, abreast: [4, 4, 4, 4], lag: 2, blocks: [128, 64, 32, 16] },
    { rows: 8, abreast: [4, 4], lag: 2, blocks: [64, 16] },
    { rows: 4, abreast: [4], lag: 2, blocks: [64, 16] },
    { rows: 1, abreast: [1], lag: 0, blocks: [128, 64, 32, 16] },
  ],
};
/** What is never zero inside a tile: a branch on it each. */
const NEVER_ZERO = ['w', 'sums', 'groupBytes'];

/** One row of x in locals; all groups of weights pass, two a turn, and leave as float32. */
function rowBlock(columns: number, accumulate: boolean): string {
  const pairs = columns / 2;
  const loads = loadRow('x', pairs);
  const group = (at: number): string => `{
    ${dotSum(
      pairs,
      (p) => weightPair('Q8', p),
      (p) => `x${p}`,
    )}
    const y = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s), v128.load(scales, ${at})), scale);
    v128.store(out, ${accumulate ? `f32x4.add(v128.load(out, ${at}), y)` : 'y'}, ${at});
    w += ${groupPart('Q8', columns)};
    }`;
  return `
function row${columns}${accumulate ? 'Add' : ''}(out: usize, x: usize, w: usize, scales: usize, scale: v128, end: usize): void {
  ${loads.join('\n  ')}
  do {
    ${group(0)}
    ${group(16)}
    scales += 32;
    out += 32;
  } while (out < end);
}`;
}

/**
 * Rows of x in locals; the first one's sum loads a group's weights, which the other rows find in locals. Measured in
 * V8 11.3 on a Zen 4, 16 rows of 64 columns, by itself, in G MAC/s: 21 without branches and lag, 34 without the lag, 42
 * as it is; the same in assembly by hand 45; multiply and add alone, all in registers, 48.
 */
function tileBlock(kind: Kind, { rows, abreast, lag }: Tile, columns: number, add: boolean): string {
  const pairs = columns / 2;
  const loads = range(rows).flatMap((t) => [...loadRow(`x${t}_`, pairs), 'x += xBytes;']);
  const sum = (t: number, behind: number): string => {
    const at = t * TILE_STRIDE;
    const first = pairs - ((behind * (add ? lag : LAG_OF_FIRST)) % pairs);
    return `{
    ${dotSum(
      pairs,
      (p) => `w${p}`,
      (p) => `x${t}_${p}`,
      first,
    )}
    v128.store(sums, ${add ? `i32x4.add(s, v128.load(sums, ${at}))` : 's'}, ${at});
    }`;
  };
  let done = 0;
  const sums = abreast.map((count) => {
    const from = done;
    done += count;
    return range(count)
      .map((i) => sum(from + i, count - 1 - i))
      .join('\n    ');
  });
  const branches = NEVER_ZERO.map((name) => `\n    if (!${name}) break;\n    `);
  return `
function tile${kind}_${rows}x${columns}${add ? 'Add' : ''}(x: usize, xBytes: usize, w: usize, groupBytes: usize, sums: usize, end: usize): void {
  ${loads.join('\n  ')}
  do {
    ${range(pairs)
      .map((p) => `const w${p} = ${weightPair(kind, p)};`)
      .join('\n    ')}
    ${sums.map((some, i) => (i ? branches[i - 1] : '') + some).join('')}
    w += groupBytes;
    sums += 16;
  } while (sums < end);
}`;
}

const rowFace = `
/**
 * out f32 [groups, 4] (+)= w x, times \`scales\` of the rows of w and \`scale\` of x; an even number of groups up to
 * out = \`end\`. Columns a multiple of 16. Integer sums run over one block, blocks are added in float32: spanOf says
 * where they end.
 */
export function rowQ8(out: usize, x: usize, w: usize, scales: usize, scale: f32, end: usize, columns: u32, accumulate: bool): void {
  const s = f32x4.splat(scale);
  ${blockwise(
    SPANS,
    (c) => `
      if (accumulate) row${c}Add(out, x, w, scales, s, end);
      else row${c}(out, x, w, scales, s, end);
      columns -= ${c}; x += ${c * 2}; w += ((end - out) >> 2) * ${c}; accumulate = true;`,
  )}
}

/** Columns of the next block, of so many that are left. */
export function spanOf(columns: u32): u32 {
  ${SPANS.slice(0, -1)
    .map((c) => `if (columns >= ${c}) return ${c};`)
    .join('\n  ')}
  return ${SPANS.at(-1)};
}`;

function tileFace(kind: Kind): string {
  const pass = 'x, xBytes, w, groupBytes, sums, end';
  const tiles = TILES[kind].map(({ rows, blocks }) => {
    const loop = blockwise(
      blocks,
      (c) => `
      if (add) tile${kind}_${rows}x${c}Add(${pass});
      else tile${kind}_${rows}x${c}(${pass});
      columns -= ${c}; x += ${c * 2}; w += ${groupPart(kind, c)}; add = true;`,
    );
    return `if (rows == ${rows}) ${loop}`;
  });
  return `
/**
 * sums i32 [groups, 4] for each of \`rows\` rows of x (as tileRows${kind} says), ${TILE_STRIDE} bytes apart, (+)= w x;
 * columns a multiple of 16.
 */
export function tile${kind}(rows: u32, x: usize, xBytes: usize, w: usize, groupBytes: usize, sums: usize, end: usize, columns: u32, add: bool): void {
  ${tiles.join('\n  else ')}
}`;
}

const tileRowsFace = (kind: Kind): string => `
/** Rows of the next tile, of so many that are left: 1 where none is full. */
export function tileRows${kind}(rows: u32): u32 {
  ${TILES[kind].map(({ rows }) => `if (rows >= ${rows}) return ${rows};`).join('\n  ')}
  return 1;
}`;

/** The whole module's source, for `src/tensor/assembly/generated/dot-blocks.ts`. */
export function dotBlocksSource(): string {
  const either = [false, true];
  const kinds: Kind[] = ['Q8', 'Q16'];
  const tiles = kinds.flatMap((kind) =>
    TILES[kind].flatMap((tile) => tile.blocks.flatMap((c) => either.map((add) => tileBlock(kind, tile, c, add)))),
  );
  return [
    '// Generated by src/tensor/kernels/dot-blocks.ts; not edited by hand.',
    DOT,
    ...SPANS.flatMap((c) => either.map((accumulate) => rowBlock(c, accumulate))),
    ...tiles,
    rowFace,
    ...kinds.map(tileFace),
    ...kinds.map(tileRowsFace),
    '',
  ].join('\n');
}
