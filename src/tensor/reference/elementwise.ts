/**
 * Norms, activations, sums and rotations, in plain TypeScript: the meaning of
 * assembly/ops/{rms-norm,activate,scale,add,rotate}.ts.
 */
import * as p from '../assembly/protocol.ts';
import { ROW_BYTES, ROW_POSITION, ROW_WORDS } from '../assembly/row-table.ts';
import type { OpArgs } from '../ops.ts';
import type { Memory } from './memory.ts';

export function rmsNorm(m: Memory, { out, x, w, rows, cols, width, epsilon }: OpArgs<'rmsNorm'>): void {
  const weight = m.floats(w, cols);
  for (let i = 0; i < rows; i++) {
    const row = m.floats(x + i * cols * 4, cols);
    const meanSquare = row.reduce((sum, v) => sum + v * v, 0) / width;
    const inverse = 1 / Math.sqrt(meanSquare + epsilon);
    m.floats(out + i * cols * 4, cols).set(row.map((v, c) => v * inverse * weight[c]!));
  }
}

export function scale(m: Memory, { out, x, count, factor }: OpArgs<'scale'>): void {
  m.floats(out, count).set(m.floats(x, count).map((v) => v * factor));
}

export function scaleRow(m: Memory, { x, row, rows, cols }: OpArgs<'scaleRow'>): void {
  for (let i = 0; i < rows; i++) {
    const values = m.floats(x + i * cols * 4, cols);
    values.set(values.map((v, c) => v * m.f32[row / 4 + c]!));
  }
}

export function activate(m: Memory, { out, x, gate, count, kind }: OpArgs<'activate'>): void {
  const f = ACTIVATIONS[kind]!;
  for (let i = 0; i < count; i++) {
    const y = f(m.f32[x / 4 + i]!);
    m.f32[out / 4 + i] = gate ? y * m.f32[gate / 4 + i]! : y;
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * erf(x) = 2/sqrt(pi) times the sum of (-1)^n x^(2n+1) / (n! (2n+1)), which keeps 9 digits up to |x| = 4, and past it
 * erf is 1 within 2e-8.
 */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const ACTIVATIONS: Record<number, (x: number) => number> = {
  [p.ACTIVATION_RELU]: (x) => Math.max(0, x),
  [p.ACTIVATION_GELU_NEW]: (x) => x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)),
  [p.ACTIVATION_GELU_EXACT]: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  [p.ACTIVATION_SILU]: (x) => x * sigmoid(x),
};

export function angles(m: Memory, { out, table, frequencies, rows, pairs }: OpArgs<'angles'>): void {
  const f = m.floats(frequencies, pairs);
  for (let i = 0; i < rows; i++) {
    const position = m.words(table + i * ROW_BYTES, ROW_WORDS)[ROW_POSITION]!;
    for (let p = 0; p < pairs; p++) {
      const angle = Math.fround(position * f[p]!);
      m.f32[out / 4 + i * 2 * pairs + p] = Math.cos(angle);
      m.f32[out / 4 + i * 2 * pairs + pairs + p] = Math.sin(angle);
    }
  }
}

export function rotate(m: Memory, { x, angles, rows, heads, dKv, pairs, rowBytes }: OpArgs<'rotate'>): void {
  for (let i = 0; i < rows; i++) {
    const turn = m.floats(angles + i * pairs * 8, 2 * pairs);
    for (let h = 0; h < heads; h++) {
      const head = m.floats(x + i * rowBytes + h * dKv * 4, dKv);
      for (let p = 0; p < pairs; p++) {
        const [a, b, cos, sin] = [head[p]!, head[p + pairs]!, turn[p]!, turn[p + pairs]!];
        head[p] = a * cos - b * sin;
        head[p + pairs] = b * cos + a * sin;
      }
    }
  }
}

export function add(m: Memory, { x, y, count }: OpArgs<'add'>): void {
  const sum = m.floats(x, count).map((v, i) => v + m.f32[y / 4 + i]!);
  m.floats(x, count).set(sum);
}

export function addRow(m: Memory, { x, row, rows, cols }: OpArgs<'addRow'>): void {
  for (let i = 0; i < rows; i++) add(m, { x: x + i * cols * 4, y: row, count: cols });
}
