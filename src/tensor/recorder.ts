/**
 * Records a model's work as a program: a call for each op, output first, inputs next, sizes last. Nothing is computed
 * here. Ops and their arguments are listed in ops.ts; what an op does is said at its kernel in assembly/ops/ and, as
 * TypeScript, in reference/.
 */
import * as protocol from './assembly/protocol.ts';
import { CACHE_WORDS, ROW_CACHES } from './assembly/row-table.ts';
import { type ConvShape, checkChannels, checkImages, fits, type Images, imagesAsRows, patchCols } from './images.ts';
import { type KvKind, kvChunk, type MatrixKind, matrixParts } from './layout.ts';
import type { Program, RecordedOp } from './machine.ts';
import {
  attentionInstructions,
  linearInstructions,
  type Most,
  OP_INSTRUCTIONS,
  type Part,
  partsOf,
} from './op-costs.ts';
import { type OpArgs, type OpName, opEntry } from './ops.ts';
import type { Rows } from './rows.ts';
import { times, type Value } from './value.ts';

export type { Rows };

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

/**
 * float32 [heads, 2 * reach + 1]: what a score gets by the distance from row to key, which is never more than the
 * reach.
 */
export type DistanceBias = Vector & { reach: number };

/** The rows of a batch, as they stand in the row table (assembly/row-table.ts). */
export interface RowTable {
  at: number;
  rows: Value;
}

/** Bytes that stand together in stable memory. */
export interface StablePiece {
  /** Of 64 KiB. */
  page: number;
  offset: number;
  bytes: number;
}

/**
 * Keys and values of one attention: which cache of a row it is, and which layer's part of that
 * (assembly/ops/append-kv.ts).
 */
export interface KvCache {
  kind: KvKind;
  /** 0 or 1. */
  cache: number;
  /** Heads of keys and values. */
  heads: number;
  /** Columns of a head, padded to a multiple of 16. */
  dKv: number;
  layer: number;
  layers: number;
}

export interface AttentionOptions {
  bias?: DistanceBias;
  /** Heads of queries that share a head of keys and values. */
  group?: number;
  /** How many keys a row sees, the last ones up to its own; 0 for all. */
  window?: number;
}

export interface LinearOptions {
  accumulate?: boolean;
  /** Where there are never as many rows as in the rest of the program. */
  mostRows?: number;
}

export type Activation = 'relu' | 'silu' | 'gelu_new' | 'gelu_exact';
export const ACTIVATIONS: Record<Activation, number> = {
  relu: protocol.ACTIVATION_RELU,
  silu: protocol.ACTIVATION_SILU,
  gelu_new: protocol.ACTIVATION_GELU_NEW,
  gelu_exact: protocol.ACTIVATION_GELU_EXACT,
};

/** Room that ops need besides their operands; one set serves every op of a program. */
export interface Scratch {
  /** int16 [rows, most cols] and float32 [rows]: activations quantised for int4 and int8 weights. */
  quantized: Value;
  quantizedScales: Value;
  /** ACCUMULATOR_BYTES. */
  sums: number;
  /**
   * Scores of keys: float32 [most keys padded to 16]; beside int16, weights of keys int16 [rows of a tile, so many].
   */
  scores: Value;
  /** float32 [rows of a tile, most keys padded to 16], where int16 keys may be more than KEYS_AT_ONCE. */
  long?: number;
  /**
   * For convolutions: float32 [CONV_ROWS], then int16 [CONV_ROWS, most columns of a patch] and 16 bytes; 16 bytes
   * behind `quantized`, too.
   */
  patches?: number;
  /**
   * int8 [INT4_UNPACK_OUTPUTS or fewer, most inputs], where INT4_UNPACK_ROWS rows or more stand against int4 weights.
   */
  unpacked?: number;
}

function checkK(op: string, k: number, width: number): void {
  if (!Number.isInteger(k) || k < 1 || k > width)
    throw new RangeError(`${op}: expected k from 1 to ${width}, got ${k}`);
}

/** Of an op: arguments (the frame has room for 32), each with a multiple of every register. */
const MOST_PATCHES = 32 * protocol.REGISTERS;
const MOST_WORDS = 1 + 32 + 2 * MOST_PATCHES;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
function floatBits(x: number): number {
  float[0] = x;
  return bits[0]!;
}

