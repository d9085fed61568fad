/**
 * What every family's model does in the same way: it holds programs and weights in the arena, and takes sequences on by
 * batches of rows through `forward`. Working rows are shared, so one program is worked on at a time; others may have
 * their rows with other stages meanwhile. What comes before batches, such as an encoder, is the family's.
 */
import { ROW_BYTES, ROW_TOKEN } from '../tensor/assembly/row-table.ts';
import type { Program, Registers } from '../tensor/machine.ts';
import type { Rows } from '../tensor/recorder.ts';
import { type Batch, batchOf, nextBatch, noteCached, type Row, replayBatch, rowWords } from './batch.ts';
import { type BatchPrograms, registersOf } from './batch-programs.ts';
import { type KvLayout, kvBytes, kvPiece } from './kv-layout.ts';
import type { LanguageModel, Limits, Outcome, StepPlan } from './language-model.ts';
import { PlacedModel, type PlacedProgram } from './placed-model.ts';
import { agreement, type Sequence } from './sequence.ts';
import type { Errand, Errands, Load } from './stages/errands.ts';
import { FORWARD } from './stages/wire.ts';

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
  /** Where its rows go through layers that are elsewhere. */
  leave?: Leave | undefined;
  waited: number;
}

/** How a program's rows go to other stages and come back. */
export interface Leave {
  load: Load;
  /** The word before which they leave. */
  at: number;
  /** Where they are, and come back to. */
  area: Rows;
  state: 'here' | 'away' | 'back';
  /** The rows that have come back. */
  hidden?: Uint8Array;
}

/** Whether the batch leaves the logits of these sequences, in their order. */
const isOf = ({ rows, logitRows }: Batch, sequences: readonly Sequence[]): boolean =>
  logitRows === sequences.length && sequences.every((sequence, i) => rows[i]!.sequence === sequence);

/** Whether the batch leaves the logits of these rows, in their order. */
const isOfRows = ({ rows, logitRows }: Batch, wanted: readonly Row[]): boolean =>
  logitRows === wanted.length &&
  wanted.every(({ sequence, position }, i) => rows[i]!.sequence === sequence && rows[i]!.position === position);

export abstract class BatchedModel<P extends BatchPrograms> extends PlacedModel<P> implements LanguageModel {
  abstract readonly vocabularySize: number;
  abstract readonly limits: Limits;
  abstract readonly hasEncoder: boolean;
  abstract readonly stages: number;
  /** What has the working rows. */
  protected running: Run | undefined;
  /** Programs whose rows are with other stages, or have come back and wait for the working rows. */
  private readonly away: Run[] = [];
  /** What is asked of other stages, where not all layers are here. */
  protected abstract readonly errands: Errands | undefined;
  /** Rows of logits that the last step left, and the likeliest ids of all of them, once they were asked for. */
  private logitRows = 0;
  private likeliest: Uint32Array | undefined;

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

  takeErrand(): Errand | undefined {
    return this.errands?.take();
  }

  answerErrand(errand: Errand, bytes: Uint8Array): void {
    const result = this.errands?.answer(errand, bytes, (sequence, from) => {
      if (from === 'prompt') sequence.phase = 'cross';
      else sequence.cached = Math.min(sequence.cached, from);
    });
    if (result === undefined || result === 'away') return;
    const run = this.away.find(({ leave }) => leave!.load === errand.load);
    if (!run) return;
    if (result === 'lost') this.drop(run);
    else Object.assign(run.leave!, { state: 'back', hidden: result });
  }

  giveUpErrand({ load }: Errand): void {
    const run = this.away.find(({ leave }) => leave!.load === load);
    if (run) this.drop(run);
  }

  get batchesAway(): number {
    return this.away.length;
  }

