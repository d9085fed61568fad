/**
 * A T5 at work on a machine. A sequence goes from its prompt to its first logits by three programs: `encode`, `cross`, and `forward`, which all further
 * tokens take too, a batch of rows at a time. Working rows are shared, so one program is under way at most.
 */
import type { Arena } from '../../../tensor/arena.ts';
import { ROW_BYTES, ROW_TOKEN } from '../../../tensor/assembly/row-table.ts';
import type { Machine, Program, Registers } from '../../../tensor/machine.ts';
import { type Batch, nextBatch, noteCached, replayBatch, rowWords } from '../../batch.ts';
import type { LanguageModel, Outcome, PlacedProgram, StepPlan } from '../../language-model.ts';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../../limits.ts';
import { agreement, type Sequence } from '../../sequence.ts';
import { packWeightsBytes } from '../../tensor-table.ts';
import { CROSS, cacheBytes, pieceOf, promptWords, rowOf, SELF } from './kv-caches.ts';
import { recordT5, registersOf, type T5Programs } from './programs.ts';
import { packTensors, type T5Shape } from './tensors.ts';

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

/** Whether the batch leaves the logits of these sequences, in their order. */
const isOf = ({ rows, logitRows }: Batch, sequences: readonly Sequence[]): boolean =>
  logitRows === sequences.length && sequences.every((sequence, i) => rows[i]!.sequence === sequence);

export class T5 implements LanguageModel {
  readonly shape: T5Shape;
  readonly weightsAt: number;
  readonly weightsBytes: number;
  readonly programs: T5Programs;
  readonly machine: Machine;
  readonly arena: Arena;
  private readonly pointers = new Map<Program, number>();
  /** Room taken for weights, programs and working rows. */
  private readonly held: number[] = [];
  private running: Run | undefined;
  /** The sequence whose prompt's encoding stands in `programs.encoded`. */
  private encodedFor: Sequence | undefined;
  /** Rows of logits that the last step left, and the likeliest ids of all of them, once they were asked for. */
  private logitRows = 0;
  private likeliest: Uint32Array | undefined;

  /** Takes room for everything but sequences. The weights are to be written to `weightsAt` before the first sequence runs. */
  constructor(machine: Machine, arena: Arena, shape: T5Shape) {
    this.machine = machine;
    this.shape = shape;
    this.arena = arena;
    const tensors = packTensors(shape);
    this.weightsBytes = packWeightsBytes(tensors);
    this.weightsAt = this.allocate(this.weightsBytes);
    this.programs = recordT5(shape, tensors, this.weightsAt, (bytes) => this.allocate(bytes));
    const { encode, cross, forward, greedy, copy } = this.programs;
    for (const program of [encode, cross, forward, greedy, copy]) {
      const pointer = this.allocate(program.words.byteLength);
      this.machine.write(pointer, new Uint8Array(program.words.buffer));
      this.pointers.set(program, pointer);
    }
  }

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

  get vocabularySize(): number {
    return this.shape.config.vocabularySize;
  }

  get output(): LanguageModel['output'] {
    return { logits: this.programs.logits, table: this.programs.batch };
  }

  open(sourceIds: readonly number[], capacity: number, targetIds?: readonly number[]): Sequence {
    const target = [...(targetIds ?? [this.shape.config.decoderStartTokenId])];
    this.check(sourceIds, capacity, target);
    const cross = this.arena.allocate(cacheBytes(this.shape, sourceIds.length));
    const self = this.allocateSelf(cross, capacity);
    const row = rowOf(this.shape, sourceIds.length, self, cross);
    const caches = [self, cross];
    return { sourceIds: [...sourceIds], targetIds: target, capacity, caches, row, phase: 'encode', cached: 0 };
  }

  private check(sourceIds: readonly number[], capacity: number, targetIds: readonly number[]): void {
    const lengthOf = (what: string, length: number, most: number): void => {
      if (!Number.isInteger(length) || length < 1 || length > most) {
        throw new RangeError(`open: expected 1 to ${most} ${what}, got ${length}`);
      }
    };
    lengthOf('prompt tokens', sourceIds.length, MAX_SOURCE_LENGTH);
    lengthOf('new tokens', capacity, MAX_TARGET_LENGTH);
    lengthOf('target tokens', targetIds.length, capacity);
    for (const id of [...sourceIds, ...targetIds]) {
      if (!Number.isInteger(id) || id < 0 || id >= this.vocabularySize) {
        throw new RangeError(`open: expected token ids from 0 to ${this.vocabularySize - 1}, got ${id}`);
      }
    }
  }

  fork(first: Sequence): Sequence {
    const self = this.arena.allocate(cacheBytes(this.shape, first.capacity));
    const caches = [self, first.caches[CROSS]!];
    const row = rowOf(this.shape, first.sourceIds.length, self, first.caches[CROSS]!);
    return { ...first, targetIds: [...first.targetIds], caches, row, forkOf: first, phase: 'decode', cached: 0 };
  }

  retarget(sequence: Sequence, targetIds: readonly number[]): void {
    this.interrupt(sequence);
    sequence.cached = Math.min(sequence.cached, agreement(sequence.targetIds, targetIds));
    sequence.targetIds.splice(0, sequence.targetIds.length, ...targetIds);
  }

