/**
 * Writes the AssemblyScript that multiplies blocks of matrices by V. Strassen's algorithm (Gaussian elimination is not
 * optimal, Numerische Mathematik 13, 1969): seven products of sums of blocks in place of eight products, and the same
 * again within each of the seven: 49 in place of 64. Sums are integers modulo 2^32, exact in any order, so what comes
 * out is the same to the bit as without it.
 *
 *   x  [64, K] int16 as 4 x 4 blocks [16, K / 4]     --splitX-->  49 sums of up to four of them  \
 *                                                                                                 > 49 products, by the
 *                                                                                                 tiles of
 *                                                                                                 dot-blocks.ts
 *   w^T [K, F] int8 as 4 x 4 blocks [K / 4, F / 4]   --splitW-->  49 sums, seven at a time       /            |
 *                                                                                                            join
 *   out [64, F] float32 as 4 x 4 blocks [16, F / 4]  <--------------------------------------------------------+
 *
 * A sum of four activations must stay an int16: that is what ACTIVATION_MAX leaves room for. Why generated: a line for
 * each block and each sum.
 */
import { SPLIT_BLOCKS, SPLIT_SUMS, SPLIT_W, SPLIT_X, TILE_ROWS, TILE_STRIDE } from '../assembly/protocol.ts';

/** What each of the seven products takes of its operands' quarters, 11, 12, 21, 22. Nothing takes more than two. */
const OF_X = [
  [1, 0, 0, 1],
  [0, 0, 1, 1],
  [1, 0, 0, 0],
  [0, 0, 0, 1],
  [1, 1, 0, 0],
  [-1, 0, 1, 0],
  [0, 1, 0, -1],
];
const OF_W = [
  [1, 0, 0, 1],
  [1, 0, 0, 0],
  [0, 1, 0, -1],
  [-1, 0, 1, 0],
  [0, 0, 0, 1],
  [1, 1, 0, 0],
  [0, 0, 1, 1],
];
/** What each quarter of the result takes of the seven products. */
const OF_PRODUCTS = [
  [1, 0, 0, 1, -1, 0, 1],
  [0, 0, 1, 0, 1, 0, 0],
  [0, 1, 0, 1, 0, 0, 0],
  [1, -1, 1, 0, 0, 1, 0],
];
const SEVEN = OF_X.length;

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const BLOCKS = range(SPLIT_BLOCKS);

/** Names of vectors, a block's each, by row and column of blocks. */
type Grid = readonly (readonly string[])[];

const gridOf = (size: number, name: (row: number, column: number) => string): Grid =>
  range(size).map((r) => range(size).map((c) => name(r, c)));

/** 11, 12, 21, 22 */
function quarters(grid: Grid): Grid[] {
  const half = grid.length / 2;
  return [0, half].flatMap((r) => [0, half].map((c) => gridOf(half, (i, j) => grid[r + i]![c + j]!)));
}

/** Lines of code in the making. */
class Lines {
  readonly lines: string[] = [];

  constructor(private readonly lanes: 'i16x8' | 'i32x4') {}

  name(value: string): string {
    const name = `v${this.lines.length}`;
    this.lines.push(`const ${name} = ${value};`);
    return name;
  }

  /** The sum of grids, each times 1, -1 or 0. */
  sum(grids: readonly Grid[], factors: readonly number[]): Grid {
    const taken = (factor: number): Grid[] => grids.filter((_, i) => factors[i] === factor);
    const [plus, minus] = [taken(1), taken(-1)];
    return gridOf(grids[0]!.length, (r, c) => {
      const added = plus.map((grid) => grid[r]![c]!).reduce((a, b) => `${this.lanes}.add(${a}, ${b})`);
      const sum = minus.reduce((a, grid) => `${this.lanes}.sub(${a}, ${grid[r]![c]})`, added);
      return sum === added && plus.length === 1 ? sum : this.name(sum);
    });
  }

