/** Answers of which only listed ones are allowed: whatever else is asked for, one of them comes out whole. */
import { describe, expect, it } from 'vitest';
import { allowedIds } from '../../../src/model/generation/allowed.ts';
import { advance } from '../../../src/model/generation/generation.ts';
import { openGeneration } from '../../../src/model/generation/open-generation.ts';
import type { GenerationOptions, GenerationRequest } from '../../../src/model/generation/options.ts';
import { likeliestOf, scoresOf } from '../../../src/model/generation/scoring.ts';
import { newUnit } from '../../tensor/machines.ts';
import { FixtureModel } from './models.ts';

const CHOICES = [[5], [5, 6, 7], [5, 6, 9], [40, 41], [99]];
const PROMPTS = [[20, 31, 42], [7], [250, 3, 3, 18, 90, 41]];
const REQUESTS: GenerationRequest[] = [
  {},
  { repetition_penalty: 1.7 },
  { max_new_tokens: 20 },
  { num_beams: 2 },
  { num_beams: 5 },
  { num_beams: 8, length_penalty: -1, early_stopping: 'never' },
  ...[1, 2, 3, 4, 5, 6].map((seed) => ({
    do_sample: true,
    seed,
    temperature: 40,
    top_k: seed % 2 ? 50 : 2,
    top_p: 0.95,
  })),
];

it('what may follow: the next token of each choice that is gone on with, a stop token behind a whole one', () => {
  const options = { choices: CHOICES, eosTokenIds: [1] } as unknown as GenerationOptions;
  const after = (...made: number[]) => allowedIds([0, ...made], 1, options);
  expect(after()).toEqual([5, 40, 99]);
  expect(after(5)).toEqual([1, 6]);
  expect(after(5, 6)).toEqual([7, 9]);
  expect(after(40, 41)).toEqual([1]);
  expect(allowedIds([0], 1, { ...options, choices: undefined })).toBeUndefined();
});

describe.each(['flan-a', 'llama-a', 'gemma3'])('%s', (name) => {
  it('gives a listed answer and its stop token, whatever is asked for beside it', async () => {
    const model = await FixtureModel.open(name, 'int8', newUnit());
    const found = new Set<string>();
    for (const prompt of PROMPTS) {
      for (const request of REQUESTS) {
        const ids = model.answer(prompt, { ...request, choices: CHOICES });
        const { eosTokenIds } = model.options({});
        expect(eosTokenIds).toContain(ids.at(-1));
        expect(CHOICES.map((choice) => choice.join())).toContain(ids.slice(0, -1).join());
        found.add(ids.slice(0, -1).join());
      }
    }
    // draws at such a temperature give more than one
    expect(found.size).toBeGreaterThan(1);
  });

  it('beams for all choices give the one that is likeliest by scoring', async () => {
    const model = await FixtureModel.open(name, 'float32', newUnit());
    for (const prompt of PROMPTS) {
      const options = model.scoring(CHOICES, { endToken: true, lengthNormalized: false });
      const scoring = openGeneration(model.lm, prompt, options);
      while (advance(model.lm, scoring) !== 'finished');
      const best = CHOICES[likeliestOf(scoresOf(scoring.state().sums!, options))];
      scoring.close();
      const request = { num_beams: 6, length_penalty: 0, early_stopping: 'never', choices: CHOICES } as const;
      expect(model.answer(prompt, request).slice(0, -1)).toEqual(best);
    }
  });

  it.each<[GenerationRequest, string]>([
    [{ choices: [] }, 'expected "choices" to be 1 to 64 choices, got 0'],
    [{ choices: [[5], [5]] }, 'expected "choices" to be choices with tokens that differ'],
    [{ choices: [[5], []] }, 'expected "choices[1]" to be a list of token ids'],
    [{ choices: [new Array(65).fill(5)] }, 'expected "choices" to be choices of at most 64 tokens, got 65'],
    [{ choices: CHOICES, bad_words_ids: [[5]] }, 'expected "bad_words_ids" to be left out with choices'],
    [{ choices: CHOICES, min_new_tokens: 2 }, 'expected "min_new_tokens" to be left out with choices'],
    [{ choices: CHOICES, stop_strings: ['a'] }, 'expected "stop_strings" to be left out with choices'],
    [{ choices: CHOICES, max_new_tokens: 3 }, 'expected "max_new_tokens" to be'],
    [{ choices: CHOICES, eos_token_id: [9] }, 'expected "choices" to be choices without a stop token'],
    [{ choices: CHOICES, eos_token_id: [] }, 'expected "eos_token_id" to be a stop token with choices'],
  ])('refuses %#', async (request, expected) => {
    const model = await FixtureModel.open(name, 'int8', newUnit());
    expect(() => model.options(request)).toThrow(expected);
  });
});
