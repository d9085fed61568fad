/**
 * Probabilities of listed answers against transformers' (test/fixtures/choose): random models of both families, and
 * little-flan with a hundred questions. What a choice
 * comes to must not depend on how the work is cut up, nor on who else is at work.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { advance, type Generation } from '../../../src/model/generation/generation.ts';
import { openGeneration } from '../../../src/model/generation/open-generation.ts';
import type { GenerationOptions, ScoringOptions } from '../../../src/model/generation/options.ts';
import { likeliestOf, rowsOf, type Score, scoresOf } from '../../../src/model/generation/scoring.ts';
import { checkChoiceIds, checkChoiceTexts, scoringOptions } from '../../../src/model/generation/scoring-options.ts';
import type { LanguageModel } from '../../../src/model/language-model.ts';
import { type LocalModel, openLocalModel } from '../../../src/node/model/local-model.ts';
import { newUnit } from '../../tensor/machines.ts';
import { FIXTURES, FixtureModel, LLAMA_FIXTURES } from './models.ts';
import { SlicingUnit } from './slicing.ts';

interface Case {
  model: string;
  prompt?: string;
  choices: string[];
  prompt_ids: number[];
  choice_ids: number[][];
  log_probabilities: number[];
  probabilities: Record<'ended' | 'ended_normalized' | 'bare' | 'bare_normalized', number[]>;
}
const cases = (file: string): Case[] => JSON.parse(readFileSync(`test/fixtures/choose/${file}.json`, 'utf8')).cases;
const fixtures = cases('fixtures');
const questions = cases('little-flan');

const PLAIN: ScoringOptions = { endToken: true, lengthNormalized: false };

/** The sums of a scoring that is gone through to its end. */
function finish(model: LanguageModel, generation: Generation): number[] {
  while (advance(model, generation) !== 'finished');
  const { sums } = generation.state();
  generation.close();
  return sums!;
}

const sumsOf = (model: LanguageModel, prompt: number[], options: GenerationOptions): number[] =>
  finish(model, openGeneration(model, prompt, options));

/** The same of two that have turns, a few ops each. */
function inTurns(unit: SlicingUnit, model: LanguageModel, prompt: number[], options: GenerationOptions): number[][] {
  const both = [1, 2].map(() => openGeneration(model, prompt, options));
  for (let turn = 0; both.some(({ finishReason }) => !finishReason); turn++)
    advance(model, both[turn % 2]!, unit.next(40));
  return both.map((generation) => finish(model, generation));
}

const KINDS = [
  ['ended', true, false],
  ['ended_normalized', true, true],
  ['bare', false, false],
  ['bare_normalized', false, true],
] as const;