  text(): string {
    return this.lines.join('\n    ');
  }
}

/**
 * The blocks that the products of a grid take, one after another; the lines that make a block are written before it is
 * given.
 */
function* operands(grid: Grid, of: readonly number[][], code: Lines): Generator<string> {
  if (grid.length === 1) yield grid[0]![0]!;
  else for (const factors of of) yield* operands(code.sum(quarters(grid), factors), of, code);
}

/** Stores each operand as soon as it is made, `stride` bytes apart. */
function storeOperands(grid: Grid, of: readonly number[][], stride: number, code: Lines): void {
  let at = 0;
  for (const block of operands(grid, of, code)) {
    code.lines.push(`v128.store(to, ${block}, ${at});`);
    at += stride;
  }
}

/** The grid that products come to, which `take` gives in their order. */
function results(size: number, code: Lines, take: () => string): Grid {
  if (size === 1) return [[take()]];
  const products = range(SEVEN).map(() => results(size / 2, code, take));
  const [q11, q12, q21, q22] = OF_PRODUCTS.map((factors) => code.sum(products, factors));
  const beside = (left: Grid, right: Grid): Grid => left.map((row, r) => [...row, ...right[r]!]);
  return [...beside(q11!, q12!), ...beside(q21!, q22!)];
}

/** `+ o2`: the third block along. */
const off = (block: number): string => (block ? ` + o${block}` : '');
const offsets = (bytes: string): string =>
  BLOCKS.slice(1)
    .map((i) => `const o${i} = ${bytes} * ${i};`)
    .join('\n  ');

function splitX(): string {
  const code = new Lines('i16x8');
  const grid = gridOf(SPLIT_BLOCKS, (r, k) => code.name(`v128.load(x${r}${off(k)})`));
  storeOperands(grid, OF_X, SPLIT_X, code);
  return `
/**
 * All 49 operands, sums int16 [16, columns], SPLIT_X bytes apart, of 64 rows of x, \`xBytes\` apart, with 4 * columns.
 */
export function splitX(to: usize, x: usize, xBytes: usize, columns: usize): void {
  ${offsets('(columns << 1)')}
  for (let t = 0; t < ${TILE_ROWS}; t++) {
    ${BLOCKS.map((r) => `let x${r} = x + xBytes * ${TILE_ROWS * r};`).join('\n    ')}
    for (const end = x + (columns << 1); x0 < end; to += 16) {
    ${code.text()}
    ${BLOCKS.map((r) => `x${r} += 16;`).join(' ')}
    }
    x += xBytes;
  }
}`;
}

/** The seven operands within the one that is called `outer`, which takes one quarter of w or two. */
function splitWOf(outer: number): string {
  const code = new Lines('i16x8');
  const taken = quarters(gridOf(SPLIT_BLOCKS, (k, f) => `v128.load_ext<i8>(w${f}${off(k)})`))
    .map((part, q) => ({ part, factor: OF_W[outer]![q]! }))
    .filter(({ factor }) => factor !== 0);
  const loaded = taken.map(({ part }) => gridOf(part.length, (k, f) => code.name(part[k]![f]!)));
  const factors = taken.map(({ factor }) => factor);
  storeOperands(code.sum(loaded, factors), OF_W, SPLIT_W, code);
  const text = code.text();
  const pointers = BLOCKS.map((f) => `w${f}`).filter((name) => text.includes(`(${name}`));
  const [first] = pointers;
  return `
function splitW${outer}(to: usize, w: usize, groups: usize, columns: usize): void {
  ${offsets('(columns << 2)')}
  const block = groups * columns * ${4 * SPLIT_BLOCKS};
  ${pointers.map((name) => `let ${name} = w + block * ${name.slice(1)};`).join('\n  ')}
  for (let g: usize = 0; g < groups; g++) {
    for (const end = ${first} + (columns << 2); ${first} < end; to += 16) {
    ${text}
    ${pointers.map((name) => `${name} += 8;`).join(' ')}
    }
    ${pointers.map((name) => `${name} += o${SPLIT_BLOCKS - 1};`).join(' ')}
  }
}`;
}

