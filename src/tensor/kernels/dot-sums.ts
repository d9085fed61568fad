/** What the writers of dot products share (dot-blocks.ts, dot-blocks-int4.ts): pieces of AssemblyScript. */

/** int8 weights, or int16 */
export type Kind = 'Q8' | 'Q16';

export const DOT = `// @ts-ignore: AssemblyScript's decorator
@inline
function dot(a: v128, b: v128): v128 { return i32x4.dot_i16x8_s(a, b); }`;

export const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** The pair of columns `pair` of the group at `w`, as eight int16. */
export const weightPair = (kind: Kind, pair: number): string =>
  kind === 'Q8' ? `v128.load_ext<i8>(w, ${pair * 8})` : `v128.load(w, ${pair * 16})`;

/** Bytes of a group's columns. */
export const groupPart = (kind: Kind, columns: number): number => columns * (kind === 'Q8' ? 4 : 8);

/** Pairs of columns of x as locals, `x0`, `x1`, … for the name `x`. */
export const loadRow = (name: string, pairs: number): string[] =>
  range(pairs).map((p) => `const ${name}${p} = v128.load32_splat(x, ${p * 4});`);

/** A chain of additions that the compiler keeps on the operand stack, from pair `first` on and round. */
export function dotSum(
  pairs: number,
  weight: (pair: number) => string,
  x: (pair: number) => string,
  first = 0,
): string {
  const round = range(pairs).map((i) => (first + i) % pairs);
  const lines = round.map((p, i) =>
    i === 0 ? `let s = dot(${weight(p)}, ${x(p)});` : `s = i32x4.add(s, dot(${weight(p)}, ${x(p)}));`,
  );
  return lines.join('\n    ');
}

/** Goes on from block to block, the largest that fits first. */
export const blockwise = (blocks: readonly number[], step: (columns: number) => string): string =>
  `while (columns) {
    ${blocks.map((c) => `if (columns >= ${c}) { ${step(c)} }`).join(' else ')}
  }`;
