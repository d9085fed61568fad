/** One model, one answer, by whatever way it is asked; test/long/same-answers-run.ts has a hundred. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sameAnswers } from './same-answers.ts';

const prompts = readFileSync('models/little-flan/questions.tsv', 'utf8')
  .split('\n')
  .slice(0, 3)
  .map((line) => line.split('\t')[0]!);

it('is the same from generate, start and progress, generate_query, another canister, and without one', async () => {
  const { same, different } = await sameAnswers(prompts);
  expect(different).toEqual([]);
  expect(same).toBe(3);
});

it('is the same draw from a seed, in a canister and without one', async () => {
  const request = { do_sample: true, temperature: 2.5, top_k: 40, seed: 2n ** 63n + 5n };
  const drawn = await sameAnswers(prompts, { request });
  expect(drawn.different).toEqual([]);
  expect(drawn.same).toBe(3);
  const other = await sameAnswers(prompts, { request: { ...request, seed: 6n } });
  expect(other.different).toEqual([]);
  expect(other.texts).not.toEqual(drawn.texts);
});
