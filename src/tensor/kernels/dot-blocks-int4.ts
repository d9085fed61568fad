/**
 * Writes the AssemblyScript of the dot products with int4 weights: one row of activations, or a tile of rows.
 *
 * A byte is 16 q + n, of one row's weight q and of another's, n = q' + 8; it is used twice, whole and without q:
 *   [16 q + n, …] load8x8_s, dot -> 16 Q + N        [16 q + n, …] load8x8_s, and 15, dot -> N        12 counted instructions for 16 products
 * Q = ((16 Q + N) - N) / 16 and Q' = N - 8 X, X being the sum of the activations, are then multiplied by their groups'
 * multipliers. A tile has both forms of the weights in locals, which its rows share: 8 counted instructions for 16
 * products, and a share of the loads.
 */
import { INT4_GROUP, TILE_STRIDE } from '../assembly/protocol.ts';
import { SPANS } from '../layout.ts';
import { blockwise, DOT, dotSum, groupPart, loadRow, range, weightPair } from './dot-sums.ts';

/** Pairs of columns that share a multiplier. */
const PER_GROUP = INT4_GROUP / 2;

/**
 * Rows of a tile, and its blocks of columns, largest first. With 16 rows and 32 columns, which would fill the locals as
 * well, a group of columns would be multiplied twice.
 */
const TILES = [
  { rows: 8, blocks: [64, 32, 16] },
  { rows: 4, blocks: [128, 64, 32, 16] },
  { rows: 2, blocks: [128, 64, 32, 16] },
];

/** First pairs of the groups within a block. */
const firstsOf = (pairs: number): number[] => range(Math.ceil(pairs / PER_GROUP)).map((g) => g * PER_GROUP);

/** Lines that make 8 X of each group of a row, `eight0`, `eight1`, … for the name `eight`. */
function eightsOf(name: string, x: string, pairs: number): string[] {
  return firstsOf(pairs).map((from, g) => {
    const dots = range(Math.min(PER_GROUP, pairs - from)).map(
      (p) => `${name}${g} = i32x4.add(${name}${g}, dot(${x}${from + p}, eights));`,
    );
    return `let ${name}${g} = i32x4.splat(0);\n  ${dots.join('\n  ')}`;
  });
}

/**
 * As rowBlock with int4 weights, an octet of rows a turn. Sums stay integers over the block: 512 * 8 * 15 * 8,191 <
 * 2^31. `start` is what a sum that is not added to anything begins with: -0, since -0 + y is y.
 */
function rowBlockInt4(columns: number): string {
  const pairs = columns / 2;
  const group = (from: number): string => {
    const g = from / PER_GROUP;
    const count = Math.min(PER_GROUP, pairs - from);
    const x = (p: number): string => `x${from + p}`;
    const w = (p: number): string => weightPair('Q8', from + p);
    return `{
    let later: v128;
    let earlier: v128;
    {
    ${dotSum(count, (p) => `v128.and(${w(p)}, low)`, x)}
    earlier = s;
    }
    {
    ${dotSum(count, w, x)}
    later = i32x4.shr_s(i32x4.sub(s, earlier), 4);
    }
    const m = v128.load_ext<i8>(multipliers, ${g * 8});
    a = i32x4.add(a, i32x4.mul(i32x4.sub(earlier, eight${g}), v128.extend_low<i16>(m)));
    b = i32x4.add(b, i32x4.mul(later, v128.extend_high<i16>(m)));
    }`;
  };
  const firsts = firstsOf(pairs);
  const eights = eightsOf('eight', 'x', pairs);
  const put = (sum: string, at: number): string => `{
    const y = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(${sum}), v128.load(scales, ${at})), scale);
    v128.store(out, f32x4.add(v128.bitselect(v128.load(out, ${at}), start, accumulate), y), ${at});
    }`;
  return `
function rowInt4_${columns}(out: usize, x: usize, w: usize, multipliers: usize, octetMultipliers: usize, scales: usize, scale: v128, end: usize, accumulate: v128): void {
  ${loadRow('x', pairs).join('\n  ')}
  const eights = i16x8.splat(8);
  const low = i16x8.splat(15);
  const start = f32x4.splat(-0.0);
  ${eights.join('\n  ')}
  do {
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    ${firsts.map(group).join('\n    ')}
    ${put('a', 0)}
    ${put('b', 16)}
    w += ${groupPart('Q8', columns)};
    multipliers += octetMultipliers;
    scales += 32;
    out += 32;
  } while (out < end);
}`;
}

/**
 * Rows of x in locals, and a group of an octet's weights at a time in both forms; sums of the rows' earlier and later
 * four weights stay integers.
 */
