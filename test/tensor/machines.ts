/** Both machines side by side: a test records a program once, fills its inputs, and gets what each makes of it. */
import { buildKernels } from '../../src/node/build/kernels.ts';
import { Arena } from '../../src/tensor/arena.ts';
import { ACCUMULATOR_BYTES } from '../../src/tensor/assembly/protocol.ts';
import {
  CACHE_CHUNK,
  CACHE_KEYS,
  ROW_CACHES,
  ROW_POSITION,
  ROW_TOKEN,
  ROW_WORDS,
} from '../../src/tensor/assembly/row-table.ts';
import type { Machine, Registers } from '../../src/tensor/machine.ts';
import {
  type KvCache,
  Recorder,
  type Rows,
  type RowTable,
  type Scratch,
  type Weights,
} from '../../src/tensor/recorder.ts';
import { Reference } from '../../src/tensor/reference/reference.ts';
import { kernelsInNode, Unit } from '../../src/tensor/unit.ts';

const kernels = await buildKernels();
export const newUnit = (): Unit => new Unit(kernelsInNode(kernels as Uint8Array<ArrayBuffer>));

export type Bytes = Float32Array | Uint32Array | Int16Array | Uint8Array;

/** A row of the table with one cache. */
export interface TestRow {
  token?: number;
  position: number;
  cache: number;
  keys: number;
  chunk: number;
}

/** Keys and values of the only layer in the first cache, unless said otherwise. */
export const kvCache = (kv: Pick<KvCache, 'kind' | 'heads' | 'dKv'> & Partial<KvCache>): KvCache => ({
  cache: 0,
  layer: 0,
  layers: 1,
  ...kv,
});

/** What a test sees while it records. */
export class Bench {
  readonly recorder: Recorder;
  readonly arena: Arena;
  readonly machine: Machine;
  readonly scratch: Scratch;

  constructor(machine: Machine, most = { rows: 256, cols: 8192, keys: 1024 }) {
    this.machine = machine;
    this.arena = new Arena(machine);
    this.scratch = {
      quantized: this.arena.allocate(most.rows * most.cols * 2),
      quantizedScales: this.arena.allocate(most.rows * 4),
      sums: this.arena.allocate(ACCUMULATOR_BYTES),
      scores: this.arena.allocate(most.keys * 32),
      unpacked: this.arena.allocate(1 << 21),
    };
    this.recorder = new Recorder(this.scratch);
  }

  put(values: Bytes): number {
    const at = this.arena.allocate(values.byteLength);
    this.machine.write(at, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }

  rows(rows: number, cols: number, values?: Float32Array, width = cols): Rows {
    return { at: values ? this.put(values) : this.arena.allocate(rows * cols * 4), rows, cols, width };
  }

  /** A row table in the arena. */
  table(rows: readonly TestRow[]): RowTable {
    const words = new Uint32Array(rows.length * ROW_WORDS);
    rows.forEach(({ token = 0, position, cache, keys, chunk }, i) => {
      const row = words.subarray(i * ROW_WORDS, (i + 1) * ROW_WORDS);
      row[ROW_TOKEN] = token;
      row[ROW_POSITION] = position;
      row[ROW_CACHES] = cache;
      row[ROW_CACHES + CACHE_KEYS] = keys;
      row[ROW_CACHES + CACHE_CHUNK] = chunk;
    });
    return { at: this.put(words), rows: rows.length };
  }

  run(registers: Registers = []): void {
    const program = this.recorder.finish();
    const at = this.put(program.words);
    this.machine.run(at, program.ops[0]!.from, program.words.length, registers);
  }

  floats(at: number, count: number): Float32Array {
    return new Float32Array(this.machine.read(at, count * 4).buffer);
  }
}

/** Runs `body` on the kernels and on the reference; gives what it returned for each. */
export function onBoth<T>(body: (bench: Bench) => T): { kernels: T; reference: T } {
  return { kernels: body(new Bench(newUnit())), reference: body(new Bench(new Reference())) };
}

/**
 * x of so many rows times a matrix that `put` makes, twice into one place: what came of it, which both machines must
 * agree on to the bit.
 */
export function linearTwice(
  [rows, outputs, inputs]: readonly [number, number, number],
  put: (b: Bench, values: Float32Array, outputs: number, inputs: number) => Weights,
) {
  return onBoth((b) => {
    const w = put(b, noise(outputs * inputs, 3), outputs, inputs);
    const x = b.rows(rows, w.inputs, noise(rows * w.inputs, 4));
    const out = b.rows(rows, w.outputs, noise(rows * w.outputs, 5));
    b.recorder.linear(out, x, w);
    b.recorder.linear(out, x, w, { accumulate: true });
    b.run();
    return b.floats(out.at as number, rows * w.outputs);
  });
}

/**
 * A row of x alone and among as many others as `tiles` say, times so many rows of a matrix: all that came of it, row by
 * row.
 */
export function rowAmongOthers(
  inputs: number,
  tiles: readonly number[],
  put: (b: Bench, values: Float32Array, outputs: number, inputs: number) => Weights,
  outputs = 48,
) {
  const row = noise(inputs, 6);
  return onBoth((b) => {
    const w = put(b, noise(outputs * inputs, 7), outputs, inputs);
    const outs = tiles.map((rows) => {
      const x = Float32Array.from({ length: rows * inputs }, (_, i) => row[i % inputs]!);
      const out = b.rows(rows, outputs);
      b.recorder.linear(out, b.rows(rows, inputs, x), w);
      return out;
    });
    b.run();
    return outs.flatMap(({ at, rows }) =>
      Array.from({ length: rows as number }, (_, i) => b.floats((at as number) + i * outputs * 4, outputs)),
    );
  });
}

/** Numbers from a seed, spread like a normal distribution's; for test inputs, not for drawing tokens. */
export function noise(count: number, seed: number, scale = 1): Float32Array {
  let state = seed * 2654435761;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => (next() + next() + next() + next() - 2) * 1.7 * scale);
}
