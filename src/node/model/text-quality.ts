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
  /** The Kullback-Leibler divergence of its probabilities from exact ones, in nats. */
  divergence: number;
}

/**
 * Takes models through the same ids side by side, of which the first is given.
 * @returns positions of each model; divergences are from the first one
 */
export function goThrough(models: readonly LanguageModel[], ids: readonly number[]): Position[][] {
  const sequences = models.map((model) => model.open(ids.slice(0, 1), ids.length));
  const positions: Position[][] = models.map(() => []);
  for (const id of ids.slice(1)) {
    let exact: Float32Array | undefined;
    for (const [i, model] of models.entries()) {
      model.step([sequences[i]!]);
      const logits = model.logits();
      positions[i]!.push(positionOf(logits, id, exact));
      exact ??= logits;
      sequences[i]!.targetIds.push(id);
    }
  }
  for (const [i, model] of models.entries()) model.close(sequences[i]!);
  return positions;
}

/**
 * @param next the id that the text goes on with
 * @param exact logits that these are an approximation of
 */
export function positionOf(logits: Float32Array, next: number, exact?: Float32Array): Position {
  let [choice, first, second] = [0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > first) [choice, first, second] = [id, logit, first];
    else if (logit > second) second = logit;
  }
  const logSum = logSumOf(logits);
  const divergence = exact ? divergenceFrom(exact, logits, logSum) : 0;
  return { choice, margin: first - second, logProbability: logits[next]! - logSum, divergence };
}

/** The logarithm of the sum of what logits stand for. */
function logSumOf(logits: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const logit of logits) most = Math.max(most, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return most + Math.log(sum);
}

function divergenceFrom(exact: Float32Array, logits: Float32Array, logSum: number): number {
  const exactSum = logSumOf(exact);
  let divergence = 0;
  for (let id = 0; id < logits.length; id++) {
    const logProbability = exact[id]! - exactSum;
    divergence += Math.exp(logProbability) * (logProbability - (logits[id]! - logSum));
  }
  return divergence;
}

/**
 * The mean Kullback-Leibler divergence from the first model's probabilities, in nats a token: 0 where they are the
 * same.
 */
export const meanDivergence = (positions: readonly Position[]): number =>
  positions.reduce((sum, { divergence }) => sum + divergence, 0) / positions.length;

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