export class Recorder {
  /** Words so far, and room for more: writing into it costs the interpreter a third of what pushing to a list does. */
  private words = new Uint32Array(4096);
  private length = protocol.OPS;
  private readonly ops: RecordedOp[] = [];
  private readonly room: Scratch | undefined;
  /** Whose quantised form the scratch holds: an input that several matrices share is quantised once. */
  private quantized: Rows | undefined;
  private readonly most: Most | undefined;
  private readonly opInstructions: number;

  /**
   * @param scratch may be left out where no matrix and no attention is recorded
   * @param most where it is given, no op takes more than `opInstructions`: what might is recorded in parts, which give
   * the same to the bit
   */
  constructor(scratch?: Scratch, most?: Most, opInstructions = OP_INSTRUCTIONS) {
    this.room = scratch;
    this.most = most;
    this.opInstructions = opInstructions;
  }

  private get scratch(): Scratch {
    if (!this.room) throw new Error('recorder: expected scratch for matrices and attention, got none');
    return this.room;
  }

  /** out[i] = table[ids[i]]; ids u32 [rows], `idBytes` apart. */
  gather(out: Rows, ids: Value, table: Weights, idBytes = 4): void {
    const args = { out: out.at, ids, idBytes, table: table.at, rows: out.rows, cols: out.cols };
    if (table.kind === 'int4') throw new RangeError(`gather ${table.label}: expected int8 or float32 rows, got int4`);
    if (table.kind === 'float32') this.emit('gatherF32', args, table.label, out);
    else this.emit('gatherQ8', { ...args, scales: table.scales, tableRows: table.outputs }, table.label, out);
  }

  /** out = x / sqrt(mean(x^2) + epsilon) * w, for each row. */
  rmsNorm(out: Rows, x: Rows, w: Vector, epsilon: number): void {
    const { at, rows, cols, width } = x;
    this.emit('rmsNorm', { out: out.at, x: at, w: w.at, rows, cols, width, epsilon }, w.label, out);
  }

  /** out (+)= x w^T */
  linear(out: Rows, x: Rows, w: Weights, options: LinearOptions = {}): void {
    const { outputs, inputs, label } = w;
    if (x.cols !== inputs || out.cols !== outputs) {
      throw new RangeError(`linear ${label}: expected [${outputs}, ${inputs}] weights to fit ${x.cols} -> ${out.cols}`);
    }
    const { rows } = x;
    const accumulate = options.accumulate ? 1 : 0;
    if (w.kind === 'float32') {
      const args = { out: out.at, x: x.at, w: w.at, rows, outputs, inputs, accumulate, from: 0, to: outputs };
      this.inParts('linearF32', args, w, options.mostRows, out);
      return;
    }
    const { quantized, quantizedScales: xScales, sums, unpacked } = this.scratch;
    const { at, scales: wScales } = w;
    this.quantize(x, label);
    const args = {
      out: out.at,
      x: quantized,
      xScales,
      w: at,
      wScales,
      rows,
      outputs,
      inputs,
      accumulate,
      sums,
      from: 0,
      to: outputs,
    };
    if (w.kind === 'int8') {
      this.inParts('linearQ8', args, w, options.mostRows, out);
      return;
    }
    if (unpacked === undefined && !(typeof x.rows === 'number' && x.rows < protocol.INT4_UNPACK_ROWS)) {
      throw new RangeError(`linear ${label}: expected room to unpack int4 weights in, got none`);
    }
    const all = { ...args, multipliers: w.multipliers, unpacked: unpacked ?? 0 };
    this.inParts('linearInt4', all, w, options.mostRows, out);
  }

  /** All outputs of a matrix by one op, or as many at a time as an op may make. `args` are those of all, and change. */
  private inParts<N extends 'linearF32' | 'linearQ8' | 'linearInt4'>(
    name: N,
    args: OpArgs<N, Value>,
    { kind, outputs, inputs, label }: Weights,
    mostRows: number | undefined,
    out: Rows,
  ): void {
    const { rows } = args as { rows: Value };
    const most = typeof rows === 'number' ? rows : (mostRows ?? this.most?.rows);
    const each = this.most && most !== undefined ? linearInstructions(kind, most, inputs) : 0;
    // nearly always: an interpreter comes through here for every matrix
    if (outputs * each <= this.opInstructions) {
      this.emit(name, args, label, out, outputs * inputs);
      return;
    }
    for (const [from, to] of partsOf(outputs, each, this.opInstructions, OUTPUT_STEPS))
      this.emit(name, { ...args, from, to }, label, out, (to - from) * inputs);
  }

