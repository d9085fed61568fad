/**
 * A net as layers one after another: each layer places its weights, as PyTorch lays them out, takes room for what it
 * makes, and is recorded when the net is finished. What is made for nets that run the same way every time; a model
 * whose sizes change from run to run uses the recorder itself.
 */
import { Arena } from './arena.ts';
import { ACCUMULATOR_BYTES, CONV_ROWS, OPS, TILE_ROWS, TILE_STRIDE } from './assembly/protocol.ts';
import { type ConvShape, fits, type Images, imagesAsRows, patchCols, pixelsAsRows } from './images.ts';
import { inOrder, type Placement, pad, placeFloat32, placeInt8 } from './layout.ts';
import { type Machine, type Program, UNLIMITED } from './machine.ts';
import {
  checkActivation,
  checkFactor,
  checkFloats,
  checkInput,
  checkKernel,
  checkLabel,
  checkLayer,
  checkNetwork,
  checkSizes,
  type InputKind,
} from './network-checks.ts';
import { type Activation, matrixAt, Recorder, type Rows, type Weights } from './recorder.ts';

/** Images that a layer makes: of the channels, which are padded to a multiple of 16, the first `used` carry numbers. */
export interface Feature extends Images {
  used: number;
}
export type Layer = Rows | Feature;

export interface NetworkOptions {
  /** How weights are held: int8 with a scale for each row if left out. */
  weights?: 'int8' | 'float32';
  /** Inputs of one run: 1 if left out. */
  batch?: number;
}

/** Where the numbers of a run are written. */
interface Input extends InputKind {
  at: number;
}

const isFeature = (x: Layer): x is Feature => 'channels' in x;

/** From so many rows and outputs on, sums need more room (kernels/strassen.ts); the same for all layers is simplest. */
const SPLIT_ROWS = 64;

export class Network {
  readonly arena: Arena;
  private readonly machine: Machine;
  private readonly kind: 'int8' | 'float32';
  private readonly batch: number;
  private readonly steps: ((recorder: Recorder) => void)[] = [];
  private input: Input | undefined;
  /** The most that a layer asks of the scratch: numbers of quantised rows, rows, columns of a patch. */
  private readonly most = { quantized: 0, rows: 0, patch: 0 };

  /** @throws TypeError or RangeError for options that it does not have */
  constructor(machine: Machine, options: NetworkOptions = {}) {
    checkNetwork(machine, options);
    const { weights = 'int8', batch = 1 } = options;
    this.machine = machine;
    this.arena = new Arena(machine);
    this.kind = weights;
    this.batch = batch;
  }

  /** The input: float32 [batch, width]. */
  floats(width: number): Rows {
    checkSizes('floats', { 'a width': width });
    const x = this.rows(width);
    // a run writes the numbers of all rows at once, so rows are spread where they are padded
    const staged = x.cols === width ? (x.at as number) : this.arena.allocate(this.batch * width * 4);
    this.takesInput({ at: staged, of: 'float32 numbers', count: this.batch * width });
    if (staged !== x.at) {
      for (let i = 0; i < this.batch; i++)
        this.steps.push((r) => r.copy('input', (x.at as number) + i * x.cols * 4, staged + i * width * 4, width * 4));
    }
    return x;
  }

  /** The input: bytes u8 [batch, width], times `factor`. */
  bytes(width: number, factor = 1): Rows {
    checkSizes('bytes', { 'a width': width });
    checkFactor('bytes', factor);
    const x = this.rows(width);
    const size = this.batch * width;
    const staged = this.arena.allocate(size);
    this.takesInput({ at: staged, of: 'bytes', count: size });
    this.steps.push((r) => r.fromBytes('input', x, staged, factor));
    return x;
  }

  /** The input: images of bytes u8 [batch, height, width, channels], times `factor`. */
  image(height: number, width: number, channels: number, factor = 1 / 255): Feature {
    checkSizes('image', { 'a height': height, 'a width': width, channels });
    checkFactor('image', factor);
    const { at } = this.bytes(height * width * channels, factor);
    return { at, images: this.batch, height, width, channels, used: channels };
  }

