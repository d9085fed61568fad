/**
 * A model over several stages gives what the whole one gives, to the bit, however it is cut and
 * whatever goes wrong.
 */
import { describe, expect, it } from 'vitest';
import { layerCounts, shapeOf } from '../../../src/model/families/registry.ts';
import { advanceAll, type Generation } from '../../../src/model/generation/generation.ts';
import { openGeneration } from '../../../src/model/generation/open-generation.ts';
import type { GenerationRequest } from '../../../src/model/generation/options.ts';
import type { LanguageModel } from '../../../src/model/language-model.ts';
import type { LayerCounts, StagePart } from '../../../src/model/stages/stage-plan.ts';
import { ROWS_A_HOP } from '../../../src/model/stages/wire.ts';
import { Reference } from '../../../src/tensor/reference/reference.ts';
import { type Random, randomFrom } from '../../random.ts';
import { newUnit } from '../../tensor/machines.ts';
import { FIXTURES, FixtureModel, LLAMA_FIXTURES } from '../generation/models.ts';
import { SlicingUnit } from '../generation/slicing.ts';
import { type Bytes, opened, packOf, StagedModel } from './staged-model.ts';

const PROMPT = [7, 19, 4, 33, 12, 5, 9];
const TOKENS = 6;

const countsOf = (pack: Bytes): LayerCounts => {
  const head = opened(pack);
  return layerCounts(shapeOf(head, head.config));
};

/** Rising places at which a row of layers is cut; behind the first, each stage has at least so many. */
function cuts(layers: number, stages: number, least: number, random: Random): number[] {
  for (;;) {
    const at = Array.from({ length: stages - 1 }, () => Math.floor(random() * (layers + 1))).sort((a, b) => a - b);
    const all = [0, ...at, layers];
    if (all.slice(1, -1).every((place, i) => all[i + 2]! - place >= least)) return all;
  }
}

function randomParts({ layers, encoderLayers }: LayerCounts, stages: number, random: Random): StagePart[] {
  const decoder = cuts(layers, stages, 1, random);
  const encoder = encoderLayers > 0 ? cuts(encoderLayers, stages, 0, random) : undefined;
  return Array.from({ length: stages }, (_, i) => ({
    layers: { from: decoder[i]!, to: decoder[i + 1]! },
    ...(encoder && { encoderLayers: { from: encoder[i]!, to: encoder[i + 1]! } }),
  }));
}

/** Logits of every step of two sequences in a batch, the second of which joins later. */
function logitsOf(lm: LanguageModel, errand: () => boolean): number[][] {
  const sequences = [lm.open(PROMPT, TOKENS)];
  const steps: number[][] = [];
  for (let token = 0; token < TOKENS - 1; token++) {
    if (token === 2) sequences.push(lm.open(PROMPT.slice(2), TOKENS));
    while (lm.step(sequences) !== 'done') errand();
    sequences.forEach((sequence, row) => {
      steps.push([...lm.logits(row)]);
      sequence.targetIds.push(lm.greedy(row));
    });
  }
  for (const sequence of sequences) lm.close(sequence);
  return steps;
}

describe.each([...FIXTURES, ...LLAMA_FIXTURES])('%s', (name) => {
  it.each(['int8', 'int4', 'float32'] as const)('%s: the same bits over two to four stages', async (weights) => {
    const seed = 3;
    const random = randomFrom(seed);
    const pack = await packOf(name, weights);
    const { lm } = await FixtureModel.open(name, weights, newUnit());
    const expected = logitsOf(lm, () => false);
    const counts = countsOf(pack);
    const most = Math.min(4, counts.layers + 1);
    for (const stages of [3, 3, most]) {
      const parts = randomParts(counts, stages, random);
      const model = await StagedModel.cut(name, weights, parts, newUnit, pack);
      expect(
        logitsOf(model.lm, () => model.errand()),
        `seed ${seed}, ${JSON.stringify(parts)}`,
      ).toEqual(expected);
      expect(new Set(model.asked.map(({ stage }) => stage)).size).toBe(stages - 1);
    }
  });
});

/** What a request and an answer have beside rows, of the few sequences here. */
const BESIDE_ROWS = 700;

it.each([
  ['flan-b', 7],
  ['flan-b', 4096],
  ['llama-a', 60],
] as const)('%s: rows that a call has no room for go in several, %i bytes each', async (name, mostBytes) => {
  const pack = await packOf(name, 'int8');
  const parts = randomParts(countsOf(pack), 3, randomFrom(5));
  const whole = await FixtureModel.open(name, 'int8', newUnit());
  const prompt = Array.from({ length: 60 }, (_, i) => 2 + ((i * 37) % 300));
  const model = await StagedModel.cut(name, 'int8', parts, newUnit, pack);
  model.mostBytes = mostBytes;
  const answer = (one: FixtureModel, errand: () => boolean): number[] => {
    const generation = one.generation(prompt, { max_new_tokens: 2 });
    while (!generation.finishReason) if (advanceAll(one.lm, [generation]) !== 'done') errand();
    return [...generation.tokenIds];
  };
  expect(answer(model, () => model.errand())).toEqual(answer(whole, () => false));
  for (const { request, reply } of model.asked) {
    expect(request).toBeLessThanOrEqual(mostBytes + BESIDE_ROWS);
    expect(reply).toBeLessThanOrEqual(mostBytes + BESIDE_ROWS);
  }
  expect(Math.max(...model.asked.map(({ request }) => request))).toBeGreaterThan(mostBytes);
});

it('one hop has room for less than a prompt of flan-t5-xl, and for a call between subnets', () => {
  expect(ROWS_A_HOP).toBeLessThan(1_600_000);
  // more than a hop carries: 512 rows of flan-t5-xl
  expect(512 * 2048 * 4).toBeGreaterThan(ROWS_A_HOP);
});

