/** Generations that share batches, in any mixture: each comes to what it comes to alone, to the bit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LOGIT_ROWS } from '../../../src/model/batch.ts';
import { advanceAll, type Generation } from '../../../src/model/generation/generation.ts';
import { openGeneration } from '../../../src/model/generation/open-generation.ts';
import type { GenerationRequest } from '../../../src/model/generation/options.ts';
import type { Sequence } from '../../../src/model/sequence.ts';
import type { WeightsKind } from '../../../src/model/tensor-table.ts';
import { newUnit } from '../../tensor/machines.ts';
import { FixtureModel } from './models.ts';
import { SlicingUnit } from './slicing.ts';

const WEIGHTS: WeightsKind[] = ['int8', 'int4', 'float32'];

const ids = (most: number) => fc.array(fc.integer({ min: 2, max: 350 }), { minLength: 1, maxLength: most });
const request: fc.Arbitrary<GenerationRequest> = fc
  .record({
    max_new_tokens: fc.integer({ min: 1, max: 14 }),
    how: fc.constantFrom<GenerationRequest>(
      {},
      { min_new_tokens: 1 },
      { repetition_penalty: 1.4 },
      { no_repeat_ngram_size: 2 },
      { num_beams: 2 },
      { num_beams: 5, length_penalty: -1 },
      { do_sample: true, top_k: 20 },
      { do_sample: true, top_p: 0.8, temperature: 1.5, repetition_penalty: 1.1 },
    ),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ max_new_tokens, how, seed }) => ({ ...how, max_new_tokens, ...(how.do_sample ? { seed } : {}) }));

interface Job {
  prompt: number[];
  request: GenerationRequest;
  /** Rounds at which it joins, is written down and taken up again, and leaves before its end. */
  joins: number;
  resumes: number;
  leaves: number;
}
const round = fc.integer({ min: 0, max: 8 });
const job: fc.Arbitrary<Job> = fc.record({
  prompt: ids(24),
  request,
  joins: round,
  resumes: round,
  leaves: fc.constantFrom(3, 6, 99, 99),
});

/** Makes all jobs' answers in rounds; what each has come to at its end. */
function together(model: FixtureModel, jobs: readonly Job[], sides: readonly boolean[]): (readonly number[])[] {
  const { lm } = model;
  const writing = new Map<Job, Generation>();
  const answers = new Map<Job, readonly number[]>();
  const over = (job: Job): void => {
    answers.set(job, [...writing.get(job)!.tokenIds]);
    writing.get(job)!.close();
    writing.delete(job);
  };
  for (let now = 0; answers.size < jobs.length; now++) {
    for (const job of jobs) {
      const generation = writing.get(job);
      if (job.joins === now) writing.set(job, model.generation(job.prompt, job.request));
      else if (generation && job.leaves <= now) over(job);
      else if (generation && job.resumes === now) {
        const state = JSON.parse(JSON.stringify(generation.state()));
        generation.close();
        writing.set(job, openGeneration(lm, job.prompt, model.options(job.request), state));
      }
    }
    // all in one batch, or in two
    for (const side of [true, false]) {
      const some = Array.from(writing.values()).filter((_, i) => sides[(now + i) % sides.length] === side);
      expect(advanceAll(lm, some)).toBe('done');
    }
    for (const [job, { finishReason }] of writing) if (finishReason) over(job);
  }
  return jobs.map((job) => answers.get(job)!);
}

