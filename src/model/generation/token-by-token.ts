/** Greedy search and sampling: one hypothesis, the likeliest or a drawn token each time. */
import type { StepPlan, T5, T5Session } from '../t5/t5.ts';
import { Choice, isPlainGreedy } from './choice.ts';
import type { FinishReason, Generation, GenerationState, Progress } from './generation.ts';
import type { GenerationOptions } from './options.ts';
import { philox } from './philox.ts';

export class TokenByToken implements Generation {
  readonly session: T5Session;
  readonly tokenIds: number[];
  finishReason: FinishReason | undefined;
  private readonly t5: T5;
  private readonly options: GenerationOptions;
  /** Undefined where T5's own greedy program does. */
  private readonly choice: Choice | undefined;

  constructor(t5: T5, sourceIds: readonly number[], options: GenerationOptions, tokenIds: readonly number[] = []) {
    this.t5 = t5;
    this.options = options;
    this.tokenIds = [...tokenIds];
    this.session = t5.open(sourceIds, options.maxNewTokens, [options.decoderStartTokenId, ...tokenIds]);
    if (isPlainGreedy(options)) return;
    try {
      this.choice = new Choice(t5, options);
    } catch (error) {
      t5.close(this.session);
      throw error;
    }
  }

  advance(budget?: bigint): Progress {
    if (this.finishReason) return 'finished';
    const outcome = this.t5.step(this.session, budget);
    if (outcome !== 'done') return outcome;
    const id = this.choice ? this.choice.token(this.session.targetIds, this.random()) : this.t5.greedy();
    this.add(id);
    return this.finishReason ? 'finished' : 'token';
  }

  private add(id: number): void {
    this.session.targetIds.push(id);
    this.tokenIds.push(id);
    if (this.options.eosTokenIds.includes(id)) this.finishReason = 'stop';
    else if (this.tokenIds.length >= this.options.maxNewTokens) this.finishReason = 'length';
  }

  plan(): StepPlan | undefined {
    return this.choice || this.finishReason ? undefined : this.t5.plan(this.session);
  }

  take(ids: readonly number[]): void {
    this.session.cached += ids.length;
    for (const id of ids) this.add(id);
  }

  state(): GenerationState {
    return { tokenIds: [...this.tokenIds] };
  }

  close(): void {
    this.choice?.close();
    this.t5.close(this.session);
  }

  /** Token n takes the first word at counter n (docs/generation.md). */
  private random(): number {
    return this.options.doSample ? philox(this.options.key, [this.tokenIds.length, 0, 0, 0])[0] : 0;
  }
}
