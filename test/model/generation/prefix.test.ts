/**
 * A prompt that begins as another: the keys and values of the beginning are copied, and what comes out is the same to
 * the bit.
 */
import { describe, expect, it } from 'vitest';
import { advance, type Generation } from '../../../src/model/generation/generation.ts';
import type { GenerationRequest } from '../../../src/model/generation/options.ts';
import type { WeightsKind } from '../../../src/model/tensor-table.ts';
import { newUnit } from '../../tensor/machines.ts';
import { cases, FixtureModel } from './models.ts';

/** Ids and logits of each token. */
function run(model: FixtureModel, generation: Generation): { ids: number[]; logits: string } {
  const logits: string[] = [];
  for (;;) {
    const progress = advance(model.lm, generation);
    logits.push(Buffer.from(model.lm.logits().buffer).toString('base64'));
    if (progress === 'finished') return { ids: [...generation.tokenIds], logits: logits.join() };
  }
}

describe.each<[string, WeightsKind]>([
  ['gemma3', 'int8'],
  ['odd-llama', 'int8'],
  ['qwen3', 'int4'],
  ['llama-b', 'float32'],
])('%s, %s', (name, weights) => {
  const requests: GenerationRequest[] = [{ max_new_tokens: 9 }, { max_new_tokens: 6, num_beams: 3 }];
  it.each(requests)('the next turn of a conversation, %o', async (request) => {
    const model = await FixtureModel.open(name, weights, newUnit());
    const { lm } = model;
    const prompt = cases(name).at(-1)!.input_ids;
    const first = model.generation(prompt, request);
    run(model, first);
    const turn = [...first.sequence.targetIds, 5, 9, 11, ...prompt];
    const kept = first.leave();
    const grown = lm.trim(kept);
    expect(grown).toBeGreaterThan(0);
    // all of it, what is one id short of a chunk of 16, and one id
    for (const most of [undefined, 15, 1]) {
      const expected = run(model, model.generation(turn, request));
      const next = model.generation(turn, request);
      lm.borrow(next.sequence, kept, undefined, most);
      expect(next.sequence.cached).toBe(Math.min(most ?? kept.cached, kept.cached));
      expect(run(model, next)).toEqual(expected);
    }
    // the same prompt again: its last id is left, whose logits are wanted
    const again = model.generation(kept.targetIds.slice(0, kept.cached), request);
    const expected = run(model, model.generation(again.sequence.sourceIds, request));
    lm.borrow(again.sequence, kept);
    expect(again.sequence.cached).toBe(kept.cached - 1);
    expect(run(model, again)).toEqual(expected);
    lm.close(kept);
  });
});