  /** Keys and values of each row go to its position in the cache. */
  appendKv(label: string, table: RowTable, kv: KvCache, k: Rows, v: Rows): void {
    const { heads, dKv, layer, layers } = kv;
    const sizes = { rows: table.rows, heads, dKv, rowBytes: k.cols * 4, layer, layers };
    const args = { table: table.at, cache: cacheWord(kv), k: k.at, v: v.at, ...sizes };
    this.emit(kv.kind === 'int16' ? 'appendQ16' : 'appendF32', args, label);
  }

  /** out = softmax(q k^T + bias) v, head by head, for each row over the keys that it sees; unscaled, as T5 has it. */
  attention(
    label: string,
    out: Rows,
    q: Rows,
    table: RowTable,
    kv: KvCache,
    { bias, group = 1, window = 0 }: AttentionOptions = {},
  ): void {
    const { quantized, quantizedScales, sums, scores, long = 0 } = this.scratch;
    const { heads, dKv, layer, layers } = kv;
    // one object, as an interpreter takes long to put several together
    const whole = {
      out: out.at,
      q: q.at,
      table: table.at,
      cache: cacheWord(kv),
      bias: bias?.at ?? 0,
      quantized,
      scales: quantizedScales,
      sums,
      weights: scores,
      scores,
      long,
      rows: table.rows,
      heads,
      group,
      window,
      dKv,
      rowBytes: q.cols * 4,
      reach: bias?.reach ?? 0,
      layer,
      layers,
      firstRow: 0,
      lastRow: ANY_ROWS,
      firstHead: 0,
      lastHead: heads * group,
    };
    const name = kv.kind === 'float32' ? 'attentionF32' : 'attentionQ16';
    const parts = this.partsOfAttention(table.rows, kv, group, window);
    if (!parts) this.emit(name, whole, label, out);
    else for (const part of parts) this.emit(name, { ...whole, ...part }, label, out);
    if (kv.kind === 'int16') this.quantized = undefined;
  }

  /**
   * Which heads of queries an op does at a time, and where one is too much, of which rows; undefined: one op does all.
   */
  private partsOfAttention(
    rows: Value,
    { kind, heads, dKv }: KvCache,
    group: number,
    window: number,
  ): AttentionPart[] | undefined {
    const queries = heads * group;
    const { most } = this;
    if (!most) return undefined;
    // rows of a tile share their keys: each sees those of all of their windows
    const keys = window > 0 ? Math.min(most.keys, window + protocol.TILE_ROWS + kvChunk(kind)) : most.keys;
    const here = { ...most, keys, rows: typeof rows === 'number' ? rows : most.rows };
    const ofHead = attentionInstructions(kind, here, dKv);
    if (ofHead * queries <= this.opInstructions) return undefined;
    const ofHeads = partsOf(queries, ofHead, this.opInstructions, HEAD_STEPS);
    const ofRow = attentionInstructions(kind, { ...here, rows: 1 }, dKv);
    const ofRows: readonly Part[] =
      ofHead > this.opInstructions ? partsOf(here.rows, ofRow, this.opInstructions, ROW_STEPS) : [[0, ANY_ROWS]];
    return ofHeads.flatMap(([firstHead, lastHead]) =>
      ofRows.map(([firstRow, lastRow]) => ({ firstRow, lastRow, firstHead, lastHead })),
    );
  }

  /** out = activation(x) * gate, or activation(x); one row or several of the same width. */
  activate(label: string, out: Rows, x: Rows, kind: Activation, gate?: Rows): void {
    const count = times(x.rows, x.cols);
    this.emit('activate', { out: out.at, x: x.at, gate: gate?.at ?? 0, count, kind: ACTIVATIONS[kind] }, label, out);
  }

  /** Cosines, then sines, of each row's position times the frequencies: out float32 [rows, 2 pairs]. */
  angles(out: Value, table: RowTable, frequencies: Vector, pairs: number): void {
    const args = { out, table: table.at, frequencies: frequencies.at, rows: table.rows, pairs };
    this.emit('angles', args, frequencies.label);
  }

  /**
   * Each head of x, of `dKv` padded columns, is turned by its row's angles (`angles`), in place: column i with column
   * i + pairs.
   */
  rotate(label: string, x: Rows, angles: Value, heads: number, pairs: number): void {
    const { at, rows, cols } = x;
    this.emit('rotate', { x: at, angles, rows, heads, dKv: cols / heads, pairs, rowBytes: cols * 4 }, label, x);
  }

