/**
 * What every family's model does in the same way: it holds programs and weights in the arena, and takes sequences on by
 * batches of rows through `forward`. Working rows are shared, so one program is under way at most. What comes before
 * batches, such as an encoder, is the family's.
 */
import type { Arena } from '../tensor/arena.ts';
import { ROW_BYTES, ROW_TOKEN } from '../tensor/assembly/row-table.ts';
import type { Machine, Program, Registers } from '../tensor/machine.ts';
import { type Batch, batchOf, nextBatch, noteCached, type Row, replayBatch, rowWords } from './batch.ts';
import { type Allocate, type BatchPrograms, registersOf } from './batch-programs.ts';
import { type KvLayout, kvBytes, kvPiece } from './kv-layout.ts';
import type { LanguageModel, Limits, Outcome, PlacedProgram, StepPlan } from './language-model.ts';
import { agreement, type Sequence } from './sequence.ts';
import type { WeightPlaces } from './weight-places.ts';

/** So often a program in the middle is waited for before it is thought dead, and has to begin again. */
const PATIENCE = 16;

/** A program under way. */
interface Run {
  sequences: readonly Sequence[];
  program: PlacedProgram;
  registers: Registers;
  /** The word to go on from. */
  at: number;
  /** The batch, where that is what runs. */
  batch?: Batch;
  waited: number;
}

const isProgram = (value: unknown): value is Program => typeof value === 'object' && value !== null && 'words' in value;

/** Whether the batch leaves the logits of these sequences, in their order. */
const isOf = ({ rows, logitRows }: Batch, sequences: readonly Sequence[]): boolean =>
  logitRows === sequences.length && sequences.every((sequence, i) => rows[i]!.sequence === sequence);

/** Whether the batch leaves the logits of these rows, in their order. */
const isOfRows = ({ rows, logitRows }: Batch, wanted: readonly Row[]): boolean =>
  logitRows === wanted.length &&
  wanted.every(({ sequence, position }, i) => rows[i]!.sequence === sequence && rows[i]!.position === position);

export abstract class BatchedModel<P extends BatchPrograms> implements LanguageModel {
  abstract readonly vocabularySize: number;
  abstract readonly limits: Limits;
  abstract readonly hasEncoder: boolean;
  readonly weights: WeightPlaces;
  readonly programs: P;
  readonly machine: Machine;
  readonly arena: Arena;
  protected running: Run | undefined;
  private readonly pointers = new Map<Program, number>();
  /** Room taken for weights, programs and working rows. */
  private readonly held: number[] = [];
  /** Rows of logits that the last step left, and the likeliest ids of all of them, once they were asked for. */
  private logitRows = 0;
  private likeliest: Uint32Array | undefined;

  /**
   * Takes room for everything but sequences. The weights are to be put in their places before the first sequence runs.
   * @param place takes room for weights
   */
  constructor(
    machine: Machine,
    arena: Arena,
    place: (allocate: Allocate) => WeightPlaces,
    record: (weights: WeightPlaces, allocate: Allocate) => P,
  ) {
    this.machine = machine;
    this.arena = arena;
    const allocate: Allocate = (bytes) => this.allocate(bytes);
    this.weights = place(allocate);
    this.programs = record(this.weights, allocate);
    for (const program of Object.values(this.programs).filter(isProgram)) {
      const pointer = this.allocate(program.words.byteLength);
      machine.write(pointer, new Uint8Array(program.words.buffer));
      this.pointers.set(program, pointer);
    }
  }

  abstract open(sourceIds: readonly number[], capacity: number, targetIds?: readonly number[]): Sequence;
  abstract fork(first: Sequence): Sequence;
  abstract close(sequence: Sequence): void;
  abstract encode(sequence: Sequence, budget?: bigint): Outcome;
  abstract encoding(sequence: Sequence): Uint8Array;
  abstract useEncoding(sequence: Sequence, encoding: Uint8Array): Outcome;
  /** The keys and values of a sequence's own, its first cache. */
  protected abstract readonly ownKv: KvLayout;
  /** Brings a sequence as far as batches go. */
  protected abstract prepare(sequence: Sequence, budget?: bigint): Outcome;

