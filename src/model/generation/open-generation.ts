/** The one door to answers in the making: which kind an answer is depends on its options. */
import type { Tokenizer } from '../../text/tokenizer.ts';
import type { LanguageModel } from '../language-model.ts';
import { BeamGeneration } from './beam-generation.ts';
import type { FinishReason, Generation, GenerationState } from './generation.ts';
import type { GenerationOptions } from './options.ts';
import { Scoring } from './scoring.ts';
import { stopStreamOf, TokenByToken } from './token-by-token.ts';

/**
 * Why the answer that a state is of is over, if it is: then there is nothing to open.
 * @param tokenizer asked for where there are stop strings
 */
export function overReason(
  { tokenIds, beams, sums }: Pick<GenerationState, 'beams'> & { tokenIds: readonly number[]; sums?: readonly number[] },
  options: GenerationOptions,
  tokenizer?: Pick<Tokenizer, 'stream'>,
): FinishReason | undefined {
  const { numBeams, eosTokenIds, maxNewTokens, scoring } = options;
  if (scoring) return sums ? 'stop' : undefined;
  const isStopped = eosTokenIds.includes(tokenIds.at(-1)!);
  if (numBeams > 1) return beams?.over ? (isStopped ? 'stop' : 'length') : undefined;
  if (isStopped || stopStreamOf(options, tokenIds, tokenizer)?.isStopped) return 'stop';
  return tokenIds.length >= maxNewTokens ? 'length' : undefined;
}

/**
 * Opens a generation for a prompt, at its beginning or where `state` was taken: keys and values are then made anew, by
 * `advance`.
 * @param tokenizer asked for where there are stop strings
 * @throws RangeError for ids or lengths out of range, or where memory is exhausted; Error for the state of a finished
 * one (`overReason` tells)
 */
export function openGeneration(
  model: LanguageModel,
  sourceIds: readonly number[],
  options: GenerationOptions,
  state?: GenerationState,
  tokenizer?: Pick<Tokenizer, 'stream'>,
): Generation {
  if (options.scoring) return new Scoring(model, sourceIds, options);
  if (options.numBeams > 1) return new BeamGeneration(model, sourceIds, options, state?.beams);
  return new TokenByToken(model, sourceIds, options, state?.tokenIds, tokenizer);
}