describe.each(WEIGHTS)('%s', (weights) => {
  it.each(['flan-a', 'gemma3', 'odd-llama'])('%s: every answer is the one made alone', async (name) => {
    const model = await FixtureModel.open(name, weights, newUnit());
    fc.assert(
      fc.property(
        fc.array(job, { minLength: 2, maxLength: 6 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        (jobs, sides) => {
          const answers = together(model, jobs, sides);
          for (const [i, { prompt, request, leaves }] of jobs.entries()) {
            const alone = model.answer(prompt, request);
            // beams that leave have an answer that may yet change
            if (leaves > 90) expect(answers[i], JSON.stringify(request)).toEqual(alone);
            else if (!request.num_beams) expect(answers[i]).toEqual(alone.slice(0, answers[i]!.length));
          }
        },
      ),
      { numRuns: weights === 'float32' ? 6 : 12 },
    );
  });

  it('logits are the same to the bit, however many tokens are made anew at once', async () => {
    const model = await FixtureModel.open('flan-a', weights, newUnit());
    const { lm } = model;
    const prompts = [[7, 8, 9, 1], [300, 20, 1], Array.from({ length: 40 }, (_, i) => 3 + i * 7)];
    const targets = [140, 3, 70].map((count, k) => Array.from({ length: count }, (_, i) => (5 * i * (k + 1)) % 300));
    const open = (k: number, tokens: number): Sequence => lm.open(prompts[k]!, 150, targets[k]!.slice(0, tokens));
    const close = (...sequences: Sequence[]) => sequences.forEach((sequence) => void lm.close(sequence));

    const alone = prompts.map((_, k) => {
      const sequence = open(k, 1);
      lm.step([sequence]);
      for (const id of targets[k]!.slice(1)) {
        sequence.targetIds.push(id);
        lm.step([sequence]);
      }
      close(sequence);
      return lm.logits();
    });
    const anew = prompts.map((_, k) => open(k, targets[k]!.length));
    lm.step(anew);
    expect(anew.map(({ cached }) => cached)).toEqual([140, 3, 70]);
    expect(anew.map((_, k) => lm.logits(k))).toEqual(alone);
    // once more with nothing to be made but the logits
    lm.step([anew[2]!, anew[0]!]);
    expect([lm.logits(0), lm.logits(1)]).toEqual([alone[2], alone[0]]);
    close(...anew);
  });
});

it.each(WEIGHTS)(
  'decoder-only, %s: logits are the same to the bit, however a prompt is cut into batches and whoever is in them',
  async (weights) => {
    const { lm } = await FixtureModel.open('gemma3', weights, newUnit());
    const prompts = [150, 1, 70].map((count, k) =>
      Array.from({ length: count }, (_, i) => (7 + 11 * i * (k + 1)) % 990),
    );
    const alone = prompts.map((prompt) => {
      // a token at a time
      const sequence = lm.open(prompt.slice(0, 1), 150);
      lm.step([sequence]);
      for (const id of prompt.slice(1)) {
        sequence.targetIds.push(id);
        lm.step([sequence]);
      }
      lm.close(sequence);
      return lm.logits();
    });
    const all = prompts.map((prompt) => lm.open(prompt, 4));
    lm.step(all);
    expect(all.map(({ cached }) => cached)).toEqual([150, 1, 70]);
    expect(all.map((_, k) => lm.logits(k))).toEqual(alone);
    for (const sequence of all) lm.close(sequence);
  },
);

it.each(['flan-a', 'qwen3'])('%s, in slices of a few ops, each batch in many messages', async (name) => {
  const unit = new SlicingUnit();
  const model = await FixtureModel.open(name, 'int8', unit);
  const requests: GenerationRequest[] = [
    { max_new_tokens: 5 },
    { max_new_tokens: 4, num_beams: 3 },
    { max_new_tokens: 7, do_sample: true, seed: 3 },
  ];
  const all = requests.map((request, i) => model.generation([20, 30 + i, 1], request));
  let paused = 0;
  while (all.some(({ finishReason }) => !finishReason))
    if (advanceAll(model.lm, all, unit.next(7)) === 'paused') paused += 1;
  expect(paused).toBeGreaterThan(30);
  const answers = all.map((generation) => [...generation.tokenIds]);
  for (const generation of all) generation.close();
  expect(answers).toEqual(requests.map((request, i) => model.answer([20, 30 + i, 1], request)));
});

it('a fork that has nothing yet, and a sequence whose prompt is new, join those that go on', async () => {
  const { lm } = await FixtureModel.open('flan-a', 'int8', newUnit());
  const first = lm.open([5, 6, 1], 20, [0, 9, 8, 7]);
  lm.step([first]);
  const expected = lm.logits();
  const [fork, fresh] = [lm.fork(first), lm.open([5, 6, 1], 20, [0, 9, 8, 7])];
  lm.step([fresh, fork, first]);
  for (const row of [0, 1, 2]) expect(lm.logits(row)).toEqual(expected);
  for (const sequence of [fork, fresh, first]) lm.close(sequence);
});

it('one that joins while a batch is under way waits for its end, and then has what it has alone', async () => {
  const unit = new SlicingUnit();
  const { lm } = await FixtureModel.open('flan-a', 'int8', unit);
  const targets = [0, 9, 8, 7];
  const [first, second] = [lm.open([5, 6, 1], 20, targets), lm.open([5, 6, 1], 20, targets)];
  lm.step([first]);
  const expected = lm.logits();
  first.targetIds.push(3);
  expect(lm.step([first], unit.next(5))).toBe('paused');
  expect(lm.step([second], unit.next(5))).toBe('busy');
  while (lm.step([second, first], unit.next(5)) !== 'done');
  expect(lm.logits(0)).toEqual(expected);
  const both = [lm.logits(0), lm.logits(1)];
  lm.step([first]);
  expect(lm.logits()).toEqual(both[1]);
  for (const sequence of [first, second]) lm.close(sequence);
});

it('refuses more sequences than there is room for logits', async () => {
  const { lm } = await FixtureModel.open('flan-a', 'int8', newUnit());
  const many = Array.from({ length: MAX_LOGIT_ROWS + 1 }, () => lm.open([5, 1], 2));
  lm.step(many.slice(1));
  expect(() => lm.step(many)).toThrow('batch: expected 1 to 32 sequences, got 33');
});
