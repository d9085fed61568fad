/**
 * Which of some listed answers a model finds likeliest: each is gone through token by token as if it had been made
 * (teacher forcing), and the logarithms of its tokens'
 * probabilities are added up. It is a generation whose answer comes at once, and cannot be anything that is not listed.
 *
 *   trunk    prompt, and what all choices begin with        logits once, for all of them
 *   forks    what follows that in each choice               rows of one batch, or of a few
 *
 * A decoder-only model's forks borrow the trunk's keys and values, as beams do. Where the trunk is as short as the
 * start token of an encoder-decoder, they make these
 * themselves, and everything is in one batch.
 */
import type { Program } from '../../tensor/machine.ts';
import { Recorder } from '../../tensor/recorder.ts';
import { plus, register, times } from '../../tensor/value.ts';
import { MAX_LOGIT_ROWS, type Row } from '../batch.ts';
import type { LanguageModel, Outcome } from '../language-model.ts';
import type { Sequence } from '../sequence.ts';
import { logSumExp, softmaxOf } from './exact-math.ts';
import type { FinishReason, Generation, GenerationState } from './generation.ts';
import { beginningOf, type GenerationOptions } from './options.ts';

/**
 * As many choices as there are sequences for are gone through at once; a further one gets the sequence of one that is
 * through.
 */
const MAX_FORKS = 16;
/** A trunk of so few positions is made anew by each fork: that costs less than a run of its own through the weights. */
const SHORT_TRUNK = 2;

/** A model gave something that is no number; to try again would give it again. */
export class NotFinite extends RangeError {}

/** What came of one choice. */
export interface Score {
  /** The sum of its tokens' log-probabilities, the end token's included where it counts. */
  logProbability: number;
  /** Tokens that the sum is over. */
  tokens: number;
  /** Among the choices: all add up to 1. */
  probability: number;
}

/** Scores from the sums of log-probabilities; one door, so that what is written down of a session is the sums alone. */
export function scoresOf(sums: readonly number[], { choices = [], scoring }: GenerationOptions): Score[] {
  const tokens = choices.map(({ length }) => length + (scoring?.endToken ? 1 : 0));
  const scores = sums.map((sum, i) => (scoring?.lengthNormalized ? sum / tokens[i]! : sum));
  const probabilities = softmaxOf(scores);
  return sums.map((logProbability, i) => ({ logProbability, tokens: tokens[i]!, probability: probabilities[i]! }));
}

/** The likeliest; the first of equally likely ones. */
export const likeliestOf = (scores: readonly Score[]): number =>
  scores.reduce((best, { probability }, i) => (probability > scores[best]!.probability ? i : best), 0);

/** How many ids all lists begin with. */
export function commonLength(lists: readonly (readonly number[])[]): number {
  const [first = []] = lists;
  let length = 0;
  while (length < first.length && lists.every((list) => list[length] === first[length])) length++;
  return length;
}

/** Rows that scoring takes behind the prompt: what the work is in proportion to. */
export function rowsOf({ choices = [], scoring }: GenerationOptions): number {
  const common = commonLength(choices);
  const end = scoring?.endToken ? 1 : 0;
  return choices.reduce((rows, { length }) => rows + Math.max(0, length - 1 + end - common), common + 1);
}

/** A row of which logits are wanted: it stands behind `made` tokens of these choices. */
interface ScoredRow extends Row {
  made: number;
  choices: readonly number[];
}

/** A sequence that goes through a choice; `next` tokens of it are behind it already. */
interface Fork {
  sequence: Sequence;
  choice: number;
  next: number;
}

export class Scoring implements Generation {
  readonly sequences: readonly Sequence[] = [];
  readonly isPlain = false;
  tokenIds: readonly number[] = [];
  finishReason: FinishReason | undefined;
  private readonly model: LanguageModel;
  private readonly options: GenerationOptions;
  private readonly choices: readonly (readonly number[])[];
  private readonly beginning: readonly number[];
  private readonly trunk: Sequence;
  private readonly forks: Fork[] = [];
  private readonly logSoftmax: { pointer: number; program: Program };
  /** Tokens that all choices begin with, and how many of the trunk's rows are done. */
  private readonly common: number;
  private trunkRows = 0;
  /** Choices that have rows of their own and have not begun. */
  private readonly waiting: number[] = [];
  /** Of each choice, the logarithm of each token's probability. */
  private readonly logarithms: number[][];
  /** What is being made. */
  private rows: readonly ScoredRow[] | undefined;

  /** @throws RangeError for lengths out of range, or where memory is exhausted */
  constructor(model: LanguageModel, sourceIds: readonly number[], options: GenerationOptions) {
    const { choices = [] } = options;
    this.model = model;
    this.options = options;
    this.choices = choices;
    this.common = commonLength(choices);
    this.logarithms = choices.map(() => []);
    choices.forEach((_, choice) => {
      if (this.lastRow(choice) > this.common) this.waiting.push(choice);
    });
    this.beginning = beginningOf(options, sourceIds);
    this.trunk = model.open(sourceIds, options.maxNewTokens, this.beginning);
    model.retarget(this.trunk, [...this.beginning, ...choices[0]!.slice(0, this.common)]);
    try {
      const forks = Math.min(this.waiting.length, MAX_FORKS);
      while (this.forks.length < forks)
        this.forks.push({ sequence: model.fork(this.trunk), choice: -1, next: Number.POSITIVE_INFINITY });
      this.logSoftmax = this.place();
    } catch (error) {
      this.closeForks();
      model.close(this.trunk);
      throw error;
    }
  }

