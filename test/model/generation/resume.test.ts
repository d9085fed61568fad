/**
 * However a generation is cut into messages, interrupted, written down and taken up again, it comes to the same ids.
 */
import { describe, expect, it } from 'vitest';
import { advance, type Generation, type GenerationState } from '../../../src/model/generation/generation.ts';
import { openGeneration, overReason } from '../../../src/model/generation/open-generation.ts';
import type { GenerationRequest } from '../../../src/model/generation/options.ts';
import { newUnit } from '../../tensor/machines.ts';
import { cases, FixtureModel } from './models.ts';
import { SlicingUnit } from './slicing.ts';

const prompt = cases('flan-a')[3]!.input_ids;
const WAYS: GenerationRequest[] = [
  { max_new_tokens: 10 },
  { max_new_tokens: 10, do_sample: true, seed: 3n, repetition_penalty: 1.2, top_p: 0.95 },
  { max_new_tokens: 10, num_beams: 3 },
  { max_new_tokens: 10, num_beams: 4, no_repeat_ngram_size: 2, eos_token_id: [1, 352], early_stopping: true },
];

const written = (state: GenerationState): GenerationState => JSON.parse(JSON.stringify(state));

function toTheEnd({ lm }: FixtureModel, generation: Generation): readonly number[] {
  while (advance(lm, generation) !== 'finished');
  return generation.tokenIds;
}

describe.each(WAYS)('%o', (request) => {
  it('gives tokens one at a time, and says when it is over', async () => {
    const model = await FixtureModel.open('flan-a', 'float32', newUnit());
    const generation = model.generation(prompt, request);
    let steps = 0;
    for (let last = false; !last; steps++) {
      expect(generation.finishReason).toBeUndefined();
      expect(overReason(written(generation.state()), model.options(request))).toBeUndefined();
      last = advance(model.lm, generation) === 'finished';
    }
    expect(steps).toBeLessThanOrEqual(10);
    const stops = request.eos_token_id ?? [1];
    const stopped = (stops as number[]).includes(generation.tokenIds.at(-1)!);
    expect(generation.finishReason).toBe(stopped ? 'stop' : 'length');
    expect(advance(model.lm, generation)).toBe('finished');
    // what is written down then says so, and is not opened again
    expect(overReason(written(generation.state()), model.options(request))).toBe(generation.finishReason);
  });

  it.each([1, 7, 25])('in slices of %i ops', async (ops) => {
    const whole = await FixtureModel.open('flan-a', 'float32', newUnit());
    const unit = new SlicingUnit();
    const model = await FixtureModel.open('flan-a', 'float32', unit);
    const generation = model.generation(prompt, request);
    let paused = 0;
    for (let progress = advance(model.lm, generation, unit.next(ops)); progress !== 'finished'; ) {
      if (progress === 'paused') paused += 1;
      progress = advance(model.lm, generation, unit.next(ops));
    }
    expect(paused).toBeGreaterThan(5);
    expect([0, ...generation.tokenIds]).toEqual(whole.generate(prompt, request));
  });

  it('beside another one, which it has to wait for in the middle of a program', async () => {
    const whole = await FixtureModel.open('flan-a', 'float32', newUnit());
    const unit = new SlicingUnit();
    const model = await FixtureModel.open('flan-a', 'float32', unit);
    const both = [
      model.generation(prompt, request),
      model.generation(cases('flan-a')[2]!.input_ids, { max_new_tokens: 6, num_beams: 2 }),
    ];
    let busy = 0;
    while (both.some((generation) => !generation.finishReason)) {
      for (const generation of both) if (advance(model.lm, generation, unit.next(9)) === 'busy') busy += 1;
    }
    expect(busy).toBeGreaterThan(5);
    expect([0, ...both[0]!.tokenIds]).toEqual(whole.generate(prompt, request));
    expect([0, ...both[1]!.tokenIds]).toEqual(
      whole.generate(cases('flan-a')[2]!.input_ids, { max_new_tokens: 6, num_beams: 2 }),
    );
  });

  it('taken up from what was written down after any token, in a canister that has lost everything else', async () => {
    const model = await FixtureModel.open('flan-a', 'float32', newUnit());
    const ids = model.generate(prompt, request).slice(1);
    const fresh = await FixtureModel.open('flan-a', 'float32', newUnit());
    const generation = model.generation(prompt, request);
    do {
      const again = openGeneration(fresh.lm, prompt, fresh.options(request), written(generation.state()));
      expect(again.tokenIds).toEqual(generation.tokenIds);
      expect(toTheEnd(fresh, again)).toEqual(ids);
      again.close();
    } while (advance(model.lm, generation) !== 'finished');
  });

  it('takes its caches from nobody after another prompt has used the unit', async () => {
    const model = await FixtureModel.open('flan-a', 'float32', newUnit());
    const ids = model.generate(prompt, request).slice(1);
    const generation = model.generation(prompt, request);
    do {
      model.generate([5, 6, 1], { max_new_tokens: 2, num_beams: 2 });
    } while (advance(model.lm, generation) !== 'finished');
    expect(generation.tokenIds).toEqual(ids);
  });

  it('gives all its room back', async () => {
    const model = await FixtureModel.open('flan-a', 'int8', newUnit());
    model.generate(prompt, request);
    const { grown } = model.lm.arena;
    for (let i = 0; i < 5; i++) model.generate(prompt, request);
    expect(model.lm.arena.grown).toBe(grown);
  });

  it('takes none where there is not enough', async () => {
    const unit = newUnit();
    const model = await FixtureModel.open('flan-a', 'int8', unit);
    const grow = unit.grow.bind(unit);
    const much = { ...request, max_new_tokens: 400 };
    // one page more at each try, until there is enough
    let pages = 0;
    for (let room = false; !room; pages++) {
      let left = pages;
      unit.grow = (bytes) => {
        left -= bytes / 65536;
        if (left < 0) throw new RangeError('no room');
        return grow(bytes);
      };
      try {
        model.generation(prompt, much).close();
        room = true;
      } catch (error) {
        expect((error as Error).message).toBe('no room');
      }
    }
    expect(pages).toBeGreaterThan(3);
    const { grown } = model.lm.arena;
    unit.grow = grow;
    model.generation(prompt, much).close();
    expect(model.lm.arena.grown).toBe(grown);
  });
});