  private allocate(bytes: number): number {
    const at = this.arena.allocate(bytes);
    this.held.push(at);
    return at;
  }

  /** Gives all its room back but open sequences'. */
  dispose(): void {
    for (const at of this.held) this.arena.release(at);
    this.held.length = 0;
  }

  get output(): LanguageModel['output'] {
    return { logits: this.programs.logits, table: this.programs.batch };
  }

  /** @throws RangeError for an id that the model has not */
  protected checkIds(ids: readonly number[]): void {
    for (const id of ids) {
      if (!Number.isInteger(id) || id < 0 || id >= this.vocabularySize) {
        throw new RangeError(`open: expected token ids from 0 to ${this.vocabularySize - 1}, got ${id}`);
      }
    }
  }

  retarget(sequence: Sequence, targetIds: readonly number[]): void {
    this.interrupt(sequence);
    sequence.cached = Math.min(sequence.cached, agreement(sequence.targetIds, targetIds));
    sequence.targetIds.splice(0, sequence.targetIds.length, ...targetIds);
  }

  borrow(sequence: Sequence, other: Sequence, budget?: bigint, most = Number.POSITIVE_INFINITY): boolean {
    // the last token is yet to go through the model, for its logits
    const useful = Math.min(other.cached, most, sequence.targetIds.length - 1);
    if (useful <= sequence.cached) return true;
    const shared = Math.min(useful, agreement(sequence.targetIds, other.targetIds));
    if (shared <= sequence.cached) return true;
    this.interrupt(sequence);
    const { at, bytes } = kvPiece(this.ownKv, sequence.cached, shared);
    const [pointer, from, end] = this.placed(this.programs.copy);
    const registers = [sequence.caches[0]! + at, other.caches[0]! + at, bytes];
    if (this.machine.run(pointer, from, end, registers, budget) < end) return false;
    sequence.cached = shared;
    return true;
  }

  trim(sequence: Sequence): number {
    this.interrupt(sequence);
    const bytes = kvBytes(this.ownKv, sequence.cached);
    this.arena.shrink(sequence.caches[0]!, bytes);
    return bytes;
  }

  replay(sequences: readonly Sequence[], budget?: bigint): Outcome {
    // nothing to wait for, even while these very sequences are in the middle of a step
    if (sequences.every(({ phase }) => phase === 'decode') && !replayBatch(sequences)) return 'done';
    for (;;) {
      const outcome = this.beforeBatches(sequences, budget);
      if (outcome !== 'done') return outcome;
      const batch = this.running?.batch ?? replayBatch(sequences);
      if (!batch) return 'done';
      if (!this.runBatch(sequences, batch, budget)) return 'paused';
    }
  }

  step(sequences: readonly Sequence[], budget?: bigint): Outcome {
    for (;;) {
      const outcome = this.beforeBatches(sequences, budget);
      if (outcome !== 'done') return outcome;
      const batch = this.running?.batch ?? nextBatch(sequences);
      if (!this.runBatch(sequences, batch, budget)) return 'paused';
      if (isOf(batch, sequences)) return 'done';
    }
  }

  evaluate(rows: readonly Row[], budget?: bigint): Outcome {
    const sequences = rows.map(({ sequence }) => sequence);
    for (;;) {
      const outcome = this.beforeBatches(sequences, budget);
      if (outcome !== 'done') return outcome;
      const batch = this.running?.batch ?? batchOf(rows);
      if (!this.runBatch(sequences, batch, budget)) return 'paused';
      if (isOfRows(batch, rows)) return 'done';
    }
  }

  greedy(row: number): number {
    if (!this.likeliest) {
      this.machine.run(...this.placed(this.programs.greedy), registersOf(this.logitRows, this.logitRows));
      const rows = this.machine.read(this.programs.batch, this.logitRows * ROW_BYTES);
      this.likeliest = new Uint32Array(rows.buffer);
    }
    return this.likeliest[(row * ROW_BYTES) / 4 + ROW_TOKEN]!;
  }

  token(row: number): number {
    return new Uint32Array(this.machine.read(this.programs.batch + row * ROW_BYTES + ROW_TOKEN * 4, 4).buffer)[0]!;
  }

