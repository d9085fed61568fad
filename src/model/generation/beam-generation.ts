/**
 * Beam search on a model: each running hypothesis is a sequence on the same prompt, and all of them are rows of a
 * batch. Where one falls out, its sequence is given to a second continuation of another, which borrows that one's keys
 * and values.
 */
import type { LanguageModel, Outcome } from '../language-model.ts';
import type { Sequence } from '../sequence.ts';
import { type BeamState, beginBeams, bestOf, type Continuation, extendBeams } from './beam-search.ts';
import { Choice } from './choice.ts';
import type { FinishReason, Generation, GenerationState } from './generation.ts';
import { beginningOf, candidatesOf, type GenerationOptions } from './options.ts';

export class BeamGeneration implements Generation {
  readonly isPlain = false;
  private readonly model: LanguageModel;
  private readonly options: GenerationOptions;
  private readonly choice: Choice;
  private readonly beams: BeamState;
  /** Ids before an answer's. */
  private readonly beginning: readonly number[];
  /** One for every beam there may be; the first has the prompt, the others are its forks. */
  private readonly all: Sequence[] = [];
  /** Sequences of the running hypotheses, in their order. */
  private running: Sequence[];

  constructor(
    model: LanguageModel,
    sourceIds: readonly number[],
    options: GenerationOptions,
    state: BeamState = beginBeams(),
  ) {
    if (state.over) throw new Error('generation: expected the state of an unfinished one, got one that is over');
    this.model = model;
    this.options = options;
    this.beams = { ...state };
    this.beginning = beginningOf(options, sourceIds);
    try {
      this.all.push(model.open(sourceIds, options.maxNewTokens, this.targetIds(0)));
      while (this.all.length < options.numBeams) this.all.push(model.fork(this.sequence));
      this.choice = new Choice(model, options, this.sequence.given);
    } catch (error) {
      this.closeSequences(this.all);
      throw error;
    }
    this.running = this.all.slice(0, state.running.length);
    this.running.forEach((sequence, i) => {
      model.retarget(sequence, this.targetIds(i));
    });
  }

  get sequence(): Sequence {
    return this.all[0]!;
  }

  get sequences(): readonly Sequence[] {
    return this.running;
  }

  get tokenIds(): readonly number[] {
    return bestOf(this.beams).ids;
  }

  get finishReason(): FinishReason | undefined {
    if (!this.beams.over) return undefined;
    return this.options.eosTokenIds.includes(this.tokenIds.at(-1)!) ? 'stop' : 'length';
  }

  /**
   * Keys and values that a hypothesis lacks, others may have: after it has changed its sequence, and after an upgrade,
   * when the first makes them and the others borrow as far as they agree.
   */
  prepare(budget?: bigint): Outcome {
    for (const sequence of this.running) {
      for (const other of this.running) if (other !== sequence) this.model.borrow(sequence, other);
      // the first has the prompt, which others cannot do without
      const outcome = this.model.replay(
        this.sequence.phase === 'decode' ? [sequence] : [this.sequence, sequence],
        budget,
      );
      if (outcome !== 'done') return outcome;
    }
    return 'done';
  }

  choose(row: number): void {
    const continuations = this.running.flatMap(({ targetIds }, beam) =>
      this.choice.candidates(row + beam, targetIds).map((candidate) => ({ beam, ...candidate })),
    );
    const goOn = extendBeams(this.beams, continuations, candidatesOf(this.options), this.options);
    if (!this.beams.over) this.reassign(goOn);
  }

  take(): void {
    throw new Error('beams: expected their tokens from a step, got ids from a plan');
  }

  state(): GenerationState {
    return { tokenIds: [...this.tokenIds], beams: { ...this.beams } };
  }

  close(): void {
    this.model.close(this.leave());
  }

  leave(): Sequence {
    this.choice.close();
    const [first, ...forks] = this.all;
    this.closeSequences(forks);
    return first!;
  }

  private targetIds(beam: number): number[] {
    return [...this.beginning, ...this.beams.running[beam]!.ids];
  }

  /** The first continuation of a hypothesis keeps its sequence, further ones get the sequences that nobody keeps. */
  private reassign(goOn: readonly Continuation[]): void {
    const before = this.running;
    const kept = new Set(goOn.map(({ beam }) => before[beam]!));
    const free = this.all.filter((sequence) => !kept.has(sequence));
    this.running = goOn.map(({ beam }) => {
      const own = before[beam]!;
      return kept.delete(own) ? own : free.pop()!;
    });
    this.running.forEach((sequence, i) => {
      this.model.retarget(sequence, this.targetIds(i));
    });
  }

  private closeSequences(sequences: readonly Sequence[]): void {
    // forks before the sequence whose prompt they share
    for (const sequence of [...sequences].reverse()) this.model.close(sequence);
  }
}