  /** x += y */
  add(label: string, x: Rows, y: Rows): void {
    this.emit('add', { x: x.at, y: y.at, count: times(x.rows, x.cols) }, label, x);
  }

  /** Every row of x += the bias, float32 [cols]. */
  addRow(x: Rows, bias: Vector): void {
    this.emit('addRow', { x: x.at, row: bias.at, rows: x.rows, cols: x.cols }, bias.label, x);
  }

  /** out = x * factor */
  scale(label: string, out: Rows, x: Rows, factor: number): void {
    this.emit('scale', { out: out.at, x: x.at, count: times(x.rows, x.cols), factor }, label, out);
  }

  /** Every row of x *= the factors, float32 [cols]. */
  scaleRow(x: Rows, factors: Vector): void {
    this.emit('scaleRow', { x: x.at, row: factors.at, rows: x.rows, cols: x.cols }, factors.label, x);
  }

  /** The id of the largest of `count` logits of each row goes to `out`, u32 [rows], `outBytes` apart. */
  argmax(out: Value, logits: Rows, count: number, outBytes = 4): void {
    const args = { out, outBytes, logits: logits.at, rows: logits.rows, rowBytes: logits.cols * 4, count };
    this.emit('argmax', args, 'argmax');
  }

  /**
   * Logits of `idCount` listed ids, none twice: positive ones are divided by the penalty, negative ones multiplied. In
   * place.
   */
  penalize(logits: Rows, ids: Value, idCount: Value, penalty: number): void {
    this.emit('penalize', { logits: logits.at, ids, idCount, penalty }, 'penalize', logits);
  }

  /** Logits of `idCount` listed ids become -infinity. In place. */
  mask(logits: Rows, ids: Value, idCount: Value): void {
    this.emit('mask', { logits: logits.at, ids, idCount }, 'mask', logits);
  }

  /** Logits become probabilities, in place. */
  softmax(logits: Rows): void {
    this.emit('softmax', { row: logits.at, count: logits.width }, 'softmax', logits);
  }

  /** Logits become logarithms of probabilities, in place. */
  logSoftmax(logits: Rows): void {
    this.emit('logSoftmax', { row: logits.at, count: logits.width }, 'logSoftmax', logits);
  }

  /** Logits below the k-th largest become -infinity, in place. */
  topK(logits: Rows, k: number): void {
    checkK('topK', k, logits.width);
    this.emit('topK', { row: logits.at, count: logits.width, k }, 'topK', logits);
  }

  /** The least probable, which together have no more than 1 - p, become 0, in place. */
  topP(probabilities: Rows, p: number): void {
    const { at, width } = probabilities;
    this.emit('topP', { row: at, count: width, cut: 1 - p }, 'topP', probabilities);
  }

  /** An id by its probability goes to `out`, a u32; `random` is an integer of [0, 2^32). */
  draw(out: Value, { at, width }: Rows, random: Value): void {
    this.emit('draw', { out, row: at, count: width, random }, 'draw');
  }

  /** The k largest logits, falling: their ids u32 [k], then they themselves, float32 [k], go to `out`. */
  best(out: Value, logits: Rows, k: number): void {
    checkK('best', k, logits.width);
    this.emit('best', { out, row: logits.at, count: logits.width, k }, 'best');
  }

  /** Bytes u8 [rows, out.width], row after row, times the factor, as float32. */
  fromBytes(label: string, out: Rows, x: Value, factor: number): void {
    const { at, rows, width, cols } = out;
    this.emit('fromBytes', { out: at, x, rows, width, cols, factor }, label, out);
  }

