/**
 * SmolLM2-135M-Instruct with its real weights, out of a GGUF file (Q4_1), against what transformers makes of these very
 * weights in float32. STEPWISE_SMOLLM2 names the file, STEPWISE_SMOLLM2_EXPECTED the recorded answers; without them
 * nothing is tested.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { advanceAll } from '../../src/model/generation/generation.ts';
import { openGeneration } from '../../src/model/generation/open-generation.ts';
import { generationOptions } from '../../src/model/generation/options.ts';
import { openLocalModel } from '../../src/node/model/local-model.ts';

interface Case {
  prompt: string;
  input_ids: number[];
  greedy_ids: number[];
  text: string;
  /** By how much the best logit of each position is above the second best. */
  margins: number[];
}

const { STEPWISE_SMOLLM2: gguf, STEPWISE_SMOLLM2_EXPECTED: expected } = process.env;
const isThere = gguf !== undefined && expected !== undefined;
if (!isThere) {
  console.warn(
    'skipped: SmolLM2 (set STEPWISE_SMOLLM2 to its GGUF file and STEPWISE_SMOLLM2_EXPECTED to the answers that transformers recorded)',
  );
}
const cases: Case[] = isThere ? JSON.parse(readFileSync(expected, 'utf8')) : [];

it.runIf(isThere)(
  'float32: at least 29 of 30 answers to the letter, and all prompts to the id',
  async () => {
    const { model, config, generation, tokenizer } = await openLocalModel(gguf!, 'float32');
    for (const { prompt, input_ids } of cases) {
      expect(tokenizer!.encode(prompt, { specialTokens: true })).toEqual(input_ids);
    }
    const all = cases.map(({ input_ids, greedy_ids }) => {
      const options = generationOptions({ max_new_tokens: greedy_ids.length }, generation, config, () => 0n);
      return openGeneration(model, input_ids, options);
    });
    while (all.some(({ finishReason }) => !finishReason)) advanceAll(model, all);
    const same = cases.filter(({ greedy_ids }, i) => `${all[i]!.tokenIds}` === `${greedy_ids}`);
    const texts = cases.filter(({ text }, i) => tokenizer!.decode(all[i]!.tokenIds).trim() === text.trim());
    console.log(`SmolLM2, float32: ${same.length} of ${cases.length} answers by ids, ${texts.length} by text`);
    expect(cases).toHaveLength(30);
    expect(same.length).toBeGreaterThanOrEqual(29);
    expect(texts.length).toBeGreaterThanOrEqual(29);
  },
  600_000,
);

it.runIf(isThere)(
  'int8: choices along these answers, 96.0% of all and 99.8% of those with a margin of 0.25 or more',
  async () => {
    const { model } = await openLocalModel(gguf!, 'int8');
    const sequences = cases.map(({ input_ids, greedy_ids }) => model.open(input_ids, greedy_ids.length));
    const [all, sure] = [
      { same: 0, count: 0 },
      { same: 0, count: 0 },
    ];
    for (let position = 0; ; position++) {
      const going = cases.flatMap((c, i) => (position < c.greedy_ids.length ? [{ c, sequence: sequences[i]! }] : []));
      if (going.length === 0) break;
      model.step(going.map(({ sequence }) => sequence));
      for (const [row, { c, sequence }] of going.entries()) {
        const same = model.greedy(row) === c.greedy_ids[position]! ? 1 : 0;
        for (const count of c.margins[position]! >= 0.25 ? [all, sure] : [all]) {
          count.same += same;
          count.count += 1;
        }
        sequence.targetIds.push(c.greedy_ids[position]!);
      }
    }
    console.log(`SmolLM2, int8: ${all.same} of ${all.count} choices, ${sure.same} of ${sure.count} with a margin`);
    expect(all.same / all.count).toBeGreaterThanOrEqual(0.96);
    expect(sure.same / sure.count).toBeGreaterThanOrEqual(0.998);
  },
  600_000,
);