  get sequence(): Sequence {
    return this.trunk;
  }

  /** Goes through all choices. */
  prepare(budget?: bigint): Outcome {
    for (;;) {
      this.rows ??= this.nextRows();
      if (this.rows.length === 0) return 'done';
      if (!this.isShort && !this.borrowed(budget)) return 'paused';
      const outcome = this.model.evaluate(this.rows, budget);
      if (outcome !== 'done') return outcome;
      this.rows.forEach((row, i) => {
        this.note(row, i);
      });
      this.rows = undefined;
    }
  }

  choose(): void {
    const best = likeliestOf(scoresOf(this.sums(), this.options));
    this.tokenIds = this.choices[best]!;
    this.finishReason = 'stop';
  }

  take(): void {
    throw new Error('scoring: expected rows of its own, got ids from a plan');
  }

  state(): GenerationState {
    return { tokenIds: [...this.tokenIds], ...(this.finishReason && { sums: this.sums() }) };
  }

  close(): void {
    this.model.close(this.leave());
  }

  leave(): Sequence {
    this.model.arena.release(this.logSoftmax.pointer);
    this.closeForks();
    return this.trunk;
  }

  private sums(): number[] {
    return this.logarithms.map((own) => own.reduce((sum, logarithm) => sum + logarithm, 0));
  }

  private get isShort(): boolean {
    return this.beginning.length + this.common <= SHORT_TRUNK;
  }

  /** Tokens of a choice behind which its last row stands. */
  private lastRow(choice: number): number {
    return this.choices[choice]!.length - (this.options.scoring?.endToken ? 0 : 1);
  }

  /** Rows for the next batch: those of the trunk, then those of as many choices as there are forks and room for. */
  private nextRows(): ScoredRow[] {
    const rows: ScoredRow[] = [];
    const all = [...this.choices.keys()];
    for (; this.trunkRows <= this.common && rows.length < MAX_LOGIT_ROWS; this.trunkRows++)
      rows.push(this.row(this.trunk, this.trunkRows, all));
    if (rows.length > 0 && !this.isShort) return rows;
    for (const fork of this.forks) {
      if (rows.length === MAX_LOGIT_ROWS) break;
      if (fork.next > this.lastOf(fork) && !this.begin(fork)) continue;
      for (; fork.next <= this.lastOf(fork) && rows.length < MAX_LOGIT_ROWS; fork.next++)
        rows.push(this.row(fork.sequence, fork.next, [fork.choice]));
    }
    return rows;
  }

  private lastOf({ choice }: Fork): number {
    return choice < 0 ? -1 : this.lastRow(choice);
  }

  private row(sequence: Sequence, made: number, choices: readonly number[]): ScoredRow {
    return { sequence, position: this.beginning.length - 1 + made, made, choices };
  }

  /** Gives a fork the next choice that waits. @returns whether there was one */
  private begin(fork: Fork): boolean {
    const choice = this.waiting.shift();
    if (choice === undefined) return false;
    this.model.retarget(fork.sequence, [...this.beginning, ...this.choices[choice]!]);
    Object.assign(fork, { choice, next: this.common + 1 });
    return true;
  }

  /** Whether all forks have the trunk's keys and values. */
  private borrowed(budget?: bigint): boolean {
    return this.rows!.every(
      ({ sequence }) => sequence === this.trunk || this.model.borrow(sequence, this.trunk, budget),
    );
  }

  /** Takes down what a row of logits says of the tokens that follow it. */
  private note({ made, choices }: ScoredRow, at: number): void {
    const { machine, output } = this.model;
    const { pointer, program } = this.logSoftmax;
    machine.run(pointer, program.ops[0]!.from, program.words.length, [at]);
    const { at: logits, cols } = output.logits;
    const read = (id: number): number =>
      new Float32Array(machine.read((logits as number) + (at * cols + id) * 4, 4).buffer)[0]!;
    // many choices go on with the same token
    const known = new Map<number, number>();
    for (const choice of choices) {
      const ids = this.choices[choice]!;
      const next = made < ids.length ? ids[made]! : -1;
      if (next < 0 && !this.options.scoring?.endToken) continue;
      if (!known.has(next)) known.set(next, next < 0 ? logSumExp(this.options.eosTokenIds.map(read)) : read(next));
      const logarithm = known.get(next)!;
      if (!Number.isFinite(logarithm))
        throw new NotFinite(
          `expected finite log-probabilities, got ${logarithm} for token ${made} of choice ${choice}`,
        );
      this.logarithms[choice]![made] = logarithm;
    }
  }

  private place(): { pointer: number; program: Program } {
    const { output, arena, machine } = this.model;
    const all = output.logits;
    const r = new Recorder();
    r.logSoftmax({ ...all, at: plus(all.at, times(register(0), all.cols * 4)), rows: 1 });
    const program = r.finish();
    const pointer = arena.allocate(program.words.byteLength);
    machine.write(pointer, new Uint8Array(program.words.buffer));
    return { pointer, program };
  }

  /** Before the sequence whose prompt they share. */
  private closeForks(): void {
    for (const { sequence } of this.forks) this.model.close(sequence);
  }
}
