/** What `choose` is asked for, checked: choices as ids, and how they are compared. */
import type { GenerationConfig } from '../checkpoint/generation-config.ts';
import {
  type GenerationModel,
  type GenerationOptions,
  generationOptions,
  MOST_CHOICE_TOKENS,
  MOST_CHOICES,
  type ScoringOptions,
} from './options.ts';

/** Fewer would be no choice; each further one is a row of a batch, or some. */
export const LEAST_CHOICES = 2;

/** Each stop token is looked up for each choice. */
const MOST_STOPS = 64;

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/**
 * What is wrong with the texts themselves, in words; looked at before they are made into ids.
 * @throws RangeError
 */
export function checkChoiceTexts(
  texts: readonly string[],
  mostCharacters: number,
  where: string,
  least = LEAST_CHOICES,
): void {
  if (texts.length < least || texts.length > MOST_CHOICES)
    throw new RangeError(`${where}: expected ${least} to ${MOST_CHOICES} choices, got ${texts.length}`);
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  if (characters > mostCharacters)
    throw new RangeError(
      `${where}: expected choices of at most ${mostCharacters} characters in all, got ${characters}`,
    );
  const seen = new Map<string, number>();
  texts.forEach((text, i) => {
    if (text.trim() === '')
      throw new RangeError(`${where}: expected choices with a text, got ${shown(text)} for choice ${i}`);
    const before = seen.get(text);
    if (before !== undefined)
      throw new RangeError(`${where}: expected choices that differ, got ${shown(text)} for choices ${before} and ${i}`);
    seen.set(text, i);
  });
}

/**
 * The same of their ids; undefined stands for one with more than MOST_CHOICE_TOKENS.
 * @param endsCount whether each choice is told from longer ones by its end
 * @throws RangeError
 */
export function checkChoiceIds(
  ids: readonly (readonly number[] | undefined)[],
  texts: readonly string[],
  endsCount: boolean,
  where: string,
): readonly (readonly number[])[] {
  const checked = ids.map((own, i) => {
    if (own === undefined)
      throw new RangeError(
        `${where}: expected choices of at most ${MOST_CHOICE_TOKENS} tokens, got more for choice ${i}, ${shown(texts[i]!)}`,
      );
    if (own.length === 0)
      throw new RangeError(`${where}: expected choices with tokens, got none for choice ${i}, ${shown(texts[i]!)}`);
    return own;
  });
  // in order of ids, one that begins others stands right before the first of them
  const order = [...checked.keys()].sort((a, b) => compare(checked[a]!, checked[b]!));
  order.slice(1).forEach((long, i) => {
    const short = order[i]!;
    const [a, b] = [checked[short]!, checked[long]!];
    if (!a.every((id, at) => b[at] === id)) return;
    const got = `got ${shown(texts[short]!)} and ${shown(texts[long]!)}`;
    if (a.length === b.length)
      throw new RangeError(`${where}: expected choices that differ, ${got}, which have the same tokens`);
    if (!endsCount)
      throw new RangeError(
        `${where}: expected no choice to begin another one where "end_token" is false, as the shorter is then never less likely, ${got}`,
      );
  });
  return checked;
}

function compare(a: readonly number[], b: readonly number[]): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return (a[at] ?? -1) - (b[at] ?? -1);
}

/**
 * Options of a scoring: nothing but what it depends on, whatever the model's file asks for.
 * @throws RangeError where the model has no stop token, or too many, and the end is to count
 */
export function scoringOptions(
  choices: readonly (readonly number[])[],
  scoring: ScoringOptions,
  { eosTokenIds, decoderStartTokenId }: GenerationConfig,
  model: GenerationModel,
  where: string,
): GenerationOptions {
  const ofFile = { notApplied: [], eosTokenIds, decoderStartTokenId } as GenerationConfig;
  const options = generationOptions({}, ofFile, model, () => 0n, undefined, where);
  const stops = options.eosTokenIds.length;
  if (scoring.endToken && (stops === 0 || stops > MOST_STOPS))
    throw new RangeError(`${where}: expected "end_token" to be false for a model with ${stops} stop tokens, got true`);
  // the end is one more
  const maxNewTokens = 1 + choices.reduce((most, { length }) => Math.max(most, length), 0);
  return { ...options, maxNewTokens, minNewTokens: 0, choices, scoring };
}
