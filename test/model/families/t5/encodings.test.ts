import { expect, it } from 'vitest';
import type { LanguageModel } from '../../../../src/model/language-model.ts';
import type { Sequence } from '../../../../src/model/sequence.ts';
import { newUnit } from '../../../tensor/machines.ts';
import { FixtureModel } from '../../generation/models.ts';
import { SlicingUnit } from '../../generation/slicing.ts';
import { packOf, StagedModel } from '../../stages/staged-model.ts';

const PROMPT = [7, 19, 4, 33, 12, 5, 9];
const TOKENS = 6;

/** What a model makes of the prompt: encoding, and logits of the first step. */
function ofPrompt(lm: LanguageModel, prompt = PROMPT): { encoding: Uint8Array; logits: number[] } {
  const sequence = lm.open(prompt, TOKENS);
  lm.encode(sequence);
  const encoding = lm.encoding(sequence);
  lm.step([sequence]);
  return { encoding, logits: [...lm.logits(0)] };
}

it('an encoding comes from elsewhere while the encoder is in the middle: what it had begun counts for nothing', async () => {
  const { encoding, logits } = ofPrompt((await FixtureModel.open('flan-b', 'int8', newUnit())).lm);
  const unit = new SlicingUnit();
  const { lm } = await FixtureModel.open('flan-b', 'int8', unit);
  for (const ops of [1, 5, 20]) {
    const sequence = lm.open(PROMPT, TOKENS);
    expect(lm.encode(sequence, unit.next(ops))).toBe('paused');
    expect(lm.useEncoding(sequence, encoding)).toBe('done');
    expect(lm.step([sequence])).toBe('done');
    expect([...lm.logits(0)], `after ${ops} ops`).toEqual(logits);
    lm.close(sequence);
  }
});

it('the same while the encoder is with other stages, or has come back from them', async () => {
  const { encoding, logits } = ofPrompt((await FixtureModel.open('flan-b', 'int8', newUnit())).lm);
  const whole = await packOf('flan-b', 'int8');
  const parts = [
    { layers: { from: 0, to: 1 }, encoderLayers: { from: 0, to: 1 } },
    { layers: { from: 1, to: 2 }, encoderLayers: { from: 1, to: 3 } },
  ];
  for (const errands of [0, 1]) {
    const model = await StagedModel.cut('flan-b', 'int8', parts, newUnit, whole);
    const { lm } = model;
    const sequence = lm.open(PROMPT, TOKENS);
    expect(lm.encode(sequence)).toBe('away');
    for (let i = 0; i < errands; i++) model.errand();
    expect(lm.whereIs([sequence])).toBe(errands > 0 ? 'back' : 'away');
    expect(lm.useEncoding(sequence, encoding)).toBe('done');
    for (let i = 0; lm.step([sequence]) !== 'done'; i++) {
      model.errand();
      expect(i, 'the sequence goes round in circles').toBeLessThan(20);
    }
    expect([...lm.logits(0)], `after ${errands} errands`).toEqual(logits);
  }
});

it('two prompts have their own keys and values, though one comes back from other stages before the other begins', async () => {
  const prompts = [PROMPT, [44, 8, 21, 3, 60]];
  const whole = (await FixtureModel.open('flan-b', 'int8', newUnit())).lm;
  const expected = prompts.map((prompt) => ofPrompt(whole, prompt));
  const parts = [
    { layers: { from: 0, to: 1 }, encoderLayers: { from: 0, to: 3 } },
    { layers: { from: 1, to: 2 }, encoderLayers: { from: 3, to: 3 } },
  ];
  const model = await StagedModel.cut('flan-b', 'int8', parts, newUnit, await packOf('flan-b', 'int8'));
  const { lm } = model;
  const [first, second] = prompts.map((prompt) => lm.open(prompt, TOKENS)) as [Sequence, Sequence];
  expect(lm.useEncoding(first, expected[0]!.encoding)).toBe('done');
  expect(lm.step([first])).toBe('away');
  model.errand();
  expect(lm.whereIs([first])).toBe('back');
  // the second one's encoding is there, and its keys and values are not; then the first goes on
  expect(lm.useEncoding(second, expected[1]!.encoding)).toBe('done');
  for (const [i, sequence] of [first, second].entries()) {
    for (let errands = 0; lm.step([sequence]) !== 'done'; errands++) {
      model.errand();
      expect(errands, 'the sequence goes round in circles').toBeLessThan(20);
    }
    expect([...lm.logits(0)], `prompt ${i}`).toEqual(expected[i]!.logits);
  }
});
