/** What is to be chosen from: the texts of `choose`, checked, as ids and as options of a generation. */
import type { ChooseOptions } from '../../interface/llm.did.ts';
import { TOKENIZER_STEPS } from '../../interface/prompt-limit.ts';
import { type GenerationOptions, MOST_CHOICE_TOKENS } from '../../model/generation/options.ts';
import { checkChoiceIds, checkChoiceTexts, scoringOptions } from '../../model/generation/scoring-options.ts';
import type { Plain } from '../candid/opt.ts';
import type { Model } from '../model/model.ts';

export interface Choosing {
  texts: readonly string[];
  options: Plain<ChooseOptions> | undefined;
}

/** Tokens of a character: NFKC makes at most 18 of one. */
const MOST_TOKENS = 18;

/** The texts' own faults. @param most characters that the prompt leaves them @throws RangeError */
export const checkTexts = ({ texts }: Choosing, most: number, method: string): void =>
  checkChoiceTexts(texts, Math.max(0, most), method);

function optionsOf(choosing: Choosing, ids: readonly (readonly number[])[], model: Model, method: string) {
  const { end_token, length_normalized } = choosing.options ?? {};
  const scoring = { endToken: end_token?.[0] ?? true, lengthNormalized: length_normalized?.[0] ?? false };
  return scoringOptions(ids, scoring, model.head.generation, model.bounds, method);
}

/**
 * Options as if each text were one token, or as many as it may be: what the work is at least and at most, before the
 * texts are looked into.
 */
export function boundsOf(
  choosing: Choosing,
  model: Model,
  method: string,
): { least: GenerationOptions; most: GenerationOptions } {
  const ids = (lengthOf: (text: string) => number) =>
    choosing.texts.map((text, i) => new Array<number>(lengthOf(text)).fill(i));
  const longest = ids(({ length }) => Math.min(MOST_TOKENS * length + 1, MOST_CHOICE_TOKENS));
  return {
    least: optionsOf(
      choosing,
      ids(() => 1),
      model,
      method,
    ),
    most: optionsOf(choosing, longest, model, method),
  };
}

/**
 * The options of a prompt's scoring. An encoder-decoder's choice is a text by itself, as the tokenizer has it; behind a
 * decoder-only model's prompt, it goes on from there,
 * with nothing before it that is not written. Texts of special tokens are ordinary text.
 * @throws RangeError
 */
export function choiceOptions(
  choosing: Choosing,
  model: Model,
  promptTokens: number,
  method: string,
): GenerationOptions {
  const { texts, options } = choosing;
  const ids = choiceIds(texts, model, options?.end_token[0] ?? true, method);
  const decided = optionsOf(choosing, ids, model, method);
  const { contextLength = Number.POSITIVE_INFINITY } = model.bounds;
  const wanted = promptTokens + decided.maxNewTokens;
  if (wanted > contextLength) {
    const expected = `expected prompt, longest choice and its end to have at most ${contextLength} tokens`;
    throw new RangeError(`${method}: ${expected}, got ${wanted}`);
  }
  return decided;
}

/** The ids of texts that there is a choice of, all of them checked. @throws RangeError */
export function choiceIds(
  texts: readonly string[],
  model: Model,
  endsCount: boolean,
  method: string,
): readonly (readonly number[])[] {
  const encoding = {
    bare: true,
    isPart: !model.languageModel.hasEncoder,
    thousandSteps: TOKENIZER_STEPS,
  };
  const found = texts.map((text) => model.tokenizer.encodeUpTo(text, MOST_CHOICE_TOKENS, encoding));
  return checkChoiceIds(found, texts, endsCount, method);
}