  whereIs(sequences: readonly Sequence[]): 'away' | 'back' | undefined {
    const those = withRoots(sequences);
    const runs = this.away.filter((run) => those.some((one) => run.sequences.includes(one)));
    return runs.some(({ leave }) => leave!.state === 'back') ? 'back' : runs.length > 0 ? 'away' : undefined;
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
    this.errands?.copy(sequence, other, sequence.cached, shared);
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
      const ran = this.runBatch(sequences, batch, budget);
      if (ran !== 'done') return ran;
    }
  }

  step(sequences: readonly Sequence[], budget?: bigint): Outcome {
    for (;;) {
      const outcome = this.beforeBatches(sequences, budget);
      if (outcome !== 'done') return outcome;
      const batch = this.running?.batch ?? nextBatch(sequences);
      const ran = this.runBatch(sequences, batch, budget);
      if (ran !== 'done') return ran;
      if (isOf(batch, sequences)) return 'done';
    }
  }

  evaluate(rows: readonly Row[], budget?: bigint): Outcome {
    const sequences = rows.map(({ sequence }) => sequence);
    for (;;) {
      const outcome = this.beforeBatches(sequences, budget);
      if (outcome !== 'done') return outcome;
      const batch = this.running?.batch ?? batchOf(rows);
      const ran = this.runBatch(sequences, batch, budget);
      if (ran !== 'done') return ran;
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
    if (this.running || this.errands) return undefined;
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

  get underWay(): readonly Sequence[] {
    return this.running?.sequences ?? [];
  }

  logits(row = 0): Float32Array {
    const { at, cols } = this.programs.logits;
    const bytes = this.machine.read((at as number) + row * cols * 4, this.vocabularySize * 4);
    return new Float32Array(bytes.buffer);
  }

  /** If its program is under way, it has to begin again. */
  protected interrupt(sequence: Sequence): void {
    if (this.running?.sequences.includes(sequence)) this.running = undefined;
    for (const run of [...this.away]) if (run.sequences.includes(sequence)) this.drop(run);
  }

  /** What is away has to begin again. */
  private drop(run: Run): void {
    this.away.splice(this.away.indexOf(run), 1);
    this.errands!.giveUp(run.leave!.load);
  }

  /**
   * Whether a program of these sequences may have the working rows; where they have come back from other stages, that
   * program has them then. What nobody comes back for loses its turn.
   */
  protected mayRun(sequences: readonly Sequence[]): Outcome {
    const isOwn = (run: Run): boolean => run.sequences.every((sequence) => sequences.includes(sequence));
    if (this.running && !isOwn(this.running)) {
      this.running.waited += 1;
      if (this.running.waited <= PATIENCE) return 'busy';
      this.running = undefined;
    }
    if (this.running) return 'done';
    const theirs = this.away.filter((run) => run.sequences.some((sequence) => sequences.includes(sequence)));
    const back = theirs.filter(({ leave }) => leave!.state === 'back');
    // what came back for another batch than this
    for (const run of back) if (!isOwn(run)) this.drop(run);
    const run = back.find(isOwn);
    if (!run) return theirs.length > back.length ? 'away' : 'done';
    this.away.splice(this.away.indexOf(run), 1);
    this.running = run;
    if (run.batch) this.writeTable(run.batch);
    else this.writePrompt(run.sequences[0]!);
    const { area, hidden } = run.leave!;
    if (hidden!.length > 0) this.writeRows(area, run.registers, hidden!);
    return 'done';
  }

  /** Writes the table of a prompt's rows, which programs of a sequence's own read. */
  protected abstract writePrompt(sequence: Sequence): void;

  private writeTable(batch: Batch): void {
    this.machine.write(this.programs.batch, new Uint8Array(rowWords(batch).buffer));
  }

  /** Brings sequences as far as batches go, and says whether one may run. */
  private beforeBatches(those: readonly Sequence[], budget?: bigint): Outcome {
    const sequences = this.errands ? withRoots(those) : those;
    const may = this.mayRun(sequences);
    if (may !== 'done') return may;
    if (this.running?.batch) return 'done';
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

  /** Begins a batch, or goes on with it where it is under way. */
  private runBatch(sequences: readonly Sequence[], batch: Batch, budget?: bigint): Outcome {
    if (!this.running) {
      const { forward, head } = this.programs;
      this.writeTable(batch);
      const program = this.placed(forward, batch.logitRows > 0 ? undefined : head);
      const registers = registersOf(batch.rows.length, batch.logitRows);
      this.running = { sequences, program, registers, at: program[1], batch, waited: 0 };
      if (this.errands) this.running.leave = this.leaveOf(sequences, batch);
    }
    const outcome = this.goOn(budget);
    if (outcome !== 'done') return outcome;
    noteCached(batch);
    this.logitRows = batch.logitRows;
    this.likeliest = undefined;
    return 'done';
  }

  private leaveOf(sequences: readonly Sequence[], { rows, logitRows }: Batch): Leave {
    const load: Load = {
      kind: FORWARD,
      sequences,
      rows: rows.map(({ sequence, position }) => [sequence, position] as const),
      back: logitRows,
    };
    return { load, at: this.programs.head, area: this.programs.hidden, state: 'here' };
  }

  /** Begins a program of one sequence's own, or goes on with it. */
  protected runOwn(sequence: Sequence, program: Program, rows: number, budget?: bigint, leave?: Leave): Outcome {
    if (!this.running) {
      const placed = this.placed(program);
      // the table may be another's, whose program has come back from other stages meanwhile
      this.writePrompt(sequence);
      this.running = {
        sequences: [sequence],
        program: placed,
        registers: registersOf(rows, 0),
        at: placed[1],
        leave,
        waited: 0,
      };
    }
    return this.goOn(budget);
  }

  /** Runs what has the working rows. */
  private goOn(budget?: bigint): Outcome {
    const run = this.running!;
    const { leave } = run;
    const [pointer, , end] = run.program;
    const until = leave?.state === 'here' ? leave.at : end;
    if (run.at < until) run.at = this.machine.run(pointer, run.at, until, run.registers, budget);
    if (run.at < until) {
      run.waited = 0;
      return 'paused';
    }
    this.running = undefined;
    if (leave?.state !== 'here') return 'done';
    leave.state = 'away';
    run.waited = 0;
    this.away.push(run);
    this.errands!.begin(leave.load, this.readRows(leave.area, run.registers, leave.load.rows.length));
    return 'away';
  }
}

/** With the sequences whose prompts they share, where these have lost theirs. */
const withRoots = (sequences: readonly Sequence[]): readonly Sequence[] => [
  ...new Set(sequences.flatMap((one) => (one.forkOf && one.forkOf.phase !== 'decode' ? [one.forkOf, one] : [one]))),
];

/** @throws RangeError naming what there are too few or too many of */
export function checkLength(what: string, length: number, most: number): void {
  if (!Number.isInteger(length) || length < 1 || length > most) {
    throw new RangeError(`open: expected 1 to ${most} ${what}, got ${length}`);
  }
}
