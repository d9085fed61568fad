/**
 * Defaults of a model's files that ask for more than there is here, or for something that has another meaning here:
 * nothing of a file is changed without a word.
 */
import type { GenerationConfig } from '../checkpoint/generation-config.ts';
import { MAX_CONTEXT } from '../limits.ts';
import { defaultLength, type GenerationModel, mostNewTokens } from './options.ts';

/** What a file says, with what is cut or left out of it named in `notApplied`, each with its value and why. */
export function namingWhatIsCut(generation: GenerationConfig, model: GenerationModel): GenerationConfig {
  const cut = [...lengths(generation, model), ...minimums(generation, model), ...context(model)];
  return cut.length === 0 ? generation : { ...generation, notApplied: [...generation.notApplied, ...cut] };
}

function lengths({ maxNewTokens, maxLength }: GenerationConfig, model: GenerationModel): string[] {
  const most = mostNewTokens(model);
  const atMost = `an answer has at most ${most} tokens here`;
  if (maxNewTokens !== undefined) return maxNewTokens > most ? [`max_new_tokens ${maxNewTokens} (${atMost})`] : [];
  if (maxLength === undefined) return [];
  if (model.contextLength !== undefined)
    return [`max_length ${maxLength} (it counts the prompt; max_new_tokens is what bounds an answer here)`];
  // the start token counts there
  return maxLength - 1 > most ? [`max_length ${maxLength} (${atMost})`] : [];
}

function minimums(generation: GenerationConfig, model: GenerationModel): string[] {
  const { minNewTokens, minLength = 0, maxNewTokens, maxLength } = generation;
  if (minNewTokens === undefined && minLength > 1 && model.contextLength !== undefined)
    return [`min_length ${minLength} (it counts the prompt; min_new_tokens is what counts here)`];
  const asked = minNewTokens ?? (model.contextLength === undefined ? minLength - 1 : 0);
  const longest = defaultLength({ maxNewTokens, maxLength }, model);
  if (asked <= longest) return [];
  const name = minNewTokens === undefined ? `min_length ${minLength}` : `min_new_tokens ${minNewTokens}`;
  return [`${name} (an answer has at most ${longest} tokens unless a call asks for more)`];
}

const context = ({ contextLength = 0 }: GenerationModel): string[] =>
  contextLength > MAX_CONTEXT
    ? [`a context of ${contextLength} tokens (prompt and answer have at most ${MAX_CONTEXT} here)`]
    : [];
