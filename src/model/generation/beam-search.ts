/**
 * Beam search over one prompt: which continuations live on, which are finished, and when it is over. Pure bookkeeping
 * in float32, as the scores are in torch; it computes no probabilities and holds no caches.
 * Source: transformers 5, generation/utils.py (_beam_search and its helpers), for a batch of one and without sampling.
 */

import type { GenerationOptions } from './options.ts';

const { fround } = Math;

/** An answer, or the beginning of one. */
export interface Hypothesis {
  /** Without the start token. */
  ids: number[];
  /** Running: the sum of its tokens' log-probabilities. Finished: that, divided by length ** length_penalty. */
  score: number;
}

export interface BeamState {
  /** Best first. */
  running: Hypothesis[];
  /** Best first, `numBeams` at most. */
  finished: Hypothesis[];
  over: boolean;
}

/** A running hypothesis and one token more. */
export interface Continuation {
  /** Index of the running hypothesis. */
  beam: number;
  id: number;
  /** Of this token alone. */
  logProbability: number;
}

export const beginBeams = (): BeamState => ({ running: [{ ids: [], score: 0 }], finished: [], over: false });

/** What is best so far; at the end, the answer. */
export const bestOf = ({ running, finished, over }: BeamState): Hypothesis => (over && finished[0]) || running[0]!;

/**
 * Takes all beams one token further. `continuations` has at least the best `candidates` of every beam.
 * @returns the continuations that are the new running hypotheses, in their order
 */
export function extendBeams(
  state: BeamState,
  continuations: readonly Continuation[],
  candidates: number,
  options: GenerationOptions,
): Continuation[] {
  const { numBeams, maxNewTokens, eosTokenIds, lengthPenalty, earlyStopping } = options;
  if (continuations.length === 0) {
    // every token is banned: it ends as it stands
    state.over = true;
    return [];
  }
  const scored = continuations.map((c) => ({ ...c, score: fround(c.logProbability + state.running[c.beam]!.score) }));
  // a stable sort: of equal scores, the better beam's first
  const best = scored.sort((a, b) => b.score - a.score).slice(0, candidates);

  const length = state.running[0]!.ids.length + 1;
  const ends = (c: Continuation): boolean => length >= maxNewTokens || eosTokenIds.includes(c.id);
  const extended = (c: Continuation): number[] => [...state.running[c.beam]!.ids, c.id];
  const perLength = (score: number, tokens: number): number => fround(score / fround(tokens ** lengthPenalty));

  // what ends below the first `numBeams` is dropped: it was looked at so that enough others go on
  const ended = best.slice(0, numBeams).filter(ends);
  const finished = [...state.finished, ...ended.map((c) => ({ ids: extended(c), score: perLength(c.score, length) }))];
  state.finished = finished.sort((a, b) => b.score - a.score).slice(0, numBeams);

  const goOn = best.filter((c) => !ends(c)).slice(0, numBeams);
  state.running = goOn.map((c) => ({ ids: extended(c), score: c.score }));

  const full = state.finished.length === numBeams;
  const hopeful = (): boolean => {
    const tokens = earlyStopping === 'never' && lengthPenalty > 0 ? maxNewTokens : length;
    return perLength(goOn[0]!.score, tokens) > state.finished[numBeams - 1]!.score;
  };
  state.over = goOn.length === 0 || (full && (earlyStopping === true || !hopeful()));
  return goOn;
}