  /**
   * Each output channel is a weighted sum of the patch under the kernel, and the bias. @param weight float32 [outputs,
   * channels, kernel height, kernel width]
   * @param bias float32 [outputs] @throws RangeError where sizes do not fit
   */
  conv2d(label: string, x: Feature, weight: Float32Array, bias: Float32Array | undefined, shape: ConvShape): Feature {
    checkLabel('conv2d', label);
    const what = `conv2d ${label}`;
    checkLayer(what, x, 'images');
    checkFloats(what, 'weights', weight);
    checkKernel(what, shape);
    const { kernel, stride = 1, padding = 0 } = shape;
    const [height, width] = [
      fits(what, x.height, kernel[0], stride, padding),
      fits(what, x.width, kernel[1], stride, padding),
    ];
    const patch = x.used * kernel[0] * kernel[1];
    const outputs = outputsOf(what, weight, patch, `${x.used} channels x ${kernel.join(' x ')}`);
    // PyTorch has a channel's plane after another, an image here a pixel's channels beside each other
    const cols: Placement = {
      length: patchCols(shape, x.channels),
      from: (i) => {
        const [pixel, channel] = [Math.floor(i / x.channels), i % x.channels];
        return pixel < kernel[0] * kernel[1] && channel < x.used ? channel * kernel[0] * kernel[1] + pixel : -1;
      },
    };
    const w = this.place(label, weight, outputs, patch, cols);
    const at = this.arena.allocate(this.batch * height * width * w.outputs * 4);
    const out = { at, images: this.batch, height, width, channels: w.outputs, used: outputs };
    const { cols: imageCols } = imagesAsRows(x);
    this.needs({ quantized: this.batch * imageCols, rows: this.batch, patch: w.inputs });
    this.steps.push((r) => r.conv2d(out, x, w, shape));
    if (bias !== undefined) this.bias(what, pixelsAsRows(what, out), bias, outputs);
    return out;
  }

  /** The largest of each window, channel by channel. */
  maxPool(x: Feature, window: number, stride = window): Feature {
    checkLayer('maxPool', x, 'images');
    const [height, width] = [fits('maxPool', x.height, window, stride), fits('maxPool', x.width, window, stride)];
    const at = this.arena.allocate(this.batch * height * width * x.channels * 4);
    const out = { at, images: this.batch, height, width, channels: x.channels, used: x.used };
    this.steps.push((r) => r.maxPool('pool', out, x, window, stride));
    return out;
  }

  /**
   * A fully connected layer. @param weight float32 [outputs, inputs]; after images the inputs are in PyTorch's order:
   * channel, row, column
   * @param bias float32 [outputs] @throws RangeError where sizes do not fit
   */
  linear(label: string, x: Layer, weight: Float32Array, bias?: Float32Array): Rows {
    checkLabel('linear', label);
    const what = `linear ${label}`;
    checkLayer(what, x, 'any');
    checkFloats(what, 'weights', weight);
    const rows = isFeature(x) ? imagesAsRows(x) : x;
    const inputs = isFeature(x) ? x.height * x.width * x.used : x.width;
    const outputs = outputsOf(what, weight, inputs, `${inputs} inputs`);
    const w = this.place(label, weight, outputs, inputs, isFeature(x) ? flattened(x) : inOrder(inputs));
    const out = this.rows(outputs);
    this.needs({ quantized: this.batch * rows.cols, rows: this.batch, patch: 0 });
    this.steps.push((r) => r.linear(out, rows, w));
    if (bias !== undefined) this.bias(what, out, bias, outputs);
    return out;
  }

  /** relu, silu, gelu_new or gelu_exact of every number, in place. @throws RangeError for another kind */
  activate<L extends Layer>(x: L, kind: Activation): L {
    checkLayer('activate', x, 'any');
    checkActivation(kind);
    const layer: Layer = x;
    const rows = isFeature(layer) ? pixelsAsRows(kind, layer) : layer;
    this.steps.push((r) => r.activate(kind, rows, rows, kind));
    return x;
  }

  relu<L extends Layer>(x: L): L {
    return this.activate(x, 'relu');
  }

  /** x += y, as in a residual net. @throws RangeError where the sizes differ */
  add<L extends Layer>(x: L, y: L): L {
    for (const layer of [x, y]) checkLayer('add', layer, 'any');
    const [a, b] = [x, y].map((layer) => (isFeature(layer) ? imagesAsRows(layer) : layer)) as [Rows, Rows];
    if (a.cols !== b.cols || a.width !== b.width)
      throw new RangeError(`add: expected layers of one size, got ${a.width} and ${b.width} numbers`);
    this.steps.push((r) => r.add('sum', a, b));
    return x;
  }

  /** Each row becomes probabilities, in place. */
  softmax(x: Rows): Rows {
    checkLayer('softmax', x, 'rows');
    for (let i = 0; i < this.batch; i++)
      this.steps.push((r) => r.softmax({ ...x, at: (x.at as number) + i * x.cols * 4, rows: 1 }));
    return x;
  }