it('knows that a stop string has come, wherever it is taken up', async () => {
  const model = await FixtureModel.open('flan-a', 'float32', newUnit());
  const plain = model.generate(prompt, { max_new_tokens: 10 }).slice(1);
  const tokenizer = { stream: () => ({ push: (id: number) => `<${id}>`, end: () => '' }) };
  // it begins in the third token and ends in the fourth
  const options = model.options({ max_new_tokens: 10, stop_strings: [`${plain[2]}><${plain[3]}`] });
  const ids = plain.slice(0, 4);
  for (let from = 0; from < ids.length; from++) {
    const state = { tokenIds: ids.slice(0, from) };
    expect(overReason(state, options, tokenizer), `${from} tokens`).toBeUndefined();
    const again = openGeneration(model.lm, prompt, options, state, tokenizer);
    expect(toTheEnd(model, again), `from ${from} tokens`).toEqual(ids);
    expect(again.finishReason).toBe('stop');
    again.close();
  }
  expect(overReason({ tokenIds: ids }, options, tokenizer)).toBe('stop');
});

it('refuses to go on from what is over', async () => {
  const model = await FixtureModel.open('flan-a', 'int8', newUnit());
  const generation = model.generation(prompt, { num_beams: 2, max_new_tokens: 3 });
  toTheEnd(model, generation);
  const options = model.options({ num_beams: 2, max_new_tokens: 3 });
  expect(() => openGeneration(model.lm, prompt, options, generation.state())).toThrow(
    'generation: expected the state of an unfinished one, got one that is over',
  );
});
