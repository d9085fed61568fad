/**
 * Records a model's work as a program: a call for each op, output first, inputs next, sizes last. Nothing is computed here.
 * The complete list of ops is this class; what each does is said at its kernel in assembly/ops/ and, as TypeScript, in reference.ts.
 */
import * as protocol from './assembly/protocol.ts';
import { type MatrixKind, matrixParts } from './layout.ts';
import type { Program, RecordedOp } from './machine.ts';
import { times, type Value } from './value.ts';

/** float32 [rows, cols] in the arena; cols is a multiple of 16, and columns from `width` on are zero. */
export interface Rows {
  at: Value;
  rows: Value;
  cols: number;
  width: number;
}

/** A weight matrix [outputs, inputs] in the arena, both padded (layout.ts). */
export type Weights =
  | { kind: 'int4'; label: string; at: number; multipliers: number; scales: number; outputs: number; inputs: number }
  | { kind: 'int8'; label: string; at: number; scales: number; outputs: number; inputs: number }
  | { kind: 'float32'; label: string; at: number; outputs: number; inputs: number };

/** The matrix of this kind and padded size that stands at `at`. */
export function matrixAt(kind: MatrixKind, label: string, at: number, outputs: number, inputs: number): Weights {
  const { multipliers, scales } = matrixParts(kind, outputs, inputs);
  const size = { label, at, outputs, inputs };
  if (kind === 'float32') return { kind, ...size };
  if (kind === 'int8') return { kind, scales: at + scales, ...size };
  return { kind, multipliers: at + multipliers, scales: at + scales, ...size };
}

/** float32 weights of a norm, or a bias by distance. */
export interface Vector {
  label: string;
  at: number;
}

export interface AttentionShape {
  heads: number;
  /** Columns of a head, padded to a multiple of 16. */
  dKv: number;
  keys: Value;
  /** Bytes from one key to the next, and one value to the next. */
  keyBytes: number;
  /** Position of the first query. */
  first?: Value;
  causal?: boolean;
  bias?: DistanceBias;
}

/** float32 [heads, 2 * reach + 1]: what a score gets by the distance from query to key, which is never more than the reach. */
export type DistanceBias = Vector & { reach: number };

/** Keys and values as int16, in chunks of positions (assembly/ops/keep.ts); see `keptPositionBytes`. */
export interface Kept {
  at: Value;
  heads: number;
  /** Columns of a head, padded to a multiple of 16. */
  dKv: number;
  /** Positions of a chunk, a multiple of KEPT_POSITIONS. */
  chunk: Value;
  /** From one chunk to the next; any, where there is one. */
  chunkBytes: number;
}

export type Activation = 'relu' | 'gelu_new' | 'gelu_exact' | 'silu';
const ACTIVATIONS: Record<Activation, number> = {
  relu: protocol.ACTIVATION_RELU,
  gelu_new: protocol.ACTIVATION_GELU_NEW,
  gelu_exact: protocol.ACTIVATION_GELU_EXACT,
  silu: protocol.ACTIVATION_SILU,
};

/** Room that ops need besides their operands; one set serves every op of a program. */
export interface Scratch {
  /** int16 [most rows, most cols] and float32 [most rows]: activations quantised for int4 and int8 weights. */
  quantized: number;
  quantizedScales: number;
  /** ACCUMULATOR_BYTES. */
  sums: number;
  /** Scores or weights of keys: float32 [most keys padded to 16], or int16 [16, so many] where several queries stand against int8 weights. */
  scores: number;
  /** int8 [outputs, inputs] of the largest int4 matrix that INT4_UNPACK_ROWS rows or more stand against, if there is one. */
  unpacked?: number;
}

function checkK(op: string, k: number, width: number): void {
  if (!Number.isInteger(k) || k < 1 || k > width)
    throw new RangeError(`${op}: expected k from 1 to ${width}, got ${k}`);
}

const floatBits = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0]!;

export class Recorder {
  private readonly words: number[] = new Array(protocol.OPS).fill(0);
  private readonly ops: RecordedOp[] = [];
  private readonly scratch: Scratch;
  /** Whose quantised form the scratch holds: an input that several matrices share is quantised once. */
  private quantized: Rows | undefined;

  constructor(scratch: Scratch) {
    this.scratch = scratch;
  }

