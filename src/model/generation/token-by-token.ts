/** Greedy search and sampling: one hypothesis, the likeliest or a drawn token each time. */

import { StopStream } from '../../text/stop-strings.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import type { LanguageModel, Outcome } from '../language-model.ts';
import type { Sequence } from '../sequence.ts';
import { Choice, isPlainGreedy } from './choice.ts';
import type { FinishReason, Generation, GenerationState } from './generation.ts';
import { beginningOf, type GenerationOptions } from './options.ts';
import { philox } from './philox.ts';

export class TokenByToken implements Generation {
  readonly sequence: Sequence;
  readonly sequences: readonly Sequence[];
  readonly tokenIds: number[];
  finishReason: FinishReason | undefined;
  private readonly model: LanguageModel;
  private readonly options: GenerationOptions;
  /** Undefined where the model's own greedy program does. */
  private readonly choice: Choice | undefined;
  /** Looks for stop strings in what is written. */
  private readonly text: StopStream | undefined;

  constructor(
    model: LanguageModel,
    sourceIds: readonly number[],
    options: GenerationOptions,
    tokenIds: readonly number[] = [],
    tokenizer?: Pick<Tokenizer, 'stream'>,
  ) {
    this.model = model;
    this.options = options;
    this.tokenIds = [...tokenIds];
    this.text = stopStreamOf(options, tokenIds, tokenizer);
    this.sequence = model.open(sourceIds, options.maxNewTokens, [...beginningOf(options, sourceIds), ...tokenIds]);
    this.sequences = [this.sequence];
    if (isPlainGreedy(options)) return;
    try {
      this.choice = new Choice(model, options, this.sequence.given);
    } catch (error) {
      model.close(this.sequence);
      throw error;
    }
  }

  /** Nothing: a step does all that one sequence needs. */
  prepare(): Outcome {
    return 'done';
  }

  choose(row: number): void {
    this.add(this.choice ? this.choice.token(row, this.sequence.targetIds, this.random()) : this.model.greedy(row));
  }

  private add(id: number): void {
    this.sequence.targetIds.push(id);
    this.tokenIds.push(id);
    if (this.options.eosTokenIds.includes(id)) this.finishReason = 'stop';
    else if (this.isStopped(id)) this.finishReason = 'stop';
    else if (this.tokenIds.length >= this.options.maxNewTokens) this.finishReason = 'length';
  }

  private isStopped(id: number): boolean {
    this.text?.push(id);
    return this.text?.isStopped ?? false;
  }

  get isPlain(): boolean {
    return !this.choice && !this.text;
  }

  take(ids: readonly number[]): void {
    this.sequence.cached += ids.length;
    for (const id of ids) this.add(id);
  }

  state(): GenerationState {
    return { tokenIds: [...this.tokenIds] };
  }

  close(): void {
    this.model.close(this.leave());
  }

  leave(): Sequence {
    this.choice?.close();
    return this.sequence;
  }

  /** Token n takes the first word at counter n (docs/generation.md). */
  private random(): number {
    return this.options.doSample ? philox(this.options.key, [this.tokenIds.length, 0, 0, 0])[0] : 0;
  }
}

/**
 * The stream that looks for stop strings, if there are any, behind the tokens that are there: it has read so many of
 * the last ones that any stop string has room in them, as no token has less than a byte.
 */
export function stopStreamOf(
  { stopStrings: stops }: GenerationOptions,
  tokenIds: readonly number[],
  tokenizer?: Pick<Tokenizer, 'stream'>,
): StopStream | undefined {
  if (!stops) return undefined;
  if (!tokenizer) throw new Error('generation: expected a tokenizer, as there are stop_strings, got none');
  const text = new StopStream(tokenizer.stream(), stops);
  const bytes = 3 * Math.max(...stops.map(({ length }) => length));
  for (const id of tokenIds.slice(-bytes)) text.push(id);
  return text;
}