const splitWFace = `
/**
 * The seven operands from the one on that is \`7 * outer\`: sums int16 [groups, columns, 4], SPLIT_W bytes apart, of
 * 4 * groups of w with 4 * columns.
 */
export function splitW(outer: u32, to: usize, w: usize, groups: usize, columns: usize): void {
  ${range(SEVEN)
    .map((p) => `if (outer == ${p}) splitW${p}(to, w, groups, columns);`)
    .join('\n  else ')}
}`;

const multiply = `
/** Products of seven operands each: sums i32 [16, groups, 4], SPLIT_SUMS bytes apart. */
export function multiplySeven(sums: usize, x: usize, w: usize, groups: usize, columns: usize): void {
  for (const end = sums + ${SPLIT_SUMS * SEVEN}; sums < end; sums += ${SPLIT_SUMS}) {
    tileQ16(${TILE_ROWS}, x, columns << 1, w, columns << 3, sums, sums + (groups << 4), <u32>columns, false);
    x += ${SPLIT_X};
    w += ${SPLIT_W};
  }
}`;

function joinRow(add: boolean): string {
  const code = new Lines('i32x4');
  let product = 0;
  const take = (): string => {
    const [outer, inner] = [Math.floor(product / SEVEN), product++ % SEVEN];
    return code.name(`v128.load(sums, ${outer * TILE_ROWS * TILE_STRIDE + inner * SPLIT_SUMS})`);
  };
  const grid = results(SPLIT_BLOCKS, code, take);
  const scales = BLOCKS.map((f) => code.name(`v128.load(scales${off(f)})`));
  for (const r of BLOCKS) {
    for (const f of BLOCKS) {
      const at = `out${r}${off(f)}`;
      const y = `f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(${grid[r]![f]}), ${scales[f]}), s${r})`;
      code.lines.push(`v128.store(${at}, ${add ? `f32x4.add(v128.load(${at}), ${y})` : y});`);
    }
  }
  const rows = BLOCKS.map((r) => `out${r}: usize, s${r}: v128`).join(', ');
  return `
function joinRow${add ? 'Add' : ''}(${rows}, sums: usize, scales: usize, blockBytes: usize): void {
  ${offsets('blockBytes')}
  for (const end = sums + blockBytes; sums < end; sums += 16) {
    ${code.text()}
    scales += 16;
    ${BLOCKS.map((r) => `out${r} += 16;`).join(' ')}
  }
}`;
}

function joinFace(): string {
  const rows = BLOCKS.map(
    (r) => `out + outBytes * ${TILE_ROWS * r}, v128.load32_splat(xScales, ${TILE_ROWS * r * 4})`,
  ).join(', ');
  return `
/**
 * out f32 [64, 4 * groups of w], rows \`outBytes\` apart, (+)= what 49 products come to, times \`scales\` of w and
 * \`xScales\` of x.
 */
export function join(out: usize, outBytes: usize, sums: usize, scales: usize, xScales: usize, groups: usize, add: bool): void {
  for (let t = 0; t < ${TILE_ROWS}; t++) {
    if (add) joinRowAdd(${rows}, sums, scales, groups << 4);
    else joinRow(${rows}, sums, scales, groups << 4);
    out += outBytes;
    sums += ${TILE_STRIDE};
    xScales += 4;
  }
}`;
}

/** The whole module's source, for `src/tensor/assembly/generated/strassen.ts`. */
export function strassenSource(): string {
  return [
    '// Generated by src/tensor/kernels/strassen.ts; not edited by hand.',
    "import { tileQ16 } from './dot-blocks';",
    splitX(),
    ...range(SEVEN).map(splitWOf),
    splitWFace,
    multiply,
    joinRow(false),
    joinRow(true),
    joinFace(),
    '',
  ].join('\n');
}
