/** Every way of generating against what Hugging Face transformers recorded (test/fixtures/t5, made by the Python scripts there). */
import { describe, expect, it } from 'vitest';
import { Choice } from '../../../src/model/generation/choice.ts';
import type { GenerationRequest } from '../../../src/model/generation/options.ts';
import { Reference } from '../../../src/tensor/reference/reference.ts';
import { newUnit } from '../../tensor/machines.ts';
import { type Case, cases, FIXTURES, FixtureModel, readFixture } from './models.ts';

/** Options of expected.json's `variants`, which have names only. */
const VARIANTS: Record<string, GenerationRequest> = {
  num_beams_4: { num_beams: 4 },
  num_beams_3_length_penalty_2_early_stopping: { num_beams: 3, length_penalty: 2, early_stopping: true },
  repetition_penalty_1_3: { repetition_penalty: 1.3 },
  no_repeat_ngram_size_2: { no_repeat_ngram_size: 2 },
  min_new_tokens_8: { min_new_tokens: 8 },
};

interface Recorded {
  input_ids: number[];
  options: GenerationRequest;
  ids: number[];
}
interface Left {
  ids: number[];
  probabilities: number[];
}
interface Generated {
  cases: Recorded[];
  sampling: (Recorded & { steps: Left[] })[];
}

function* recorded(name: string, of: Case[]): Generator<[string, Recorded]> {
  for (const [i, c] of of.entries()) {
    yield [
      `${name}, prompt ${i}, greedy`,
      { input_ids: c.input_ids, options: { max_new_tokens: 24 }, ids: c.greedy_ids },
    ];
    for (const [variant, ids] of Object.entries(c.variants)) {
      const options = { max_new_tokens: 16, ...VARIANTS[variant]! };
      yield [`${name}, prompt ${i}, ${variant}`, { input_ids: c.input_ids, options, ids }];
    }
  }
}

/** What the processors leave after `targetIds`, and with what probabilities. */
function left(model: FixtureModel, sourceIds: number[], targetIds: number[], request: GenerationRequest): Left {
  const { lm } = model;
  const options = model.options(request);
  const choice = new Choice(lm, options, 1);
  const session = lm.open(sourceIds, options.maxNewTokens, targetIds);
  lm.step([session]);
  choice.token(0, targetIds, 0);
  const p = lm.logits();
  choice.close();
  lm.close(session);
  const ids = Array.from(p.keys()).filter((id) => p[id]! > 0);
  const total = ids.reduce((sum, id) => sum + p[id]!, 0);
  return { ids, probabilities: ids.map((id) => p[id]! / total) };
}

function expectLeft(got: Left, wanted: Left, what: string): void {
  expect(got.ids, what).toEqual(wanted.ids);
  wanted.probabilities.forEach((p, i) => {
    expect(Math.abs(got.probabilities[i]! - p), `${what}, id ${wanted.ids[i]}`).toBeLessThan(1e-5);
  });
}

const samplingOf = ({ temperature, top_k, top_p }: Case['sampling']): GenerationRequest => ({
  do_sample: true,
  temperature,
  top_k,
  top_p,
});

describe.each(FIXTURES)('%s', (name) => {
  it('float32: the ids of every variant', async () => {
    const model = await FixtureModel.open(name, 'float32', newUnit());
    for (const [what, { input_ids, options, ids }] of recorded(name, cases(name))) {
      expect(model.generate(input_ids, options), what).toEqual(ids);
    }
  });

  it('float32: the ids of every combination of options', async () => {
    const model = await FixtureModel.open(name, 'float32', newUnit());
    for (const { input_ids, options, ids } of readFixture<Generated>(name, 'generation.json').cases) {
      expect(model.generate(input_ids, options), JSON.stringify(options)).toEqual(ids);
    }
  });

  it('float32: what sampling leaves, with probabilities within 1e-5', async () => {
    const model = await FixtureModel.open(name, 'float32', newUnit());
    for (const [i, c] of cases(name).entries()) {
      expectLeft(left(model, c.input_ids, [0], samplingOf(c.sampling)), c.sampling, `prompt ${i}`);
    }
    for (const { input_ids, options, ids, steps } of readFixture<Generated>(name, 'generation.json').sampling) {
      for (const [i, step] of steps.entries()) {
        const what = `${JSON.stringify(options)}, step ${i}`;
        expectLeft(left(model, input_ids, ids.slice(0, i + 1), options), step, what);
      }
    }
  });

  it('int8: the share of equal answers is said', async () => {
    const model = await FixtureModel.open(name, 'int8', newUnit());
    const all = [...recorded(name, cases(name))];
    let [same, tokens, sameTokens] = [0, 0, 0];
    for (const [, { input_ids, options, ids }] of all) {
      const got = model.generate(input_ids, options);
      if (got.join() === ids.join()) same += 1;
      tokens += ids.length - 1;
      sameTokens += ids.filter((id, i) => i > 0 && got[i] === id).length;
    }
    console.log(`${name}, int8: ${same} of ${all.length} answers and ${sameTokens} of ${tokens} tokens as in float32`);
    expect(sameTokens / tokens).toBeGreaterThan(0.3);
  });
});

describe('the reference', () => {
  it('comes to the same ids and probabilities', async () => {
    const model = await FixtureModel.open('flan-a', 'float32', new Reference());
    const some = cases('flan-a').slice(0, 3);
    for (const [what, { input_ids, options, ids }] of recorded('flan-a', some)) {
      expect(model.generate(input_ids, options), what).toEqual(ids);
    }
    for (const c of some) expectLeft(left(model, c.input_ids, [0], samplingOf(c.sampling)), c.sampling, 'reference');
  });
});
