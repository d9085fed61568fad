import { describe, expect, it } from 'vitest';
import { promptOf, randomModel, randomTensor } from '../../../src/node/model/random-model.ts';
import { macsOf, shapeNamed, shapeNames } from '../../../src/node/model/shapes.ts';

const little = shapeNamed('little-flan');

describe('shapes', () => {
  it('have the multiply-adds of their matrices', () => {
    // D 512, F 1024, H K 384, V 32128, 8 + 8 layers
    const [projection, feedForward] = [512 * 384, 3 * 512 * 1024];
    expect(macsOf(shapeNamed('flan-t5-small'))).toEqual({
      step: 8 * (6 * projection + feedForward) + 32128 * 512,
      promptToken: 8 * (4 * projection + feedForward) + 8 * 2 * projection,
    });
  });

  it('are refused by an unknown name', () => {
    expect(() => shapeNamed('flan-t5-tiny')).toThrow(`expected one of ${shapeNames.join(', ')}, got flan-t5-tiny`);
  });
});

describe('a random model', () => {
  it('is the same for the same seed and another for another', async () => {
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => randomModel(little, { seed })));
    expect(Buffer.compare(a!.pack, b!.pack)).toBe(0);
    expect(a!.head.sha256).not.toBe(c!.head.sha256);
  });

  it('has tensors of the spread that training begins with, and a head whose stop token never wins', () => {
    const { dModel, eosTokenIds } = little.config;
    const head = randomTensor(little.config, 'lm_head.weight', 1);
    const variance = head.reduce((sum, w) => sum + w * w, 0) / head.length;
    expect(variance * dModel).toBeCloseTo(1, 1);
    const [stop] = eosTokenIds as [number];
    expect(head.subarray(stop * dModel, (stop + 1) * dModel).every((w) => w === 0)).toBe(true);
    expect(() => randomTensor(little.config, 'lm_head', 1)).toThrow('got "lm_head"');
  });

  it('reads prompts of any length, by any variant', async () => {
    const { tokenizer } = await randomModel(little);
    for (const tokens of [2, 3, 17, 33, 128]) {
      const texts = [0, 1, 2].map((variant) => promptOf(tokenizer, tokens, variant));
      for (const text of texts) expect(tokenizer.encode(text)).toHaveLength(tokens);
    }
    expect(promptOf(tokenizer, 33, 0)).not.toBe(promptOf(tokenizer, 33, 1));
  });
});