  /** out[i] = table[ids[i]]; ids u32 [rows]. */
  gather(out: Rows, ids: Value, table: Weights): void {
    if (table.kind === 'int8') {
      this.emit('gather', protocol.OP_GATHER_Q8, table.label, 0, out, [
        out.at,
        ids,
        table.at,
        table.scales,
        out.rows,
        out.cols,
        table.outputs,
      ]);
    } else if (table.kind === 'int4') {
      throw new RangeError(`gather ${table.label}: expected int8 or float32 rows, got int4`);
    } else {
      this.emit('gather', protocol.OP_GATHER_F32, table.label, 0, out, [out.at, ids, table.at, out.rows, out.cols]);
    }
  }

  /** out = x / sqrt(mean(x^2) + epsilon) * w, for each row. */
  rmsNorm(out: Rows, x: Rows, w: Vector, epsilon: number): void {
    const args = [out.at, x.at, w.at, x.rows, x.cols, x.width, floatBits(epsilon)];
    this.emit('rmsNorm', protocol.OP_RMS_NORM, w.label, 0, out, args);
  }

  /** out (+)= x w^T */
  linear(out: Rows, x: Rows, w: Weights, options: { accumulate?: boolean } = {}): void {
    if (x.cols !== w.inputs || out.cols !== w.outputs) {
      throw new RangeError(
        `linear ${w.label}: expected [${w.outputs}, ${w.inputs}] weights to fit ${x.cols} -> ${out.cols}`,
      );
    }
    const accumulate = options.accumulate ? 1 : 0;
    const macs = w.outputs * w.inputs;
    if (w.kind === 'float32') {
      const args = [out.at, x.at, w.at, x.rows, w.outputs, w.inputs, accumulate];
      this.emit('linear', protocol.OP_LINEAR_F32, w.label, macs, out, args);
      return;
    }
    const { quantized, quantizedScales, sums, unpacked } = this.scratch;
    if (this.quantized !== x) {
      this.emit('quantize', protocol.OP_QUANTIZE, w.label, 0, undefined, [
        quantized,
        quantizedScales,
        x.at,
        x.rows,
        x.cols,
      ]);
      this.quantized = x;
    }
    const sizes = [x.rows, w.outputs, w.inputs, accumulate];
    if (w.kind === 'int4') {
      if (unpacked === undefined && !(typeof x.rows === 'number' && x.rows < protocol.INT4_UNPACK_ROWS)) {
        throw new RangeError(`linear ${w.label}: expected room to unpack int4 weights in, got none`);
      }
      const args = [out.at, quantized, quantizedScales, w.at, w.multipliers, w.scales, ...sizes, sums, unpacked ?? 0];
      this.emit('linear', protocol.OP_LINEAR_INT4, w.label, macs, out, args);
    } else {
      const args = [out.at, quantized, quantizedScales, w.at, w.scales, ...sizes, sums];
      this.emit('linear', protocol.OP_LINEAR_Q8, w.label, macs, out, args);
    }
  }

  /** out = softmax(q k^T + bias) v, head by head; unscaled, as T5 has it. */
  attention(label: string, out: Rows, q: Rows, k: Value, v: Value, shape: AttentionShape): void {
    const reach = shape.bias?.reach ?? 0;
    this.emit('attention', protocol.OP_ATTENTION, label, 0, out, [
      out.at,
      q.at,
      k,
      v,
      shape.bias?.at ?? 0,
      this.scratch.scores,
      q.rows,
      shape.keys,
      shape.heads,
      shape.dKv,
      q.cols * 4,
      shape.keyBytes,
      shape.first ?? 0,
      reach * 2 + (shape.causal ? 1 : 0),
    ]);
  }

  /** Positions `first` … of `kept` = k, v as int16, a row each; scales after the last of them become zero. */
  keep(label: string, kept: Kept, k: Rows, v: Rows, first: Value = 0): void {
    const { at, heads, dKv, chunk, chunkBytes } = kept;
    const args = [at, k.at, v.at, k.rows, first, heads, dKv, k.cols * 4, chunk, chunkBytes];
    this.emit('keep', protocol.OP_KEEP, label, 0, undefined, args);
  }

  /** As `attention`, over `keys` kept positions, all of which every query sees. */
  attentionQ16(
    label: string,
    out: Rows,
    q: Rows,
    kept: Kept,
    { keys, first = 0, bias }: { keys: Value; first?: Value; bias?: DistanceBias },
  ): void {
    const { quantized, quantizedScales, sums, scores } = this.scratch;
    const scratch = [quantized, quantizedScales, sums, scores];
    const sizes = [
      q.rows,
      keys,
      kept.heads,
      kept.dKv,
      q.cols * 4,
      first,
      bias?.reach ?? 0,
      kept.chunk,
      kept.chunkBytes,
    ];
    this.emit('attention', protocol.OP_ATTENTION_Q16, label, 0, out, [
      out.at,
      q.at,
      kept.at,
      bias?.at ?? 0,
      ...scratch,
      ...sizes,
    ]);
    this.quantized = undefined;
  }

