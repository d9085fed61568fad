/**
 * An answer in the making: advanced token by token, within an instruction budget a message, and taken up again from what is written down of it.
 * Knows ids only; text is the tokenizer's business, sessions and messages the canister's.
 */
import type { StepPlan, T5Session } from '../t5/t5.ts';
import type { BeamState } from './beam-search.ts';

/**
 * `paused`: the budget is used up, go on in another message. `busy`: another session is in the middle of a program. `token`: there is one more.
 * `finished`: the last one is there.
 */
export type Progress = 'paused' | 'busy' | 'token' | 'finished';

/** `stop`: by a stop token. `length`: there may be no more tokens. */
export type FinishReason = 'stop' | 'length';

export interface Generation {
  /** For the embedding cache: the prompt may be encoded, or its encoding taken from elsewhere, before the first `advance`. */
  readonly session: T5Session;
  /** The answer, or the best so far, without the start token; a stop token is part of it. */
  readonly tokenIds: readonly number[];
  /** Undefined until it is finished. */
  readonly finishReason: FinishReason | undefined;
  /** Goes on to the next token, for beams to the next token of all. */
  advance(budget?: bigint): Progress;
  /** How its next tokens are made by running programs and nothing else; undefined where that is not so. */
  plan?(): StepPlan | undefined;
  /** Takes tokens that were made by the plan, the first of them by its first step. */
  take?(ids: readonly number[]): void;
  /** All that has to be kept to go on later: plain data. */
  state(): GenerationState;
  /** Gives its room back; once. */
  close(): void;
}

export interface GenerationState {
  tokenIds: number[];
  beams?: BeamState;
}
