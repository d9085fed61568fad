/**
 * An answer in the making: advanced token by token, within an instruction budget a message, and taken up again from
 * what is written down of it. Knows ids only; text is the tokenizer's business, sessions and messages the canister's.
 */
import type { LanguageModel, Outcome, StepPlan } from '../language-model.ts';
import type { Sequence } from '../sequence.ts';
import type { BeamState } from './beam-search.ts';

/**
 * `paused`: the budget is used up, go on in another message. `busy`: another generation is in the middle of a program.
 * `away`: rows are with other stages. `token`: there is one more. `finished`: the last one is there.
 */
export type Progress = Exclude<Outcome, 'done'> | 'token' | 'finished';

/** `stop`: by a stop token. `length`: there may be no more tokens. */
export type FinishReason = 'stop' | 'length';

export interface Generation {
  /**
   * For the embedding cache: the prompt may be encoded, or its encoding taken from elsewhere, before the first token.
   */
  readonly sequence: Sequence;
  /** The answer, or the best so far, without the start token; a stop token is part of it. */
  readonly tokenIds: readonly number[];
  /** Undefined until it is finished. */
  readonly finishReason: FinishReason | undefined;
  /**
   * Its rows in a batch: the sequences whose next logits it chooses from. None where `prepare` does all that it needs.
   */
  readonly sequences: readonly Sequence[];
  /** What has to be done before its sequences are stepped with others. */
  prepare(budget?: bigint): Outcome;
  /** After the step: chooses from the rows of logits from `row` on, one for each of its sequences. */
  choose(row: number): void;
  /**
   * Whether the likeliest token each time is all that it needs, so that whoever has a plan of its sequences can make
   * its tokens.
   */
  readonly isPlain: boolean;
  /** Takes tokens that were made by a plan, the first of them by its first step. */
  take(ids: readonly number[]): void;
  /** All that has to be kept to go on later: plain data. */
  state(): GenerationState;
  /** Gives its room back; once. */
  close(): void;
  /** The same, but that its first sequence stays, which is for the caller to close. */
  leave(): Sequence;
}

export interface GenerationState {
  tokenIds: number[];
  beams?: BeamState;
  /** Of a scoring that is over: of each choice, the sum of its tokens' log-probabilities. */
  sums?: number[];
}

/**
 * Goes on to the next token of every generation, all in one batch; for beams to the next token of all. A call that is
 * `paused` or `busy` is to be made again with the same generations.
 * @throws RangeError where they have more sequences than a batch has logits for
 */
export function advanceAll(model: LanguageModel, generations: readonly Generation[], budget?: bigint): Outcome {
  const going = generations.filter(({ finishReason }) => !finishReason);
  if (going.length === 0) return 'done';
  for (const generation of going) {
    const outcome = generation.prepare(budget);
    if (outcome !== 'done') return outcome;
  }
  const all = going.flatMap(({ sequences }) => sequences);
  const outcome = all.length === 0 ? 'done' : model.step(all, budget);
  if (outcome !== 'done') return outcome;
  let row = 0;
  for (const generation of going) {
    const rows = generation.sequences.length;
    generation.choose(row);
    row += rows;
  }
  return 'done';
}

/** Goes on to the next token of one generation. */
export function advance(model: LanguageModel, generation: Generation, budget?: bigint): Progress {
  if (generation.finishReason) return 'finished';
  let outcome = generation.prepare(budget);
  if (outcome === 'done' && generation.sequences.length > 0) outcome = model.step(generation.sequences, budget);
  if (outcome !== 'done') return outcome;
  generation.choose(0);
  return generation.finishReason ? 'finished' : 'token';
}

/**
 * How the next tokens of plain generations are made by running programs and nothing else; undefined where that is not
 * so.
 */
export function planOf(model: LanguageModel, generations: readonly Generation[]): StepPlan | undefined {
  if (!generations.every(({ isPlain, finishReason }) => isPlain && !finishReason)) return undefined;
  return model.plan(generations.flatMap(({ sequences }) => sequences));
}