it('the reference gives the same over stages as whole', async () => {
  for (const name of ['llama-a', 'flan-b']) {
    const pack = await packOf(name, 'int8');
    const parts = randomParts(countsOf(pack), 3, randomFrom(5));
    const whole = await FixtureModel.open(name, 'int8', new Reference());
    const model = await StagedModel.cut(name, 'int8', parts, () => new Reference(), pack);
    expect(logitsOf(model.lm, () => model.errand())).toEqual(logitsOf(whole.lm, () => false));
  }
});

const REQUESTS: GenerationRequest[] = [
  {},
  { repetition_penalty: 1.4 },
  { num_beams: 3 },
  { num_beams: 4, length_penalty: -1, no_repeat_ngram_size: 2 },
  { do_sample: true, top_k: 20, seed: 5 },
  { do_sample: true, top_p: 0.8, temperature: 1.5, seed: 9 },
  { choices: [[7, 8], [7, 9, 12], [30]] },
];

/** Of each stage its unit; the next one that is made is for stage `next`. */
interface Units {
  of: SlicingUnit[];
  next: number;
  /** Faults that there may yet be until the next token, and stages that have lost their memory. */
  faults: number;
  restarts: number;
}

/** What may go wrong with an errand. */
function errandWithFaults(model: StagedModel, units: Units, random: Random): void {
  const errand = model.nextErrand((n) => Math.floor(random() * n));
  if (!errand) return;
  // few enough that there is an end to it
  const luck = units.faults > 0 ? random() : 0.5;
  const budget = units.of[errand.stage]!.next(1 + Math.floor(random() * 60));
  // the request is lost, or the answer, or all that the stage knew, before it or after
  if (luck < 0.03) model.lm.giveUpErrand(errand);
  else if (luck < 0.06) {
    model.others[errand.stage - 1]!.answer(errand.request, budget);
    model.lm.giveUpErrand(errand);
  } else if (luck < 0.1) {
    units.next = 1 + Math.floor(random() * model.others.length);
    model.restart(units.next);
    units.restarts += 1;
    model.pending.unshift(errand);
  } else model.doErrand(errand, budget);
  if (luck < 0.1) units.faults -= 1;
  // an answer that comes late, or twice, is nobody's
  if (luck > 0.98) model.lm.answerErrand(errand, Uint8Array.of(1, 2, 3));
}

describe.each(['int8', 'float32'] as const)('%s: generations over three stages with faults', (weights) => {
  it.each(['flan-b', 'gemma3', 'qwen2'])('%s: each answer is what the whole model gives', async (name) => {
    const seed = 11;
    const random = randomFrom(seed);
    const pack = await packOf(name, weights);
    const whole = await FixtureModel.open(name, weights, newUnit());
    const units: Units = { of: [], next: 0, faults: 0, restarts: 0 };
    const parts = randomParts(countsOf(pack), 3, random);
    const model = await StagedModel.cut(name, weights, parts, () => (units.of[units.next++] = new SlicingUnit()), pack);
    let most = 0;
    for (let round = 0; round < 3; round++) {
      // rows go in one call, in a few, or in many
      model.mostBytes = [1_000_000, 2_000, 300][round]!;
      const jobs = REQUESTS.map((request) => ({
        request: { ...request, max_new_tokens: 4 + Math.floor(random() * 6) },
        prompt: Array.from({ length: 1 + Math.floor(random() * 20) }, () => 2 + Math.floor(random() * 300)),
        leaves: random() < 0.1 ? 3 : 99,
        resumes: random() < 0.3 ? 2 : 99,
      }));
      const writing = new Map<(typeof jobs)[0], Generation>(
        jobs.map((job) => [job, model.generation(job.prompt, job.request)]),
      );
      for (let now = 0; writing.size > 0; now++) {
        units.faults = 3;
        // some in one batch, the others in several
        const groups: Generation[][] = [];
        for (const one of writing.values()) {
          if (random() < 0.3) continue;
          if (groups.length > 0 && random() < 0.4) groups.at(-1)!.push(one);
          else groups.push([one]);
        }
        for (let i = 0; groups.length > 0; i++) {
          expect(i, `seed ${seed}: an end`).toBeLessThan(8_000);
          const at = Math.floor(random() * groups.length);
          const outcome = advanceAll(model.lm, groups[at]!, units.of[0]!.next(1 + Math.floor(random() * 200)));
          if (outcome === 'done') groups.splice(at, 1);
          most = Math.max(most, model.lm.batchesAway);
          if (random() < 0.6) errandWithFaults(model, units, random);
        }
        for (const [job, generation] of [...writing]) {
          if (!generation.finishReason && job.resumes === now && !job.request.choices) {
            const state = JSON.parse(JSON.stringify(generation.state()));
            generation.close();
            writing.set(job, openGeneration(model.lm, job.prompt, model.options(job.request), state));
          } else if (generation.finishReason || job.leaves <= now) {
            const alone = whole.answer(job.prompt, job.request);
            if (generation.finishReason)
              expect(generation.tokenIds, `seed ${seed}, ${JSON.stringify(job)}`).toEqual(alone);
            generation.close();
            writing.delete(job);
          }
        }
      }
    }
    expect(units.restarts, 'stages that lost their memory').toBeGreaterThan(5);
    expect(most, 'batches under way at once').toBeGreaterThan(2);
    // what is closed is told with the next errand, and keeps no room
    const last = model.generation(PROMPT, { max_new_tokens: 2 });
    while (advanceAll(model.lm, [last]) !== 'done') model.errand();
    for (const stage of model.others) expect(stage.sequences).toBeLessThanOrEqual(1);
  });
});