  /** out = activation(x) * gate, or activation(x); one row or several of the same width. */
  activate(label: string, out: Rows, x: Rows, kind: Activation, gate?: Rows): void {
    const count = times(x.rows, x.cols);
    const args = [out.at, x.at, gate?.at ?? 0, count, ACTIVATIONS[kind]];
    this.emit('activate', protocol.OP_ACTIVATE, label, 0, out, args);
  }

  /** out = x * factor */
  scale(label: string, out: Rows, x: Rows, factor: number): void {
    this.emit('scale', protocol.OP_SCALE, label, 0, out, [out.at, x.at, times(x.rows, x.cols), floatBits(factor)]);
  }

  /** The id of the largest of `count` logits goes to `out`, a u32. */
  argmax(out: Value, logits: Rows, count: number): void {
    this.emit('argmax', protocol.OP_ARGMAX, 'argmax', 0, undefined, [out, logits.at, count]);
  }

  /** Logits of `idCount` listed ids, none twice: positive ones are divided by the penalty, negative ones multiplied. In place. */
  penalize(logits: Rows, ids: Value, idCount: Value, penalty: number): void {
    this.choose('penalize', protocol.OP_PENALIZE, logits, [logits.at, ids, idCount, floatBits(penalty)]);
  }

  /** Logits of `idCount` listed ids become -infinity. In place. */
  mask(logits: Rows, ids: Value, idCount: Value): void {
    this.choose('mask', protocol.OP_MASK, logits, [logits.at, ids, idCount]);
  }

  /** Logits become probabilities, in place. */
  softmax(logits: Rows): void {
    this.choose('softmax', protocol.OP_SOFTMAX, logits, [logits.at, logits.width]);
  }

  /** Logits become logarithms of probabilities, in place. */
  logSoftmax(logits: Rows): void {
    this.choose('logSoftmax', protocol.OP_LOG_SOFTMAX, logits, [logits.at, logits.width]);
  }

  /** Logits below the k-th largest become -infinity, in place. */
  topK(logits: Rows, k: number): void {
    checkK('topK', k, logits.width);
    this.choose('topK', protocol.OP_TOP_K, logits, [logits.at, logits.width, k]);
  }

  /** The least probable, which together have no more than 1 - p, become 0, in place. */
  topP(probabilities: Rows, p: number): void {
    const args = [probabilities.at, probabilities.width, floatBits(1 - p)];
    this.choose('topP', protocol.OP_TOP_P, probabilities, args);
  }

  /** An id by its probability goes to `out`, a u32; `random` is an integer of [0, 2^32). */
  draw(out: Value, probabilities: Rows, random: Value): void {
    this.choose('draw', protocol.OP_DRAW, undefined, [out, probabilities.at, probabilities.width, random]);
  }

  /** The k largest logits, falling: their ids u32 [k], then they themselves, float32 [k], go to `out`. */
  best(out: Value, logits: Rows, k: number): void {
    checkK('best', k, logits.width);
    this.choose('best', protocol.OP_BEST, undefined, [out, logits.at, logits.width, k]);
  }

  copy(label: string, out: Value, source: Value, bytes: Value): void {
    this.emit('copy', protocol.OP_COPY, label, 0, undefined, [out, source, bytes]);
  }

  finish(): Program {
    return { words: Uint32Array.from(this.words), ops: this.ops };
  }

  private choose(name: string, opcode: number, out: Rows | undefined, args: Value[]): void {
    this.emit(name, opcode, name, 0, out, args);
  }

  private emit(name: string, opcode: number, label: string, macs: number, out: Rows | undefined, args: Value[]): void {
    this.ops.push({ name, label, from: this.words.length, macs });
    const patches: [number, number][] = [];
    const constants = args.map((value, index) => {
      if (typeof value === 'number') return value;
      for (const [r, stride] of value.strides) patches.push([index | (r << 8), stride]);
      return value.constant;
    });
    this.words.push(opcode | (args.length << 8) | (patches.length << 16), ...constants, ...patches.flat());
    if (out && out === this.quantized) this.quantized = undefined;
  }
}
