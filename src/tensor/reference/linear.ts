/**
 * Embeddings and matrices, in plain TypeScript: the meaning of assembly/ops/{gather,quantize,linear-*}.ts. Integer ops
 * are exact.
 */
import { ACTIVATION_MAX, INT4_GROUP } from '../assembly/protocol.ts';
import { int4Groups, type Span, spanRow, spans } from '../layout.ts';
import type { OpArgs } from '../ops.ts';
import type { Memory } from './memory.ts';
import { quantized } from './numbers.ts';

const { fround } = Math;

/** Weight q of a row, column c of a span: groups of four rows, pairs of columns (layout.ts). */
function int8At(m: Memory, table: number, outputs: number, row: number, span: Span, c: number): number {
  return m.i8[table + spanRow('int8', outputs, span, row) + (c >> 1) * 8 + (c & 1)]!;
}

export function gatherQ8(m: Memory, a: OpArgs<'gatherQ8'>): void {
  for (let i = 0; i < a.rows; i++) {
    const id = m.u32[(a.ids + i * a.idBytes) / 4]!;
    const scale = m.f32[a.scales / 4 + id]!;
    for (const span of spans(a.cols)) {
      for (let c = 0; c < span.columns; c++)
        m.f32[a.out / 4 + i * a.cols + span.from + c] = int8At(m, a.table, a.tableRows, id, span, c) * scale;
    }
  }
}

export function gatherF32(m: Memory, { out, ids, idBytes, table, rows, cols }: OpArgs<'gatherF32'>): void {
  for (let i = 0; i < rows; i++) {
    const row = m.floats(table + m.u32[(ids + i * idBytes) / 4]! * cols * 4, cols);
    m.floats(out + i * cols * 4, cols).set(row);
  }
}

export function quantize(m: Memory, { out, scales, x, rows, cols }: OpArgs<'quantize'>): void {
  for (let i = 0; i < rows; i++) {
    const { values, scale } = quantized(m.floats(x + i * cols * 4, cols), ACTIVATION_MAX);
    m.f32[scales / 4 + i] = scale;
    m.i16.set(values, out / 2 + i * cols);
  }
}

type WeightAt = (row: number, span: Span, c: number) => number;

function linearInt(m: Memory, a: OpArgs<'linearQ8'>, weightAt: WeightAt): void {
  const { out, x, xScales, wScales, rows, outputs, inputs, accumulate, from, to } = a;
  for (let i = 0; i < rows; i++) {
    const scale = m.f32[xScales / 4 + i]!;
    for (let f = from; f < to; f++) {
      let y = accumulate ? m.f32[out / 4 + i * outputs + f]! : 0;
      for (const span of spans(inputs)) {
        let sum = 0; // an integer under 2^31: exact
        for (let c = 0; c < span.columns; c++) {
          sum += m.i16[x / 2 + i * inputs + span.from + c]! * weightAt(f, span, c);
        }
        const part = fround(fround(fround(sum) * m.f32[wScales / 4 + f]!) * scale);
        y = span.from > 0 || accumulate ? fround(y + part) : part;
      }
      m.f32[out / 4 + i * outputs + f] = y;
    }
  }
}

export function linearQ8(m: Memory, a: OpArgs<'linearQ8'>): void {
  linearInt(m, a, (row, span, c) => int8At(m, a.w, a.outputs, row, span, c));
}

/** A weight is q times its group's multiplier: octets of rows, two rows a byte, pairs of columns (layout.ts). */
export function linearInt4(m: Memory, a: OpArgs<'linearInt4'>): void {
  linearInt(m, a, (row, span, c) => {
    const byte = m.i8[a.w + spanRow('int4', a.outputs, span, row) + (c >> 1) * 8 + (c & 1)]!;
    const q = row & 4 ? byte >> 4 : (byte & 15) - 8;
    const group = (row >> 3) * int4Groups(a.inputs) + Math.floor((span.from + c) / INT4_GROUP);
    return q * m.i8[a.multipliers + group * 8 + (row & 7)]!;
  });
}

export function linearF32(m: Memory, a: OpArgs<'linearF32'>): void {
  const { out, x, w, rows, outputs, inputs, accumulate, from, to } = a;
  for (let i = 0; i < rows; i++) {
    const row = m.floats(x + i * inputs * 4, inputs);
    for (let f = from; f < to; f++) {
      const weights = m.floats(w + f * inputs * 4, inputs);
      let sum = accumulate ? m.f32[out / 4 + i * outputs + f]! : 0;
      for (let c = 0; c < inputs; c++) sum += row[c]! * weights[c]!;
      m.f32[out / 4 + i * outputs + f] = sum;
    }
  }
}
