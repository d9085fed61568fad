/**
 * Beam search on a T5: each running hypothesis is a session on the same prompt, stepped one after another by the same program. Where one falls
 * out, its session is given to a second continuation of another, which borrows that one's keys and values.
 */
import type { T5, T5Session } from '../t5/t5.ts';
import { type BeamState, beginBeams, bestOf, type Continuation, extendBeams } from './beam-search.ts';
import { Choice } from './choice.ts';
import type { FinishReason, Generation, GenerationState, Progress } from './generation.ts';
import { candidatesOf, type GenerationOptions } from './options.ts';

export class BeamGeneration implements Generation {
  private readonly t5: T5;
  private readonly options: GenerationOptions;
  private readonly choice: Choice;
  private readonly beams: BeamState;
  /** One for every beam there may be; the first has the prompt, the others are its forks. */
  private readonly sessions: T5Session[] = [];
  /** Sessions of the running hypotheses, in their order. */
  private running: T5Session[];
  /** Of the running hypotheses stepped at this position so far. */
  private continuations: Continuation[] = [];
  private stepped = 0;

  constructor(t5: T5, sourceIds: readonly number[], options: GenerationOptions, state: BeamState = beginBeams()) {
    if (state.over) throw new Error('generation: expected the state of an unfinished one, got one that is over');
    this.t5 = t5;
    this.options = options;
    this.beams = { ...state };
    try {
      this.sessions.push(t5.open(sourceIds, options.maxNewTokens, this.targetIds(0)));
      while (this.sessions.length < options.numBeams) this.sessions.push(t5.fork(this.session));
      this.choice = new Choice(t5, options);
    } catch (error) {
      this.closeSessions();
      throw error;
    }
    this.running = this.sessions.slice(0, state.running.length);
    this.running.forEach((session, i) => {
      t5.retarget(session, this.targetIds(i));
    });
  }

  get session(): T5Session {
    return this.sessions[0]!;
  }

  get tokenIds(): readonly number[] {
    return bestOf(this.beams).ids;
  }

  get finishReason(): FinishReason | undefined {
    if (!this.beams.over) return undefined;
    return this.options.eosTokenIds.includes(this.tokenIds.at(-1)!) ? 'stop' : 'length';
  }

  advance(budget?: bigint): Progress {
    if (this.beams.over) return 'finished';
    for (; this.stepped < this.running.length; this.stepped++) {
      const session = this.running[this.stepped]!;
      this.borrowFor(session);
      const outcome = this.t5.step(session, budget);
      if (outcome !== 'done') return outcome;
      for (const candidate of this.choice.candidates(session.targetIds)) {
        this.continuations.push({ beam: this.stepped, ...candidate });
      }
    }
    const goOn = extendBeams(this.beams, this.continuations, candidatesOf(this.options), this.options);
    this.continuations = [];
    this.stepped = 0;
    if (this.beams.over) return 'finished';
    this.reassign(goOn);
    return 'token';
  }

  state(): GenerationState {
    return { tokenIds: [...this.tokenIds], beams: { ...this.beams } };
  }

  close(): void {
    this.choice.close();
    this.closeSessions();
  }

  private targetIds(beam: number): number[] {
    return [this.options.decoderStartTokenId, ...this.beams.running[beam]!.ids];
  }

  /** Keys and values that a hypothesis lacks, others may have: after it has changed its session, and after an upgrade. */
  private borrowFor(session: T5Session): void {
    for (const other of this.running) {
      if (session.cached >= session.targetIds.length - 1) return;
      if (other !== session) this.t5.borrow(session, other);
    }
  }

  /** The first continuation of a hypothesis keeps its session, further ones get the sessions that nobody keeps. */
  private reassign(goOn: readonly Continuation[]): void {
    const before = this.running;
    const kept = new Set(goOn.map(({ beam }) => before[beam]!));
    const free = this.sessions.filter((session) => !kept.has(session));
    this.running = goOn.map(({ beam }) => {
      const own = before[beam]!;
      return kept.delete(own) ? own : free.pop()!;
    });
    this.running.forEach((session, i) => {
      this.t5.retarget(session, this.targetIds(i));
    });
  }

  private closeSessions(): void {
    // forks before the session whose prompt they share
    for (const session of this.sessions.reverse()) this.t5.close(session);
  }
}
