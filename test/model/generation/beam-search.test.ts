/**
 * Beams by hand: a vocabulary of a few tokens, of which 1 is the stop token, and log-probabilities that are easily
 * added.
 */
import { describe, expect, it } from 'vitest';
import { parseT5Config } from '../../../src/model/checkpoint/config.ts';
import { type BeamState, beginBeams, bestOf, extendBeams } from '../../../src/model/generation/beam-search.ts';
import { candidatesOf, type GenerationRequest, generationOptions } from '../../../src/model/generation/options.ts';

const config = parseT5Config({ vocab_size: 100 });
const optionsOf = (request: GenerationRequest) =>
  generationOptions({ num_beams: 2, max_new_tokens: 10, ...request }, { notApplied: [] }, config, () => 0n);

/** Extends by [beam, id, log-probability]. */
function extend(state: BeamState, continuations: [number, number, number][], request: GenerationRequest = {}) {
  const options = optionsOf(request);
  const all = continuations.map(([beam, id, logProbability]) => ({ beam, id, logProbability }));
  return extendBeams(state, all, candidatesOf(options), options).map(({ beam, id }) => [beam, id]);
}

/** Two running beams, 5 at -1 and 6 at -2. */
function begun(): BeamState {
  const state = beginBeams();
  extend(state, [
    [0, 5, -1],
    [0, 6, -2],
    [0, 7, -3],
    [0, 8, -4],
  ]);
  return state;
}

describe('extendBeams', () => {
  it('goes on with the best sums, whichever beam they come from', () => {
    const state = begun();
    const goOn = extend(state, [
      [0, 2, -1],
      [0, 3, -1.5],
      [0, 4, -5],
      [1, 2, -0.25],
      [1, 3, -4],
    ]);
    expect(goOn).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(state.running).toEqual([
      { ids: [5, 2], score: -2 },
      { ids: [6, 2], score: -2.25 },
    ]);
    expect(bestOf(state).ids).toEqual([5, 2]);
  });

  it('a stop among the first beams is finished, with its score by length; one further down is dropped', () => {
    const state = begun();
    extend(state, [
      [0, 1, -0.5],
      [1, 2, -0.25],
      [0, 3, -2],
      [1, 1, -1.5],
    ]);
    expect(state.finished).toEqual([{ ids: [5, 1], score: -0.75 }]);
    expect(state.running.map(({ ids }) => ids)).toEqual([
      [6, 2],
      [5, 3],
    ]);
    expect(state.over).toBe(false);
  });

  const bothStop: [number, number, number][] = [
    [0, 1, -0.5],
    [1, 1, -0.5],
    [0, 3, -2],
    [1, 3, -2],
  ];
  it.each<[GenerationRequest, boolean]>([
    // the best running sum -3 over 2 tokens is -1.5, worse than the worst finished one, -1.25
    [{ early_stopping: false }, true],
    [{ early_stopping: true }, true],
    // over 10 tokens it might be -0.3
    [{ early_stopping: 'never' }, false],
    // without a length penalty there is no such hope: -3 against -2.5
    [{ early_stopping: 'never', length_penalty: 0 }, true],
  ])('%j: over %s once as many as beams are finished', (request, over) => {
    const state = begun();
    extend(state, bothStop, request);
    expect(state.finished).toHaveLength(2);
    expect(state.over).toBe(over);
    expect(bestOf(state).ids).toEqual(over ? [5, 1] : [5, 3]);
  });

  it('goes on while a running beam may still be better', () => {
    const state = begun();
    extend(state, [
      [0, 1, -0.5],
      [1, 1, -2],
      [0, 3, -2.5],
      [1, 3, -3],
    ]);
    expect(state.over).toBe(false);
  });

  it('at the longest, every beam is finished, stopped or not', () => {
    const state = begun();
    const goOn = extend(
      state,
      [
        [0, 2, -1],
        [1, 1, -0.5],
        [0, 3, -2],
        [1, 3, -2],
      ],
      { max_new_tokens: 2 },
    );
    expect(goOn).toEqual([]);
    expect(state.over).toBe(true);
    expect(bestOf(state)).toEqual({ ids: [5, 2], score: -1 });
  });

  it('a better finished one takes the place of the worst', () => {
    const state = begun();
    state.finished = [
      { ids: [9], score: -1.2 },
      { ids: [8], score: -9 },
    ];
    extend(state, [
      [0, 1, -0.5],
      [0, 3, -1],
      [1, 3, -1],
      [1, 4, -2],
    ]);
    expect(state.finished).toEqual([
      { ids: [5, 1], score: -0.75 },
      { ids: [9], score: -1.2 },
    ]);
  });

  it('ends as it stands where no token may follow', () => {
    const state = begun();
    expect(extend(state, [])).toEqual([]);
    expect(state.over).toBe(true);
    expect(bestOf(state).ids).toEqual([5]);
  });

  it('more stop tokens leave more candidates', () => {
    expect(candidatesOf(optionsOf({}))).toBe(4);
    expect(candidatesOf(optionsOf({ eos_token_id: [1, 2, 3] }))).toBe(8);
    expect(candidatesOf(optionsOf({ eos_token_id: [] }))).toBe(4);
  });
});