  borrow(sequence: Sequence, other: Sequence): void {
    const shared = Math.min(other.cached, agreement(sequence.targetIds, other.targetIds));
    if (shared <= sequence.cached) return;
    this.interrupt(sequence);
    const { at, bytes } = pieceOf(this.shape, sequence.cached, shared);
    this.machine.run(...this.placed(this.programs.copy), [
      sequence.caches[SELF]! + at,
      other.caches[SELF]! + at,
      bytes,
    ]);
    sequence.cached = shared;
  }

  close(sequence: Sequence): void {
    this.arena.release(sequence.caches[SELF]!);
    if (!sequence.forkOf) this.arena.release(sequence.caches[CROSS]!);
    this.interrupt(sequence);
    if (this.encodedFor === sequence) this.encodedFor = undefined;
  }

  encode(sequence: Sequence, budget?: bigint): Outcome {
    if (sequence.phase !== 'encode') return 'done';
    if (!this.mayRun([sequence])) return 'busy';
    if (!this.running) {
      this.encodedFor = undefined;
      this.writePrompt(sequence);
    }
    const outcome = this.ofPrompt(sequence, this.programs.encode, budget);
    if (outcome === 'done') {
      sequence.phase = 'cross';
      this.encodedFor = sequence;
    }
    return outcome;
  }

  /** float32 [S, D padded] of the sequence that was encoded last. */
  encoding(sequence: Sequence): Uint8Array {
    if (this.encodedFor !== sequence)
      throw new Error('encoding: expected the sequence that was encoded last, got another');
    return this.machine.read(this.encodedAt, this.encodingBytes(sequence));
  }

  encodingBytes(sequence: Sequence): number {
    return sequence.sourceIds.length * this.programs.encoded.cols * 4;
  }

  useEncoding(sequence: Sequence, encoding: Uint8Array): Outcome {
    if (!this.mayRun([sequence])) return 'busy';
    if (encoding.length !== this.encodingBytes(sequence)) {
      throw new RangeError(`useEncoding: expected ${this.encodingBytes(sequence)} bytes, got ${encoding.length}`);
    }
    this.machine.write(this.encodedAt, encoding);
    this.writePrompt(sequence);
    sequence.phase = 'cross';
    this.encodedFor = sequence;
    return 'done';
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

  /** float32 [V] of a row after `step` was done. For looking at; in the canister logits stay in the unit. */
  logits(row = 0): Float32Array {
    const { at, cols } = this.programs.logits;
    const bytes = this.machine.read((at as number) + row * cols * 4, this.vocabularySize * 4);
    return new Float32Array(bytes.buffer);
  }

  private get encodedAt(): number {
    return this.programs.encoded.at as number;
  }

  /** If its program is under way, it has to begin again. */
  private interrupt(sequence: Sequence): void {
    if (this.running?.sequences.includes(sequence)) this.running = undefined;
  }

  private allocateSelf(cross: number, capacity: number): number {
    try {
      return this.arena.allocate(cacheBytes(this.shape, capacity));
    } catch (error) {
      this.arena.release(cross);
      throw error;
    }
  }

  private placed(program: Program, end = program.words.length): PlacedProgram {
    return [this.pointers.get(program)!, program.ops[0]!.from, end];
  }

  private writePrompt(sequence: Sequence): void {
    const { prompt, encoderCache } = this.programs;
    this.machine.write(prompt, new Uint8Array(promptWords(this.shape, encoderCache, sequence).buffer));
  }

  /** Whether nothing runs but what these sequences have begun; what nobody comes back for loses its turn. */
  private mayRun(sequences: readonly Sequence[]): boolean {
    if (!this.running || this.running.sequences.every((sequence) => sequences.includes(sequence))) return true;
    this.running.waited += 1;
    if (this.running.waited <= PATIENCE) return false;
    this.running = undefined;
    return true;
  }

  /** Brings a sequence as far as batches go. One whose encoding another has overwritten meanwhile goes back to `encode`. */
  private prepare(sequence: Sequence, budget?: bigint): Outcome {
    if (sequence.forkOf && sequence.forkOf.phase !== 'decode') {
      throw new Error(`step: expected a fork of a sequence that has stepped, got one in "${sequence.forkOf.phase}"`);
    }
    if (sequence.phase === 'decode') return 'done';
    if (sequence.phase === 'cross' && this.encodedFor !== sequence) sequence.phase = 'encode';
    const outcome = this.encode(sequence, budget);
    if (outcome !== 'done') return outcome;
    const crossed = this.ofPrompt(sequence, this.programs.cross, budget);
    if (crossed === 'done') sequence.phase = 'decode';
    return crossed;
  }

  /** Brings sequences as far as batches go, and says whether one may run. */
  private beforeBatches(sequences: readonly Sequence[], budget?: bigint): Outcome {
    if (this.running) {
      if (!this.mayRun(sequences)) return 'busy';
      if (this.running?.batch) return 'done';
    }
    // the one whose program is under way first
    for (const sequence of this.running ? [...this.running.sequences, ...sequences] : sequences) {
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

  private ofPrompt(sequence: Sequence, program: Program, budget?: bigint): Outcome {
    const placed = this.placed(program);
    const rows = sequence.sourceIds.length;
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