  plan(sequences: readonly Sequence[]): StepPlan | undefined {
    if (this.running) return undefined;
    if (sequences.some(({ phase, cached, targetIds }) => phase !== 'decode' || cached !== targetIds.length - 1)) {
      return undefined;
    }
    const { forward, greedy, batch } = this.programs;
    return {
      step: this.placed(forward),
      choice: this.placed(greedy),
      registers: registersOf(sequences.length, sequences.length),
      table: batch,
      rows: rowWords(nextBatch(sequences)),
    };
  }

  get busy(): boolean {
    return this.running !== undefined;
  }

  logits(row = 0): Float32Array {
    const { at, cols } = this.programs.logits;
    const bytes = this.machine.read((at as number) + row * cols * 4, this.vocabularySize * 4);
    return new Float32Array(bytes.buffer);
  }

  /** If its program is under way, it has to begin again. */
  protected interrupt(sequence: Sequence): void {
    if (this.running?.sequences.includes(sequence)) this.running = undefined;
  }

  protected placed(program: Program, end = program.words.length): PlacedProgram {
    return [this.pointers.get(program)!, program.ops[0]!.from, end];
  }

  /** Whether nothing runs but what these sequences have begun; what nobody comes back for loses its turn. */
  protected mayRun(sequences: readonly Sequence[]): boolean {
    if (!this.running || this.running.sequences.every((sequence) => sequences.includes(sequence))) return true;
    this.running.waited += 1;
    if (this.running.waited <= PATIENCE) return false;
    this.running = undefined;
    return true;
  }

  /** Brings sequences as far as batches go, and says whether one may run. */
  private beforeBatches(sequences: readonly Sequence[], budget?: bigint): Outcome {
    if (this.running) {
      if (!this.mayRun(sequences)) return 'busy';
      if (this.running?.batch) return 'done';
    }
    // the one whose program is under way first
    for (const sequence of this.running ? [...this.running.sequences, ...sequences] : sequences) {
      if (sequence.forkOf && sequence.forkOf.phase !== 'decode') {
        throw new Error(`step: expected a fork of a sequence that has stepped, got one in "${sequence.forkOf.phase}"`);
      }
      const outcome = this.prepare(sequence, budget);
      if (outcome !== 'done') return outcome;
    }
    return 'done';
  }

  /** Begins a batch, or goes on with it where it is under way; whether it is through. */
  private runBatch(sequences: readonly Sequence[], batch: Batch, budget?: bigint): boolean {
    if (!this.running) {
      const { forward, head, batch: table } = this.programs;
      this.machine.write(table, new Uint8Array(rowWords(batch).buffer));
      const program = this.placed(forward, batch.logitRows > 0 ? undefined : head);
      const registers = registersOf(batch.rows.length, batch.logitRows);
      this.running = { sequences, program, registers, at: program[1], batch, waited: 0 };
    }
    if (!this.goOn(budget)) return false;
    noteCached(batch);
    this.logitRows = batch.logitRows;
    this.likeliest = undefined;
    return true;
  }

  /** Begins a program of one sequence's own, or goes on with it. */
  protected runOwn(sequence: Sequence, program: Program, rows: number, budget?: bigint): Outcome {
    const placed = this.placed(program);
    this.running ??= {
      sequences: [sequence],
      program: placed,
      registers: registersOf(rows, 0),
      at: placed[1],
      waited: 0,
    };
    return this.goOn(budget) ? 'done' : 'paused';
  }

  /** Runs what is under way; whether it is through. */
  private goOn(budget?: bigint): boolean {
    const run = this.running!;
    const [pointer, , end] = run.program;
    run.at = this.machine.run(pointer, run.at, end, run.registers, budget);
    if (run.at < end) {
      run.waited = 0;
      return false;
    }
    this.running = undefined;
    return true;
  }
}

/** @throws RangeError naming what there are too few or too many of */
export function checkLength(what: string, length: number, most: number): void {
  if (!Number.isInteger(length) || length < 1 || length > most) {
    throw new RangeError(`open: expected 1 to ${most} ${what}, got ${length}`);
  }
}
