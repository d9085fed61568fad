/**
 * Every op in plain TypeScript, running the same programs over the same arena as the kernels: what the kernels are checked against, and the
 * place to read what an op means. Slow, and with no thought for speed. Integer ops agree with the kernels to the bit; float ones to rounding,
 * as the kernels add in lanes and have an exponential of their own.
 */
import * as p from './assembly/protocol.ts';
import { int4Groups, keptPositionBytes, type Span, spanRow, spans } from './layout.ts';
import { checkRegisters, type Machine, type Registers } from './machine.ts';
import * as logits from './reference-logits.ts';

const { fround } = Math;

/** Nearest integer, ties to even, as Wasm's `nearest`. */
function nearest(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

export class Reference implements Machine {
  // the first page stays free, so that no pointer is 0
  private used = 65536;
  private buffer = new ArrayBuffer(1 << 20);
  private f32 = new Float32Array(this.buffer);
  private u32 = new Uint32Array(this.buffer);
  private i8 = new Int8Array(this.buffer);
  private i16 = new Int16Array(this.buffer);

  grow(bytes: number): number {
    const pointer = this.used;
    this.used += Math.ceil(bytes / 65536) * 65536;
    if (this.used > this.buffer.byteLength) {
      const larger = new ArrayBuffer(Math.max(this.used, this.buffer.byteLength * 2));
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
      this.f32 = new Float32Array(larger);
      this.u32 = new Uint32Array(larger);
      this.i8 = new Int8Array(larger);
      this.i16 = new Int16Array(larger);
    }
    return pointer;
  }

  write(pointer: number, bytes: Uint8Array): void {
    new Uint8Array(this.buffer).set(bytes, pointer);
  }

  read(pointer: number, bytes: number): Uint8Array {
    return new Uint8Array(this.buffer.slice(pointer, pointer + bytes));
  }

  run(program: number, from: number, end: number, registers: Registers): number {
    checkRegisters(registers);
    let at = program / 4 + from;
    while (at < program / 4 + end) {
      const head = this.u32[at]!;
      const count = (head >> 8) & 0xff;
      const args = Array.from(this.u32.subarray(at + 1, at + 1 + count));
      at += 1 + count;
      for (let patch = 0; patch < head >>> 16; patch++, at += 2) {
        const which = this.u32[at]!;
        args[which & 0xff]! += (registers[which >> 8] ?? 0) * this.u32[at + 1]!;
      }
      this.op(head & 0xff, args);
    }
    return end;
  }

  private op(opcode: number, args: number[]): void {
    const a = args;
    const run: Record<number, () => void> = {
      [p.OP_GATHER_Q8]: () => this.gatherQ8(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, a[6]!),
      [p.OP_GATHER_F32]: () => this.gatherF32(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!),
      [p.OP_RMS_NORM]: () => this.rmsNorm(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, bitsToFloat(a[6]!)),
      [p.OP_QUANTIZE]: () => this.quantize(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!),
      [p.OP_LINEAR_Q8]: () =>
        this.linearInt(a[0]!, a[1]!, a[2]!, a[4]!, a[5]!, a[6]!, a[7]!, a[8]!, (r, span, c) =>
          this.int8At(a[3]!, a[6]!, r, span, c),
        ),
      [p.OP_LINEAR_INT4]: () =>
        this.linearInt(a[0]!, a[1]!, a[2]!, a[5]!, a[6]!, a[7]!, a[8]!, a[9]!, (r, span, c) =>
          this.int4At(a[3]!, a[4]!, a[7]!, a[8]!, r, span, c),
        ),
      [p.OP_LINEAR_F32]: () => this.linearF32(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, a[6]!),
      [p.OP_ATTENTION]: () => this.attention(args),
      [p.OP_KEEP]: () => this.keep(args),
      [p.OP_ATTENTION_Q16]: () => this.attentionQ16(args),
      [p.OP_ACTIVATE]: () => this.activate(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!),
      [p.OP_SCALE]: () => this.scale(a[0]!, a[1]!, a[2]!, bitsToFloat(a[3]!)),
      [p.OP_ARGMAX]: () => this.argmax(a[0]!, a[1]!, a[2]!),
      [p.OP_PENALIZE]: () => logits.penalize(this.rest(a[0]!), this.ids(a[1]!, a[2]!), bitsToFloat(a[3]!)),
      [p.OP_MASK]: () => logits.mask(this.rest(a[0]!), this.ids(a[1]!, a[2]!)),
      [p.OP_SOFTMAX]: () => logits.softmax(this.floats(a[0]!, a[1]!)),
      [p.OP_LOG_SOFTMAX]: () => logits.logSoftmax(this.floats(a[0]!, a[1]!)),
      [p.OP_TOP_K]: () => logits.topK(this.floats(a[0]!, a[1]!), a[2]!),
      [p.OP_TOP_P]: () => logits.topP(this.floats(a[0]!, a[1]!), bitsToFloat(a[2]!)),
      [p.OP_DRAW]: () => this.u32.set([logits.draw(this.floats(a[1]!, a[2]!), a[3]!)], a[0]! / 4),
      [p.OP_BEST]: () => this.best(a[0]!, a[1]!, a[2]!, a[3]!),
      [p.OP_COPY]: () => this.write(a[0]!, this.read(a[1]!, a[2]!)),
    };
    const op = run[opcode];
    if (!op) throw new RangeError(`reference: expected a known op, got ${opcode}`);
    op();
  }

  /** `count` floats at a pointer, as a view. */
  private floats(pointer: number, count: number): Float32Array {
    return this.f32.subarray(pointer / 4, pointer / 4 + count);
  }

  /** All floats from a pointer on, for ops that reach them by listed ids. */
  private rest(pointer: number): Float32Array {
    return this.f32.subarray(pointer / 4);
  }

  private ids(pointer: number, count: number): Uint32Array {
    return this.u32.subarray(pointer / 4, pointer / 4 + count);
  }

  /** Weight q of a row, column c of a span: groups of four rows, pairs of columns (layout.ts). */
  private int8At(table: number, outputs: number, row: number, span: Span, c: number): number {
    return this.i8[table + spanRow('int8', outputs, span, row) + (c >> 1) * 8 + (c & 1)]!;
  }

  /** q times its group's multiplier: octets of rows, two rows a byte, pairs of columns (layout.ts). */
  private int4At(
    table: number,
    multipliers: number,
    outputs: number,
    inputs: number,
    row: number,
    span: Span,
    c: number,
  ): number {
    const byte = this.i8[table + spanRow('int4', outputs, span, row) + (c >> 1) * 8 + (c & 1)]!;
    const q = row & 4 ? byte >> 4 : (byte & 15) - 8;
    const group = (row >> 3) * int4Groups(inputs) + Math.floor((span.from + c) / p.INT4_GROUP);
    return q * this.i8[multipliers + group * 8 + (row & 7)]!;
  }

  private gatherQ8(
    out: number,
    ids: number,
    table: number,
    scales: number,
    rows: number,
    cols: number,
    tableRows: number,
  ): void {
    for (let i = 0; i < rows; i++) {
      const id = this.u32[ids / 4 + i]!;
      const scale = this.f32[scales / 4 + id]!;
      for (const span of spans(cols)) {
        for (let c = 0; c < span.columns; c++)
          this.f32[out / 4 + i * cols + span.from + c] = this.int8At(table, tableRows, id, span, c) * scale;
      }
    }
  }

  private gatherF32(out: number, ids: number, table: number, rows: number, cols: number): void {
    for (let i = 0; i < rows; i++) {
      const row = this.floats(table + this.u32[ids / 4 + i]! * cols * 4, cols);
      this.floats(out + i * cols * 4, cols).set(row);
    }
  }

  private rmsNorm(out: number, x: number, w: number, rows: number, cols: number, width: number, epsilon: number): void {
    const weight = this.floats(w, cols);
    for (let i = 0; i < rows; i++) {
      const row = this.floats(x + i * cols * 4, cols);
      const meanSquare = row.reduce((sum, v) => sum + v * v, 0) / width;
      const inverse = 1 / Math.sqrt(meanSquare + epsilon);
      this.floats(out + i * cols * 4, cols).set(row.map((v, c) => v * inverse * weight[c]!));
    }
  }

  private quantize(out: number, scales: number, x: number, rows: number, cols: number): void {
    for (let i = 0; i < rows; i++) {
      const { values, scale } = quantized(this.floats(x + i * cols * 4, cols), p.ACTIVATION_MAX);
      this.f32[scales / 4 + i] = scale;
      this.i16.set(values, out / 2 + i * cols);
    }
  }

  private linearInt(
    out: number,
    x: number,
    xScales: number,
    wScales: number,
    rows: number,
    outputs: number,
    inputs: number,
    accumulate: number,
    weightAt: (row: number, span: Span, c: number) => number,
  ): void {
    for (let i = 0; i < rows; i++) {
      const scale = this.f32[xScales / 4 + i]!;
      for (let f = 0; f < outputs; f++) {
        let y = accumulate ? this.f32[out / 4 + i * outputs + f]! : 0;
        for (const span of spans(inputs)) {
          let sum = 0; // an integer under 2^31: exact
          for (let c = 0; c < span.columns; c++) {
            sum += this.i16[x / 2 + i * inputs + span.from + c]! * weightAt(f, span, c);
          }
          const part = fround(fround(fround(sum) * this.f32[wScales / 4 + f]!) * scale);
          y = span.from > 0 || accumulate ? fround(y + part) : part;
        }
        this.f32[out / 4 + i * outputs + f] = y;
      }
    }
  }

  private linearF32(
    out: number,
    x: number,
    w: number,
    rows: number,
    outputs: number,
    inputs: number,
    accumulate: number,
  ): void {
    for (let i = 0; i < rows; i++) {
      const row = this.floats(x + i * inputs * 4, inputs);
      for (let f = 0; f < outputs; f++) {
        const weights = this.floats(w + f * inputs * 4, inputs);
        let sum = accumulate ? this.f32[out / 4 + i * outputs + f]! : 0;
        for (let c = 0; c < inputs; c++) sum += row[c]! * weights[c]!;
        this.f32[out / 4 + i * outputs + f] = sum;
      }
    }
  }

  private attention(args: number[]): void {
    const [out, q, k, v, bias] = args as [number, number, number, number, number];
    const [queries, keys, heads, dKv, rowBytes, keyBytes, first, reachCausal] = args.slice(6) as Tuple8;
    const reach = reachCausal >> 1;
    const causal = (reachCausal & 1) === 1;
    for (let i = 0; i < queries; i++) {
      const position = first + i;
      const seen = causal ? Math.min(position + 1, keys) : keys;
      for (let h = 0; h < heads; h++) {
        const column = h * dKv * 4;
        const query = this.floats(q + i * rowBytes + column, dKv);
        const scores = Array.from({ length: seen }, (_, j) => {
          const key = this.floats(k + j * keyBytes + column, dKv);
          const dot = query.reduce((sum, x, d) => sum + x * key[d]!, 0);
          if (!bias) return dot;
          return dot + this.f32[bias / 4 + h * (2 * reach + 1) + reach + j - position]!;
        });
        const largest = Math.max(...scores);
        const weights = scores.map((s) => Math.exp(s - largest));
        const total = weights.reduce((sum, e) => sum + e, 0);
        for (let d = 0; d < dKv; d++) {
          let sum = 0;
          for (let j = 0; j < seen; j++) sum += (weights[j]! / total) * this.f32[(v + j * keyBytes + column) / 4 + d]!;
          this.f32[(out + i * rowBytes + column) / 4 + d] = sum;
        }
      }
    }
  }

  /** Where head h's part of the chunk of a kept position stands, and the position in it. */
  private keptAt(kept: number, position: number, h: number, dKv: number, chunk: number, chunkBytes: number) {
    const keys = kept + Math.floor(position / chunk) * chunkBytes + h * chunk * keptPositionBytes(1, dKv);
    const values = keys + chunk * dKv * 2;
    const keyScales = values + chunk * dKv * 2;
    const n = position % chunk;
    return {
      /** Index in i16 of the key's column d, of the value's column d. */
      key: (d: number) => (keys + (n >> 2) * dKv * 8 + (d >> 1) * 16 + (n & 3) * 4) / 2 + (d & 1),
      value: (d: number) => (values + (d >> 2) * chunk * 8 + (n >> 1) * 16 + (d & 3) * 4) / 2 + (n & 1),
      /** Index in f32 of the two scales. */
      keyScale: keyScales / 4 + n,
      valueScale: keyScales / 4 + chunk + n,
    };
  }

  private keep(args: number[]): void {
    const [kept, k, v, rows, first, heads] = args as Tuple6;
    const [dKv, rowBytes, chunk, chunkBytes] = args.slice(6) as [number, number, number, number];
    for (let i = 0; i < rows; i++) {
      for (let h = 0; h < heads; h++) {
        const at = this.keptAt(kept, first + i, h, dKv, chunk, chunkBytes);
        const column = i * rowBytes + h * dKv * 4;
        const key = quantized(this.floats(k + column, dKv), keyMax(dKv));
        const value = quantized(this.floats(v + column, dKv), 32767);
        key.values.forEach((q, d) => {
          this.i16[at.key(d)] = q;
        });
        value.values.forEach((q, d) => {
          this.i16[at.value(d)] = q;
        });
        this.f32[at.keyScale] = key.scale;
        this.f32[at.valueScale] = value.scale;
        if ((first + i) % chunk > 0) continue;
        for (const scale of [at.keyScale, at.valueScale]) this.f32.fill(0, scale + 1, scale + chunk);
      }
    }
  }

  private attentionQ16(args: number[]): void {
    const [out, q, kept, bias] = args as [number, number, number, number];
    const [queries, keys, heads, dKv, rowBytes, first, reach, chunk, chunkBytes] = args.slice(8) as Tuple9;
    for (let i = 0; i < queries; i++) {
      for (let h = 0; h < heads; h++) {
        const column = i * rowBytes + h * dKv * 4;
        const query = quantized(this.floats(q + column, dKv), keyMax(dKv));
        const positions = Array.from({ length: keys }, (_, j) => this.keptAt(kept, j, h, dKv, chunk, chunkBytes));
        const scores = positions.map(({ key, keyScale }, j) => {
          const dot = query.values.reduce((sum, x, d) => sum + x * this.i16[key(d)]!, 0); // under 2^31 by keyMax
          const score = fround(fround(fround(dot) * this.f32[keyScale]!) * query.scale);
          return bias ? fround(score + this.f32[bias / 4 + h * (2 * reach + 1) + reach + j - (first + i)]!) : score;
        });
        const largest = Math.max(...scores);
        const e = scores.map((s) => Math.exp(s - largest));
        const scaled = e.map((x, j) => x * this.f32[positions[j]!.valueScale]!);
        const weight = sumOf(scaled);
        const weights = scaled.map((w) => (weight > 0 ? nearest((w * p.WEIGHT_SUM) / weight) : 0));
        for (let d = 0; d < dKv; d++) {
          const mixed = weights.reduce((sum, w, j) => sum + w * this.i16[positions[j]!.value(d)]!, 0);
          this.f32[(out + column) / 4 + d] = (mixed * weight) / p.WEIGHT_SUM / sumOf(e);
        }
      }
    }
  }

  private activate(out: number, x: number, gate: number, count: number, kind: number): void {
    const f = ACTIVATIONS[kind]!;
    for (let i = 0; i < count; i++) {
      const y = f(this.f32[x / 4 + i]!);
      this.f32[out / 4 + i] = gate ? y * this.f32[gate / 4 + i]! : y;
    }
  }

  private scale(out: number, x: number, count: number, factor: number): void {
    for (let i = 0; i < count; i++) this.f32[out / 4 + i] = this.f32[x / 4 + i]! * factor;
  }

  private argmax(out: number, logits: number, count: number): void {
    const row = this.floats(logits, count);
    this.u32[out / 4] = row.reduce((best, v, i) => (v > row[best]! ? i : best), 0);
  }

  private best(out: number, row: number, count: number, k: number): void {
    const { ids, values } = logits.best(this.floats(row, count), k);
    this.u32.set(ids, out / 4);
    this.f32.set(values, out / 4 + k);
  }
}

type Tuple6 = [number, number, number, number, number, number];
type Tuple8 = [...Tuple6, number, number];
type Tuple9 = [...Tuple8, number];

const sumOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The largest magnitude of q and k, so that K products of two stay under 2^31. */
const keyMax = (dKv: number): number => Math.floor(Math.sqrt(p.KEY_RANGE / dKv));

/** A row as integers up to `most`, and their scale. */
function quantized(row: Float32Array, most: number): { values: number[]; scale: number } {
  const largest = row.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const inverse = largest > 0 ? fround(most / largest) : 0;
  const values = Array.from(row, (v) => Math.max(-32768, Math.min(32767, nearest(fround(v * inverse)))));
  return { values, scale: fround(largest / most) };
}

const bitsToFloat = (bits: number): number => new Float32Array(new Uint32Array([bits]).buffer)[0]!;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** erf(x) = 2/sqrt(pi) times the sum of (-1)^n x^(2n+1) / (n! (2n+1)), which keeps 9 digits up to |x| = 4, and past it erf is 1 within 2e-8. */
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
