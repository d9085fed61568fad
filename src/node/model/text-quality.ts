/**
 * What a decoder-only model makes of a text whose every next token is known: how likely it found each (perplexity), and
 * what it would have written in its place. So quantised weights are held against float32's without an answer's first
 * difference changing all that follows.
 */
import type { LanguageModel } from '../../model/language-model.ts';

/** A choice whose lead is smaller than this may fall otherwise by rounding alone. */
export const SURE_MARGIN = 0.25;

/** What the model gives at one position. */
export interface Position {
  /** Its likeliest id. */
  choice: number;
  /** By how much that one's logit is above the next one's. */
  margin: number;
  /** Of the text's own next token; a natural logarithm. */
  logProbability: number;
}

/** Goes through the ids, of which the first is given. */
export function goThrough(model: LanguageModel, ids: readonly number[]): Position[] {
  const sequence = model.open(ids.slice(0, 1), ids.length);
  const positions: Position[] = [];
  for (const id of ids.slice(1)) {
    model.step([sequence]);
    positions.push(positionOf(model.logits(), id));
    sequence.targetIds.push(id);
  }
  model.close(sequence);
  return positions;
}

/** @param next the id that the text goes on with */
export function positionOf(logits: Float32Array, next: number): Position {
  let [choice, first, second] = [0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > first) [choice, first, second] = [id, logit, first];
    else if (logit > second) second = logit;
  }
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id]! - first);
  return { choice, margin: first - second, logProbability: logits[next]! - first - Math.log(sum) };
}

export const perplexity = (positions: readonly Position[]): number =>
  Math.exp(-positions.reduce((sum, { logProbability }) => sum + logProbability, 0) / positions.length);

interface Share {
  same: number;
  all: number;
}

/** How many choices are float32's, of all positions and of those where float32 is sure. */
export function agreement(exact: readonly Position[], other: readonly Position[]): { all: Share; sure: Share } {
  const share = (isMeant: (position: Position) => boolean): Share => {
    const meant = exact.flatMap((position, i) => (isMeant(position) ? [i] : []));
    return { same: meant.filter((i) => exact[i]!.choice === other[i]!.choice).length, all: meant.length };
  };
  return { all: share(() => true), sure: share(({ margin }) => margin >= SURE_MARGIN) };
}
