/** One model, one answer, by whatever way it is asked; scripts/same-answers.ts has a hundred. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sameAnswers } from './same-answers.ts';

it('is the same from generate, start and progress, generate_query, another canister, and without one', async () => {
  const lines = readFileSync('models/little-flan/questions.tsv', 'utf8').split('\n').slice(0, 3);
  const { same, different } = await sameAnswers(lines.map((line) => line.split('\t')[0]!));
  expect(different).toEqual([]);
  expect(same).toBe(3);
});