  /**
   * Records all layers, and gives the net that runs: its output is `out`, without the padding.
   * @throws Error where there is no input, or the kernels were linked without an op that the net has
   */
  finish(out: Rows): RunningNetwork {
    if (!this.input) throw new Error('network: expected an input (floats, bytes or image), got none');
    checkLayer('finish', out, 'rows');
    const { quantized, rows, patch } = this.most;
    const { arena } = this;
    const recorder = new Recorder({
      // 16 bytes more for each, as convolutions read and write past the end
      quantized: arena.allocate(quantized * 2 + 16),
      quantizedScales: arena.allocate(rows * 4),
      sums: arena.allocate(this.batch < SPLIT_ROWS ? TILE_ROWS * TILE_STRIDE : ACCUMULATOR_BYTES),
      scores: 0,
      patches: arena.allocate(CONV_ROWS * (4 + 2 * patch) + 16),
    });
    for (const step of this.steps) step(recorder);
    const program = recorder.finish();
    const missing = this.machine.missing?.(program) ?? [];
    if (missing.length > 0)
      throw new Error(
        `network: expected kernels with all ops, got none for ${missing.join(', ')}; link with this net's program`,
      );
    const at = arena.allocate(program.words.byteLength);
    this.machine.write(at, new Uint8Array(program.words.buffer, program.words.byteOffset, program.words.byteLength));
    return new RunningNetwork(this.machine, program, at, this.input, out);
  }

  private takesInput(input: Input): void {
    if (this.input) throw new Error('network: expected one input, got a second');
    this.input = input;
  }

  private rows(width: number): Rows {
    const cols = pad(width, 16);
    return { at: this.arena.allocate(this.batch * cols * 4), rows: this.batch, cols, width };
  }

  private needs(scratch: { quantized: number; rows: number; patch: number }): void {
    for (const name of ['quantized', 'rows', 'patch'] as const)
      this.most[name] = Math.max(this.most[name], scratch[name]);
  }

  private place(label: string, values: Float32Array, outputs: number, inputs: number, cols: Placement): Weights {
    const rows = inOrder(outputs);
    const placed =
      this.kind === 'int8' ? placeInt8(values, inputs, rows, cols) : placeFloat32(values, inputs, rows, cols);
    return matrixAt(this.kind, label, this.put(placed), rows.length, cols.length);
  }

  private bias(what: string, x: Rows, bias: Float32Array, outputs: number): void {
    checkFloats(what, 'a bias', bias);
    if (bias.length !== outputs)
      throw new RangeError(`${what}: expected a bias of ${outputs} numbers, got ${bias.length}`);
    const padded = new Float32Array(x.cols);
    padded.set(bias);
    const at = this.put(padded);
    this.steps.push((r) => r.addRow(x, { label: `${what}, bias`, at }));
  }

  private put(values: Float32Array | Uint8Array): number {
    const at = this.arena.allocate(values.byteLength);
    this.machine.write(at, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }
}

/** A net that is placed in the machine's memory, ready to run again and again. */
export class RunningNetwork {
  /** What the linker is told, so that the canister has these ops and no others. */
  readonly program: Program;
  private readonly machine: Machine;
  private readonly at: number;
  private readonly input: Input;
  private readonly out: Rows;

  constructor(machine: Machine, program: Program, at: number, input: Input, out: Rows) {
    this.machine = machine;
    this.program = program;
    this.at = at;
    this.input = input;
    this.out = out;
  }

  /**
   * What the net makes of the input: float32 [batch, width of the output]. @throws TypeError for another kind of array
   * @throws RangeError for another size, or a number that is not finite
   */
  run(input: Uint8Array | Float32Array): Float32Array {
    checkInput(this.input, input);
    this.machine.write(this.input.at, new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
    this.machine.run(this.at, OPS, this.program.words.length, [], UNLIMITED);
    const { at, rows, cols, width } = this.out;
    const all = new Float32Array(this.machine.read(at as number, (rows as number) * cols * 4).buffer);
    if (cols === width || rows === 1) return all.subarray(0, (rows as number) * width);
    const packed = new Float32Array((rows as number) * width);
    for (let i = 0; i < (rows as number); i++) packed.set(all.subarray(i * cols, i * cols + width), i * width);
    return packed;
  }
}

/** Where PyTorch's flattened image [channels, height, width] stands in ours, [height, width, channels]. */
function flattened({ height, width, channels, used }: Feature): Placement {
  return {
    length: pad(height * width * channels, 16),
    from: (i) => {
      const [pixel, channel] = [Math.floor(i / channels), i % channels];
      return pixel < height * width && channel < used ? channel * height * width + pixel : -1;
    },
  };
}

function outputsOf(what: string, weight: Float32Array, inputs: number, of: string): number {
  const outputs = weight.length / inputs;
  if (!Number.isInteger(outputs) || outputs < 1)
    throw new RangeError(`${what}: expected weights of so many outputs x ${of}, got ${weight.length} numbers`);
  return outputs;
}
