/** A draw is repeated as docs/generation.md says: from the logits, the options and the seed, in plain TypeScript. */
import { expect, it } from 'vitest';
import { type GenerationRequest, seedOf } from '../../../src/model/generation/options.ts';
import { philox } from '../../../src/model/generation/philox.ts';
import { draw, penalize, softmax, topK, topP } from '../../../src/tensor/reference/choosing.ts';
import { newUnit } from '../../tensor/machines.ts';
import { cases, FixtureModel } from './models.ts';

const prompt = cases('flan-b')[2]!.input_ids;
const request: GenerationRequest = {
  max_new_tokens: 24,
  do_sample: true,
  seed: 0x123456789abcdefn,
  temperature: 1.5,
  top_k: 40,
  top_p: 0.9,
  repetition_penalty: 1.1,
};
const model = await FixtureModel.open('flan-b', 'float32', newUnit());

it('can be repeated by a client, token by token', () => {
  const { lm } = model;
  const session = lm.open(prompt, 24);
  const seed = seedOf(model.options(request));
  const key = [Number(seed & 0xffffffffn), Number(seed >> 32n)] as const;
  for (let n = 0; n < 24 && session.targetIds.at(-1) !== 1; n++) {
    lm.step([session]);
    const row = lm.logits();
    penalize(row, Uint32Array.from(new Set(session.targetIds)), 1.1);
    row.set(row.map((x) => x / 1.5));
    topK(row, 40);
    softmax(row);
    topP(row, Math.fround(1 - 0.9));
    session.targetIds.push(draw(row, philox(key, [n, 0, 0, 0])[0]));
  }
  lm.close(session);
  expect(session.targetIds).toEqual(model.generate(prompt, request));
});

it('is the same for the same seed, on int8 too, and another for another', async () => {
  const int8 = await FixtureModel.open('flan-b', 'int8', newUnit());
  const of = (seed: bigint) => int8.generate(prompt, { ...request, seed }).join();
  expect(of(1n)).toBe(of(1n));
  const answers = new Set(Array.from({ length: 10 }, (_, i) => of(BigInt(i) << 30n)));
  expect(answers.size).toBeGreaterThan(8);
});

it('with one token left is the greedy answer', () => {
  const greedy = model.generate(prompt, { max_new_tokens: 12 });
  expect(model.generate(prompt, { max_new_tokens: 12, do_sample: true, top_k: 1, seed: 9 })).toEqual(greedy);
  expect(model.generate(prompt, { max_new_tokens: 12, do_sample: true, top_p: 0, seed: 9 })).toEqual(greedy);
});
