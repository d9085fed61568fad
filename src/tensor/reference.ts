/**
 * Every op in plain TypeScript, running the same programs over the same arena as the kernels: what the kernels are checked against, and the
 * place to read what an op means. Slow, and with no thought for speed. Integer ops agree with the kernels to the bit; float ones to rounding,
 * as the kernels add in lanes and have an exponential of their own.
 */
import * as p from './assembly/protocol.ts';
import { spans } from './dot-blocks.ts';
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
      [p.OP_GATHER_Q8]: () => this.gatherQ8(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!),
      [p.OP_GATHER_F32]: () => this.gatherF32(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!),
      [p.OP_RMS_NORM]: () => this.rmsNorm(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, bitsToFloat(a[6]!)),
      [p.OP_QUANTIZE]: () => this.quantize(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!),
      [p.OP_LINEAR_Q8]: () => this.linearQ8(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, a[6]!, a[7]!, a[8]!),
      [p.OP_LINEAR_F32]: () => this.linearF32(a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, a[6]!),
      [p.OP_ATTENTION]: () => this.attention(args),
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

  /** Weight q of row r, column c: groups of four rows, pairs of columns (layout.ts). */
  private int8At(table: number, cols: number, row: number, col: number): number {
    return this.i8[table + (row >> 2) * cols * 4 + (col >> 1) * 8 + (row & 3) * 2 + (col & 1)]!;
  }

  private gatherQ8(out: number, ids: number, table: number, scales: number, rows: number, cols: number): void {
    for (let i = 0; i < rows; i++) {
      const id = this.u32[ids / 4 + i]!;
      const scale = this.f32[scales / 4 + id]!;
      for (let c = 0; c < cols; c++) this.f32[out / 4 + i * cols + c] = this.int8At(table, cols, id, c) * scale;
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
      const row = this.floats(x + i * cols * 4, cols);
      const largest = row.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      this.f32[scales / 4 + i] = largest / p.ACTIVATION_MAX;
      const inverse = largest > 0 ? fround(p.ACTIVATION_MAX / largest) : 0;
      row.forEach((v, c) => {
        const q = nearest(fround(v * inverse));
        this.i16[out / 2 + i * cols + c] = Math.max(-32768, Math.min(32767, q));
      });
    }
  }

  private linearQ8(
    out: number,
    x: number,
    xScales: number,
    w: number,
    wScales: number,
    rows: number,
    outputs: number,
    inputs: number,
    accumulate: number,
  ): void {
    for (let i = 0; i < rows; i++) {
      const scale = this.f32[xScales / 4 + i]!;
      for (let f = 0; f < outputs; f++) {
        let y = accumulate ? this.f32[out / 4 + i * outputs + f]! : 0;
        let from = 0;
        for (const columns of spans(inputs)) {
          let sum = 0; // an integer under 2^31: exact
          for (let c = from; c < from + columns; c++) {
            sum += this.i16[x / 2 + i * inputs + c]! * this.int8At(w, inputs, f, c);
          }
          const part = fround(fround(fround(sum) * this.f32[wScales / 4 + f]!) * scale);
          y = from > 0 || accumulate ? fround(y + part) : part;
          from += columns;
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
          const distance = Math.max(-reach, Math.min(reach, j - position));
          return dot + this.f32[bias / 4 + h * (2 * reach + 1) + reach + distance]!;
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

type Tuple8 = [number, number, number, number, number, number, number, number];

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
