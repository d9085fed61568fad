/** What an answer may take at most: what its caller's quota promises it, and what a canister has to attach. */
import { isPlainGreedy } from '../../model/generation/choice.ts';
import type { GenerationOptions } from '../../model/generation/options.ts';
import { rowsOf } from '../../model/generation/scoring.ts';
import { MAX_STOPS } from '../../native/loop-record.ts';
import { type Estimate, estimate } from '../../service/estimate.ts';
import type { Amount } from '../../service/quotas.ts';
import { activeModel, type Model } from '../model/model.ts';
import type { SessionRecord } from './session-record.ts';

export interface Asked {
  promptTokens: number;
  promptCharacters: number;
  options: GenerationOptions;
  tokensPerCall: number;
  /** Tokens that are there already. */
  made?: number;
}

export const estimateOf = (
  { head, languageModel }: Model,
  { options, tokensPerCall, made = 0, ...asked }: Asked,
): Estimate =>
  estimate(head, {
    ...asked,
    newTokens: options.scoring ? rowsOf(options) : options.maxNewTokens - made,
    made,
    streamedBytes: languageModel.weights.streamedBytes,
    beams: options.numBeams,
    tokensPerCall,
    isNative:
      tokensPerCall === 1 && isPlainGreedy(options) && !options.stopStrings && options.eosTokenIds.length <= MAX_STOPS,
  });

/** What a session takes at most that is yet to begin, its prompt included. */
export const wantedBy = (model: Model, asked: Asked): Amount => ({
  tokens: asked.promptTokens + asked.options.maxNewTokens + (asked.options.scoring ? rowsOf(asked.options) : 0),
  cycles: estimateOf(model, asked).cycles,
});

/** What a session may still take that is or was under way. */
export function stillWanted(session: SessionRecord): Amount {
  const { prompt, sourceIds, tokenIds, options, tokensPerCall } = session;
  const model = activeModel();
  const asked = { promptTokens: sourceIds.length, promptCharacters: prompt.length, options, tokensPerCall };
  const cycles = model ? estimateOf(model, { ...asked, made: tokenIds.length }).cycles : 0;
  return { tokens: options.maxNewTokens - tokenIds.length, cycles };
}
