/**
 * Answers of which only some are allowed: which ids may follow the ones that are there, so that one of the choices
 * comes out and then a stop token. The choices are a trie without being one: they are few and short.
 */
import { distinct } from './distinct.ts';
import type { GenerationOptions } from './options.ts';

/** Most ids that `allowedIds` gives. */
export const mostAllowed = ({ choices = [], eosTokenIds }: GenerationOptions): number =>
  choices.length + eosTokenIds.length;

/**
 * The ids that may follow `targetIds`, in rising order; undefined where any may.
 * @param given ids that stand before the answer
 */
export function allowedIds(
  targetIds: readonly number[],
  given: number,
  { choices, eosTokenIds }: GenerationOptions,
): readonly number[] | undefined {
  if (!choices) return undefined;
  const made = targetIds.length - given;
  const ids: number[] = [];
  for (const choice of choices) {
    let same = 0;
    while (same < made && choice[same] === targetIds[given + same]) same++;
    if (same < made) continue;
    if (made < choice.length) ids.push(choice[made]!);
    else ids.push(...eosTokenIds);
  }
  return [...distinct(ids)].sort((a, b) => a - b);
}