describe.each([...FIXTURES, ...LLAMA_FIXTURES])('%s, random weights', (name) => {
  /** Of int8 and int4 one for each model, which is enough for each to meet both families. */
  const weights = [...FIXTURES, ...LLAMA_FIXTURES].indexOf(name) % 2 === 0 ? 'int8' : 'int4';
  const own = fixtures.filter(({ model }) => model === name);

  it('float32: probabilities are transformers’, with and without the end, by length and not', async () => {
    const model = await FixtureModel.open(name, 'float32', newUnit());
    expect(own).toHaveLength(5);
    for (const one of own) {
      for (const [kind, endToken, lengthNormalized] of KINDS) {
        const options = model.scoring(one.choice_ids, { endToken, lengthNormalized });
        const found = scoresOf(sumsOf(model.lm, one.prompt_ids, options), options);
        found.forEach(({ probability, logProbability, tokens }, i) => {
          expect(Math.abs(probability - one.probabilities[kind][i]!), `${kind} ${i}`).toBeLessThan(1e-3);
          expect(tokens).toBe(one.choice_ids[i]!.length + (endToken ? 1 : 0));
          if (endToken) expect(Math.abs(logProbability - one.log_probabilities[i]!)).toBeLessThan(2e-3);
        });
        expect(found.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
      }
    }
  });

  it(`${weights}: the same to the bit in slices, beside others, and alone`, async () => {
    const unit = new SlicingUnit();
    const model = await FixtureModel.open(name, weights, unit);
    for (const { prompt_ids, choice_ids } of own) {
      const options = model.scoring(choice_ids, PLAIN);
      const alone = sumsOf(model.lm, prompt_ids, options);
      expect(inTurns(unit, model.lm, prompt_ids, options)).toEqual([alone, alone]);
      // each with no other that has its beginning, or with one that goes on from it
      choice_ids.slice(0, 5).forEach((choice, i) => {
        const pair = model.scoring([choice, [...choice, choice[0]!]], PLAIN);
        expect(sumsOf(model.lm, prompt_ids, pair)[0]).toBe(alone[i]);
      });
    }
  });
});

function scoresIn({ model, generation, config }: LocalModel, { choice_ids, prompt_ids }: Case): Score[] {
  const options = scoringOptions(choice_ids, PLAIN, generation, config, 'choose');
  return scoresOf(sumsOf(model, prompt_ids, options), options);
}

describe('little-flan', () => {
  it('float32: all probabilities of 100 questions within 1e-3 of transformers’, the texts as ids', async () => {
    const local = await openLocalModel('models/little-flan', 'float32');
    expect(questions).toHaveLength(100);
    for (const one of questions) {
      expect(local.tokenizer!.encode(one.prompt!)).toEqual(one.prompt_ids);
      expect(one.choices.map((text) => local.tokenizer!.encode(text, { bare: true }))).toEqual(one.choice_ids);
      scoresIn(local, one).forEach(({ probability }, i) => {
        expect(Math.abs(probability - one.probabilities.ended[i]!), `${one.prompt} ${i}`).toBeLessThan(1e-3);
      });
    }
  });

  it('int8: the same choice as transformers in float32 for 97 of 100 questions', async () => {
    const local = await openLocalModel('models/little-flan', 'int8');
    const same = questions.filter(
      (one) =>
        likeliestOf(scoresIn(local, one)) === one.probabilities.ended.indexOf(Math.max(...one.probabilities.ended)),
    );
    expect(same.length).toBeGreaterThanOrEqual(97);
  });
});

it('rows grow with what choices do not share, and a trunk is made once', () => {
  const of = (choices: number[][], endToken: boolean) =>
    rowsOf({ choices, scoring: { endToken, lengthNormalized: false } } as unknown as GenerationOptions);
  expect(of([[5], [6]], false)).toBe(1);
  expect(of([[5], [6]], true)).toBe(3);
  expect(
    of(
      [
        [4, 4, 5],
        [4, 4, 6, 7],
      ],
      true,
    ),
  ).toBe(3 + 1 + 2);
  expect(
    of(
      [
        [4, 4],
        [4, 4, 6],
      ],
      true,
    ),
  ).toBe(3 + 1);
});

describe('what is refused', () => {
  const refusal = (texts: string[], most = 100): string => {
    try {
      checkChoiceTexts(texts, most, 'choose');
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  it.each([
    [[], 'choose: expected 2 to 64 choices, got 0'],
    [['yes'], 'choose: expected 2 to 64 choices, got 1'],
    [Array.from({ length: 65 }, (_, i) => `${i}`), 'choose: expected 2 to 64 choices, got 65'],
    [['yes', ''], 'choose: expected choices with a text, got "" for choice 1'],
    [['yes', ' \n'], 'choose: expected choices with a text, got " \\n" for choice 1'],
    [['yes', 'no', 'yes'], 'choose: expected choices that differ, got "yes" for choices 0 and 2'],
    [['yes', 'n'.repeat(98)], 'choose: expected choices of at most 100 characters in all, got 101'],
    [['yes', 'no'], ''],
  ])('%j', (texts, expected) => {
    expect(refusal(texts)).toBe(expected);
  });

  it.each([
    [[[5], undefined], true, 'choose: expected choices of at most 64 tokens, got more for choice 1, "b"'],
    [[[5], []], true, 'choose: expected choices with tokens, got none for choice 1, "b"'],
    [
      [
        [5, 6],
        [5, 6],
      ],
      true,
      'choose: expected choices that differ, got "a" and "b", which have the same tokens',
    ],
    [
      [[5, 6], [5]],
      false,
      'choose: expected no choice to begin another one where "end_token" is false, as the shorter is then never less likely, got "b" and "a"',
    ],
    [[[5, 6], [5]], true, ''],
    [
      [
        [5, 6],
        [5, 7],
      ],
      false,
      '',
    ],
  ])('%j with the end %s', (ids, ended, expected) => {
    let message = '';
    try {
      checkChoiceIds(ids, ['a', 'b'], ended, 'choose');
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toBe(expected);
  });
});
