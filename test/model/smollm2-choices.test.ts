/**
 * A hundred questions with listed answers for SmolLM2-135M-Instruct (test/fixtures/choose), against transformers on the
 * same weights in float32. STEPWISE_SMOLLM2 names the GGUF file; without it nothing is tested.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { advance } from '../../src/model/generation/generation.ts';
import { openGeneration } from '../../src/model/generation/open-generation.ts';
import { likeliestOf, type Score, scoresOf } from '../../src/model/generation/scoring.ts';
import { scoringOptions } from '../../src/model/generation/scoring-options.ts';
import { type LocalModel, openLocalModel } from '../../src/node/model/local-model.ts';

interface Case {
  prompt?: string;
  messages?: { role: string; content: string }[];
  choices: string[];
  prompt_ids: number[];
  choice_ids: number[][];
  probabilities: { ended: number[] };
}

const { STEPWISE_SMOLLM2: gguf, STEPWISE_SMOLLM2_QUESTIONS: asked } = process.env;
if (gguf === undefined) console.warn('skipped: choices of SmolLM2 (set STEPWISE_SMOLLM2 to its GGUF file)');
const all: Case[] = JSON.parse(readFileSync('test/fixtures/choose/smollm2.json', 'utf8')).cases;
/**
 * As many as there is time for, of both kinds: in float32, which takes twice as long, a quarter unless more are asked
 * for.
 */
const casesOf = (unlessAsked: number): Case[] =>
  all.filter((_, i) => i % Math.ceil(all.length / Number(asked ?? unlessAsked)) === 0);

function scoresIn({ model, generation, config }: LocalModel, { choice_ids, prompt_ids }: Case): Score[] {
  const scoring = { endToken: true, lengthNormalized: false };
  const options = scoringOptions(choice_ids, scoring, generation, config, 'choose');
  const open = openGeneration(model, prompt_ids, options);
  while (advance(model, open) !== 'finished');
  const { sums } = open.state();
  open.close();
  return scoresOf(sums!, options);
}

it.runIf(gguf)(
  'float32: the texts as ids, and all probabilities within 1e-3',
  async () => {
    const local = await openLocalModel(gguf!, 'float32');
    const cases = casesOf(25);
    let worst = 0;
    for (const one of cases) {
      const ids = one.messages
        ? local.chat!.encodeUpTo(one.messages, 1_000)
        : local.tokenizer!.encode(one.prompt!, { specialTokens: false });
      expect(ids).toEqual(one.prompt_ids);
      expect(one.choices.map((text) => local.tokenizer!.encode(text, { isPart: true }))).toEqual(one.choice_ids);
      scoresIn(local, one).forEach(({ probability }, i) => {
        worst = Math.max(worst, Math.abs(probability - one.probabilities.ended[i]!));
      });
    }
    console.log(
      `SmolLM2, float32: probabilities of ${cases.length} questions differ by at most ${worst.toExponential(1)}`,
    );
    expect(worst).toBeLessThan(1e-3);
  },
  3_600_000,
);

it.runIf(gguf)(
  'int8: the same choice for 97 of 100',
  async () => {
    const local = await openLocalModel(gguf!, 'int8');
    const cases = casesOf(100);
    const same = cases.filter((one) => {
      const { ended } = one.probabilities;
      return likeliestOf(scoresIn(local, one)) === ended.indexOf(Math.max(...ended));
    });
    console.log(`SmolLM2, int8: the same choice for ${same.length} of ${cases.length}`);
    expect(same.length / cases.length).toBeGreaterThanOrEqual(0.97);
  },
  3_600_000,
);
