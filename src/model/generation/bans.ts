/**
 * Which tokens may not follow what is there, and which one has to: worked out in TypeScript from the ids of one row,
 * for the unit to mask. What depends on logits is not here (choice.ts).
 * Source: transformers 5, generation/logits_process.py (NoRepeatNGram, NoBadWords and SequenceBias, MinNewTokensLength,
 * ForcedBOSToken, ForcedEOSToken, SuppressTokens, SuppressTokensAtBegin), in the order of _get_logits_processor.
 */
import { distinct } from './distinct.ts';
import type { GenerationOptions } from './options.ts';

/** Whether any token may ever be banned, or forced. */
export const hasBans = (o: GenerationOptions): boolean =>
  o.noRepeatNgramSize > 0 ||
  o.minNewTokens > 0 ||
  o.badWordsIds !== undefined ||
  o.suppressTokens !== undefined ||
  o.beginSuppressTokens !== undefined ||
  o.forcedBosTokenId !== undefined ||
  o.forcedEosTokenIds !== undefined;

/** As many ids as `bannedIds` gives at most. @param given ids that stand before the answer */
export const mostBanned = (o: GenerationOptions, given: number): number =>
  o.maxNewTokens +
  given +
  o.eosTokenIds.length +
  (o.badWordsIds?.length ?? 0) +
  (o.suppressTokens?.length ?? 0) +
  (o.beginSuppressTokens?.length ?? 0);

/**
 * Ids that must not follow `targetIds`.
 * @param given how many of them were not made: the start token, or a decoder-only model's prompt. What repeats is
 * looked for among these, too
 */
export function bannedIds(targetIds: readonly number[], given: number, options: GenerationOptions): readonly number[] {
  const { minNewTokens, eosTokenIds, noRepeatNgramSize, suppressTokens = [] } = options;
  const banned = [...suppressTokens];
  if (noRepeatNgramSize > 0) banned.push(...repeatingIds(targetIds, noRepeatNgramSize));
  if (options.badWordsIds) banned.push(...endsOfBadWords(targetIds, options.badWordsIds, eosTokenIds));
  if (targetIds.length - given < minNewTokens) banned.push(...eosTokenIds);
  // a forced first token leaves the second to be the first that is chosen; none is forced behind more than one id
  const begin = given === 1 && options.forcedBosTokenId !== undefined ? 2 : given;
  if (options.beginSuppressTokens && targetIds.length === begin) banned.push(...options.beginSuppressTokens);
  return banned;
}

/**
 * The ids of which one has to follow `targetIds`, all equally likely, in rising order; undefined where the model
 * chooses.
 */
export function forcedIds(
  targetIds: readonly number[],
  given: number,
  options: GenerationOptions,
): readonly number[] | undefined {
  const { forcedBosTokenId, forcedEosTokenIds, maxNewTokens } = options;
  if (forcedEosTokenIds && targetIds.length - given === maxNewTokens - 1)
    return [...forcedEosTokenIds].sort((a, b) => a - b);
  if (forcedBosTokenId !== undefined && targetIds.length === 1) return [forcedBosTokenId];
  return undefined;
}

/** Last ids of the words whose other ids end `ids`. A single stop token is never banned, as in transformers. */
function endsOfBadWords(
  ids: readonly number[],
  words: readonly (readonly number[])[],
  eosTokenIds: readonly number[],
): number[] {
  const ends: number[] = [];
  for (const word of words) {
    const before = word.length - 1;
    const last = word[before]!;
    if (before === 0) {
      if (!eosTokenIds.includes(last)) ends.push(last);
    } else if (before <= ids.length) {
      let same = 0;
      while (same < before && ids[ids.length - before + same] === word[same]) same++;
      if (same === before) ends.push(last);
    }
  }
  return ends;
}

/** Ids that would make the last n of `ids` and one more an n-gram that stands there already. */
export function repeatingIds(ids: readonly number[], n: number): readonly number[] {
  if (n === 1) return distinct(ids);
  const found: number[] = [];
  const start = ids.length - n + 1;
  if (start < 1) return [];
  // indexOf is native: a loop over all positions would cost the interpreter more
  for (let at = ids.indexOf(ids[start]!); at < start; at = ids.indexOf(ids[start]!, at + 1)) {
    let same = 1;
    while (same < n - 1 && ids[at + same] === ids[start + same]) same++;
    if (same === n - 1) found.push(ids[at + same]!);
  }
  return distinct(found);
}