function tileBlock(rows: number, columns: number, add: boolean): string {
  const pairs = columns / 2;
  const loads = range(rows).flatMap((t) => [...loadRow(`x${t}_`, pairs), 'x += xBytes;']);
  const eights = range(rows).flatMap((t) => eightsOf(`eight${t}_`, `x${t}_`, pairs));
  const start = (t: number, half: 'a' | 'b'): string => {
    const at = t * TILE_STRIDE + (half === 'a' ? 0 : 16);
    return `let ${half}${t} = ${add ? `v128.load(sums, ${at})` : 'i32x4.splat(0)'};`;
  };
  const row = (t: number, from: number, count: number): string => {
    const x = (p: number): string => `x${t}_${from + p}`;
    return `{
    let earlier: v128;
    let later: v128;
    {
    ${dotSum(count, (p) => `n${p}`, x)}
    earlier = s;
    }
    {
    ${dotSum(count, (p) => `w${p}`, x)}
    later = i32x4.shr_s(i32x4.sub(s, earlier), 4);
    }
    a${t} = i32x4.add(a${t}, i32x4.mul(i32x4.sub(earlier, eight${t}_${from / PER_GROUP}), m0));
    b${t} = i32x4.add(b${t}, i32x4.mul(later, m1));
    }`;
  };
  const group = (from: number): string => {
    const count = Math.min(PER_GROUP, pairs - from);
    const weights = range(count).map(
      (p) => `const w${p} = ${weightPair('Q8', from + p)}; const n${p} = v128.and(w${p}, low);`,
    );
    return `{
    ${weights.join('\n    ')}
    const m = v128.load_ext<i8>(multipliers, ${(from / PER_GROUP) * 8});
    const m0 = v128.extend_low<i16>(m);
    const m1 = v128.extend_high<i16>(m);
    ${range(rows)
      .map((t) => row(t, from, count))
      .join('\n    ')}
    }`;
  };
  const each = (line: (t: number) => string): string => range(rows).map(line).join('\n    ');
  return `
function tileInt4_${rows}x${columns}${add ? 'Add' : ''}(x: usize, xBytes: usize, w: usize, octetBytes: usize, multipliers: usize, octetMultipliers: usize, sums: usize, end: usize): void {
  ${loads.join('\n  ')}
  const eights = i16x8.splat(8);
  const low = i16x8.splat(15);
  ${eights.join('\n  ')}
  do {
    ${each((t) => `${start(t, 'a')} ${start(t, 'b')}`)}
    ${firstsOf(pairs).map(group).join('\n    ')}
    ${each((t) => `v128.store(sums, a${t}, ${t * TILE_STRIDE}); v128.store(sums, b${t}, ${t * TILE_STRIDE + 16});`)}
    w += octetBytes;
    multipliers += octetMultipliers;
    sums += 32;
  } while (sums < end);
}`;
}

const rowFace = `
/**
 * out f32 [octets, 8] (+)= w x, times \`scales\` of the rows of w and \`scale\` of x, up to out = \`end\`; weights in
 * octets of rows (layout.ts). Columns a multiple of 16. Integer sums run over one block, blocks are added in float32,
 * where rowQ8's are.
 */
export function rowInt4(out: usize, x: usize, w: usize, multipliers: usize, octetMultipliers: usize, scales: usize, scale: f32, end: usize, columns: u32, add: bool): void {
  const s = f32x4.splat(scale);
  let done: u32 = 0;
  ${blockwise(
    SPANS,
    (c) => `
      rowInt4_${c}(out, x, w, multipliers + ((done / ${INT4_GROUP}) << 3), octetMultipliers, scales, s, end, i32x4.splat(add ? -1 : 0));
      columns -= ${c}; done += ${c}; x += ${c * 2}; w += ((end - out) >> 3) * ${c}; add = true;`,
  )}
}`;

function tileFace(): string {
  const tiles = TILES.map(({ rows, blocks }) => {
    const pass = `x, xBytes, w, octetBytes, multipliers + ((done / ${INT4_GROUP}) << 3), octetMultipliers, sums, end`;
    const loop = blockwise(
      blocks,
      (c) => `
      if (done) tileInt4_${rows}x${c}Add(${pass});
      else tileInt4_${rows}x${c}(${pass});
      columns -= ${c}; done += ${c}; x += ${c * 2}; w += ${groupPart('Q8', c)};`,
    );
    return `if (rows == ${rows}) ${loop}`;
  });
  return `
/**
 * sums i32 [octets, 8] for each of \`rows\` rows of x (as tileRowsInt4 says), ${TILE_STRIDE} bytes apart, = w x over
 * one span's columns.
 */
export function tileInt4(rows: u32, x: usize, xBytes: usize, w: usize, octetBytes: usize, multipliers: usize, octetMultipliers: usize, sums: usize, end: usize, columns: u32): void {
  let done: u32 = 0;
  ${tiles.join('\n  else ')}
}

/** Rows of the next tile, of so many that are left: 1 where none is full. */
export function tileRowsInt4(rows: u32): u32 {
  ${TILES.map(({ rows }) => `if (rows >= ${rows}) return ${rows};`).join('\n  ')}
  return 1;
}`;
}

/** The whole module's source, for `src/tensor/assembly/generated/dot-blocks-int4.ts`. */
export function dotBlocksInt4Source(): string {
  return [
    '// Generated by src/tensor/kernels/dot-blocks-int4.ts; not edited by hand.',
    DOT,
    ...SPANS.map(rowBlockInt4),
    ...TILES.flatMap(({ rows, blocks }) => blocks.flatMap((c) => [false, true].map((add) => tileBlock(rows, c, add)))),
    rowFace,
    tileFace(),
    '',
  ].join('\n');
}