  /**
   * out = x * w: each pixel of an output image is the patch of the image under the kernel times the matrix w [output
   * channels, patch]. A patch's columns are the kernel's rows, in these its columns, in these the channels. @throws
   * RangeError where sizes do not fit, or for int4 weights
   */
  conv2d(out: Images, x: Images, w: Weights, shape: ConvShape): void {
    const { images, height, width, channels } = x;
    const { label, outputs } = w;
    const [kernelHeight, kernelWidth] = shape.kernel;
    const { stride = 1, padding = 0 } = shape;
    const what = `conv2d ${label}`;
    const [down, across] = [
      fits(what, height, kernelHeight, stride, padding),
      fits(what, width, kernelWidth, stride, padding),
    ];
    checkImages(what, out, down, across, outputs);
    const inputs = patchCols(shape, channels);
    if (w.inputs !== inputs)
      throw new RangeError(`${what}: expected [${outputs}, ${inputs}] weights, got [${outputs}, ${w.inputs}]`);
    const { patches, sums, quantized, quantizedScales: xScales } = this.scratch;
    if (patches === undefined) throw new RangeError(`${what}: expected scratch for patches, got none`);
    const asRows = imagesAsRows(x);
    const sizes = { height, width, channels, kernelHeight, kernelWidth, stride, padding, outputs };
    const args = { out: out.at, w: w.at, patches: patches + protocol.CONV_ROWS * 4, images, imageCols: asRows.cols };
    const macs = down * across * outputs * inputs;
    if (w.kind === 'float32') {
      this.emit('conv2dF32', { ...args, x: x.at, ...sizes }, label, undefined, macs);
    } else if (w.kind === 'int8') {
      this.quantize(asRows, label);
      const ints = { x: quantized, xScales, wScales: w.scales, patchScales: patches, sums };
      this.emit('conv2dQ8', { ...args, ...ints, ...sizes }, label, undefined, macs);
    } else throw new RangeError(`${what}: expected int8 or float32 weights, got int4`);
  }

  /** The largest of each window of x, channel by channel. @throws RangeError where sizes do not fit */
  maxPool(label: string, out: Images, x: Images, window: number, stride = window): void {
    const { at, images, height, width, channels } = x;
    const what = `maxPool ${label}`;
    checkChannels(what, channels);
    checkImages(what, out, fits(what, height, window, stride), fits(what, width, window, stride), channels);
    this.emit('maxPool', { out: out.at, x: at, images, height, width, channels, window, stride }, label);
  }

  /** Bytes of stable memory, from page and offset on, to the arena. */
  loadStable(label: string, out: Value, { page, offset, bytes }: StablePiece): void {
    this.emit('loadStable', { out, page, offset, bytes }, label);
  }

  copy(label: string, out: Value, source: Value, bytes: Value): void {
    this.emit('copy', { out, source, bytes }, label);
  }

  /** How many words there are so far: where the next op begins. */
  get position(): number {
    return this.length;
  }

  finish(): Program {
    return { words: this.words.slice(0, this.length), ops: this.ops };
  }

  /** x as integers, unless the scratch holds them already. */
  private quantize(x: Rows, label: string): void {
    if (this.quantized === x) return;
    const { quantized, quantizedScales } = this.scratch;
    const args = { out: quantized, scales: quantizedScales, x: x.at, rows: x.rows, cols: x.cols };
    this.emit('quantize', args, label);
    this.quantized = x;
  }

  private grow(): void {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
  }

  /**
   * Loops and not maps: when a model is loaded, the canister's interpreter goes through here for hundreds of ops.
   * @param out what the op writes, if it writes rows
   */
  private emit<N extends OpName>(name: N, args: OpArgs<N, Value>, label: string, out?: Rows, macs = 0): void {
    const { code, names, isFloat } = opEntry(name);
    if (this.length + MOST_WORDS > this.words.length) this.grow();
    const { words, length: from } = this;
    this.ops.push({ name, label, from, macs });
    const count = names.length;
    const patchesAt = from + 1 + count;
    let end = patchesAt;
    for (let i = 0, at = from + 1; i < count; i++, at++) {
      const value = (args as Record<string, Value>)[names[i]!]!;
      if (typeof value === 'number') {
        words[at] = isFloat[i] ? floatBits(value) : value;
        continue;
      }
      const { strides } = value;
      words[at] = value.constant;
      let s = 0;
      do {
        words[end++] = i | (strides[s]! << 8);
        words[end++] = strides[s + 1]!;
        s += 2;
      } while (s < strides.length);
    }
    words[from] = code | (count << 8) | (((end - patchesAt) / 2) << 16);
    this.length = end;
    if (out && out === this.quantized) this.quantized = undefined;
  }
}

/**
 * Outputs of a matrix that are made at once: as many as are unpacked, or split, at once; fewer; and the least. Heads of
 * attention, and its rows: a tile, or the least.
 */
const OUTPUT_STEPS = [protocol.INT4_UNPACK_OUTPUTS, 256, 16];
const HEAD_STEPS = [1];
const ROW_STEPS = [protocol.TILE_ROWS, 1];
const ANY_ROWS = 0xffff_ffff;

type AttentionPart = Pick<OpArgs<'attentionQ16'>, 'firstRow' | 'lastRow' | 'firstHead' | 'lastHead'>;

/** Where a row of the table says where its cache is. */
const cacheWord = ({ cache }: KvCache): number => ROW_CACHES + CACHE_WORDS * cache;
