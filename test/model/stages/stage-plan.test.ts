import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkStage, planStages } from '../../../src/model/stages/stage-plan.ts';

it('cuts every model into stages that follow one another, each with its share to half a layer and the least', () => {
  const model = fc.record({
    layers: fc.integer({ min: 1, max: 40 }),
    encoderLayers: fc.integer({ min: 0, max: 40 }),
    besides: fc.integer({ min: 0, max: 50 }),
    stages: fc.integer({ min: 2, max: 41 }),
  });
  fc.assert(
    fc.property(model, ({ layers, encoderLayers, besides, stages: asked }) => {
      const stages = Math.min(asked, layers + 1);
      const parts = planStages({ layers, encoderLayers }, stages, () => 10, besides);
      expect(parts.length).toBe(stages);
      // what it makes is what it takes
      for (const index of parts.keys()) checkStage({ index, parts }, { layers, encoderLayers }, 'plan');
      // with room for everyone: nobody has more than its share and a layer
      const share = (layers * 10 + besides) / stages;
      for (const [i, { layers: range }] of parts.entries())
        expect((range.to - range.from) * 10).toBeLessThanOrEqual(Math.max(10, share + 10 + (i > 0 ? besides : 0)));
    }),
    { seed: 1 },
  );
});

it('gives the first stage fewer layers for what it has besides', () => {
  const sizes = planStages({ layers: 12, encoderLayers: 0 }, 3, () => 10, 30).map(
    ({ layers }) => layers.to - layers.from,
  );
  expect(sizes).toEqual([2, 5, 5]);
});

it.each([1, 2.5, 5, Number.NaN])('%d stages of three layers are refused', (stages) => {
  expect(() => planStages({ layers: 3, encoderLayers: 0 }, stages, () => 1, 0)).toThrow(
    `stages: expected 2 to 4 stages of a model of 3 layers, got ${stages}`,
  );
});

const range = (from: number, to: number) => ({ from, to });
it.each([
  ['one part', { index: 0, parts: [{ layers: range(0, 4) }] }, '2 to 5 parts, got 1'],
  ['no parts', { index: 0 }, '2 to 5 parts, got undefined'],
  [
    'an index behind the last',
    { index: 2, parts: [{ layers: range(0, 2) }, { layers: range(2, 4) }] },
    'from 0 to 1, got 2',
  ],
  [
    'a gap',
    { index: 0, parts: [{ layers: range(0, 2) }, { layers: range(3, 4) }] },
    'layers from 2 to at most 4, got 3',
  ],
  [
    'an overlap',
    { index: 0, parts: [{ layers: range(0, 2) }, { layers: range(1, 4) }] },
    'layers from 2 to at most 4, got 1',
  ],
  ['too few', { index: 0, parts: [{ layers: range(0, 2) }, { layers: range(2, 3) }] }, 'layers up to 4, got up to 3'],
  ['too many', { index: 0, parts: [{ layers: range(0, 2) }, { layers: range(2, 9) }] }, 'at most 4, got 2 to 9'],
  ['nothing for the second', { index: 0, parts: [{ layers: range(0, 4) }, { layers: range(4, 4) }] }, 'got 4 to 4'],
])('%s: refused in words', (_, stage, message) => {
  expect(() => checkStage(stage as never, { layers: 4, encoderLayers: 0 }, 'pack')).toThrow(message);
});

it('wants the ranges of an encoder, too', () => {
  const parts = [{ layers: range(0, 2) }, { layers: range(2, 4) }];
  expect(() => checkStage({ index: 0, parts }, { layers: 4, encoderLayers: 4 }, 'pack')).toThrow(
    'pack: expected encoderLayers from 0',
  );
});
