/** How well a model knows a text, by hand and on a fixture. */
import { expect, it } from 'vitest';
import {
  agreement,
  goThrough,
  meanDivergence,
  type Position,
  perplexity,
  positionOf,
} from '../../../src/node/model/text-quality.ts';
import { FixtureModel } from '../../model/generation/models.ts';
import { newUnit } from '../../tensor/machines.ts';

it('a position by hand: choice, lead, and the logarithm of what the text goes on with', () => {
  const logits = Float32Array.of(0, Math.log(3), Math.log(4), Math.log(2));
  const { choice, margin, logProbability } = positionOf(logits, 3);
  expect(choice).toBe(2);
  expect(margin).toBeCloseTo(Math.log(4 / 3), 6);
  expect(logProbability).toBeCloseTo(Math.log(2 / 10), 6);
});

it('how far probabilities are from exact ones, by hand', () => {
  const [exact, other] = [Float32Array.of(Math.log(3), 0), Float32Array.of(5, 5)];
  const expected = 0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5);
  expect(positionOf(other, 0, exact).divergence).toBeCloseTo(expected, 6);
  expect(
    positionOf(
      exact.map((logit) => logit + 7),
      0,
      exact,
    ).divergence,
  ).toBeCloseTo(0, 6);
});

it('a model that finds each of four tokens as likely has a perplexity of four', () => {
  const position = positionOf(new Float32Array(4), 1);
  expect(perplexity([position, position, position])).toBeCloseTo(4, 10);
});

it('choices are held against those of float32, and apart where that is sure', () => {
  const at = (choice: number, margin: number) => ({ choice, margin, logProbability: 0, divergence: 0 });
  expect(agreement([at(1, 0.1), at(2, 0.25), at(3, 1)], [at(9, 5), at(2, 0), at(7, 0)])).toEqual({
    all: { same: 1, all: 3 },
    sure: { same: 1, all: 2 },
  });
});

it('goes through a text as a prompt of every length would', async () => {
  const { lm } = await FixtureModel.open('qwen3', 'int8', newUnit());
  const ids = [1, 40, 50, 60, 70, 80];
  const [positions, others] = goThrough([lm, (await FixtureModel.open('qwen3', 'int4', newUnit())).lm], ids) as [
    Position[],
    Position[],
  ];
  expect(positions).toHaveLength(5);
  const sequence = lm.open(ids.slice(0, 4), 1);
  lm.step([sequence]);
  expect(positions[3]).toEqual(positionOf(lm.logits(), ids[4]!));
  expect(meanDivergence(positions)).toBe(0);
  expect(meanDivergence(others)).toBeGreaterThan(0);
});
