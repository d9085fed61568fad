import { describe, expect, it } from 'vitest';
import { openModel, shapeOf } from '../../../src/model/families/registry.ts';
import { decodePackHead } from '../../../src/model/pack/pack.ts';
import { nodeUnit } from '../../../src/node/model/node-unit.ts';
import { promptOf, randomModel, randomPack } from '../../../src/node/model/random-model.ts';
import { macsOf, shapeNamed, shapeNames, t5ShapeNamed, withLayers } from '../../../src/node/model/shapes.ts';
import { Arena } from '../../../src/tensor/arena.ts';
import { matrixParts } from '../../../src/tensor/layout.ts';

const little = t5ShapeNamed('little-flan');

describe('shapes', () => {
  it('have the multiply-adds of their matrices', () => {
    // D 512, F 1024, H K 384, V 32128, 8 + 8 layers
    const [projection, feedForward] = [512 * 384, 3 * 512 * 1024];
    expect(macsOf(t5ShapeNamed('flan-t5-small'))).toEqual({
      step: 8 * (6 * projection + feedForward) + 32128 * 512,
      promptToken: 8 * (4 * projection + feedForward) + 8 * 2 * projection,
    });
  });

  it('are refused by an unknown name', () => {
    expect(() => t5ShapeNamed('llama-7b')).toThrow('got llama-7b');
    expect(() => shapeNamed('flan-t5-tiny')).toThrow(`expected one of ${shapeNames.join(', ')}, got flan-t5-tiny`);
  });
});

describe('a random model', () => {
  it('is the same for the same seed and another for another', async () => {
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => randomModel(little, { seed })));
    expect(Buffer.compare(a!.pack, b!.pack)).toBe(0);
    expect(a!.head.sha256).not.toBe(c!.head.sha256);
  });

  it.each(['int4', 'int8', 'float32'] as const)(
    '%s: has a head of the spread that training begins with',
    async (weights) => {
      const { config, head, pack } = await randomModel(little, { weights });
      const { dModel, vocabularySize, eosTokenIds } = config;
      const unit = await nodeUnit();
      const t5 = openModel(unit, new Arena(unit), shapeOf(head, config));
      t5.weights.put(0, pack.subarray(head.weightsOffset, head.tokenizerOffset), (at, bytes) => unit.write(at, bytes));
      const { at } = t5.weights.matrix('lm_head.weight');
      const { scales, multipliers } = matrixParts(weights, vocabularySize, dModel);
      const raw = unit.read(at, matrixParts(weights, vocabularySize, dModel).bytes);
      const rowScales =
        weights === 'float32' ? undefined : new Float32Array(raw.buffer, raw.byteOffset + scales, vocabularySize);
      const values =
        weights === 'float32'
          ? new Float32Array(raw.buffer, raw.byteOffset, vocabularySize * dModel)
          : weights === 'int8'
            ? new Int8Array(raw.buffer, raw.byteOffset, multipliers)
            : Array.from(raw.subarray(0, multipliers), (byte) => ((byte & 15) - 8) * 11);
      const variance = (values as number[]).reduce((sum, w) => sum + w * w, 0) / values.length;
      const scale = rowScales?.[0] ?? 1;
      expect(variance * scale * scale * dModel).toBeCloseTo(1, 1);
      const [stop] = eosTokenIds as [number];
      expect(rowScales?.[stop] ?? values[stop * dModel]).toBe(0);
    },
  );

  it.each(shapeNames.filter((name) => name !== 'gemma3-270m' && name !== 'llama-8b'))('%s is a pack', async (name) => {
    const shape = withLayers(shapeNamed(name), 1);
    const { bytes, head, read } = await randomPack(shape, { weights: 'int4' });
    const opened = decodePackHead(read(0, head.weightsOffset), bytes);
    expect(opened.config).toEqual(shape.config);
    // read in any parts, it is the same
    const from = head.tokenizerOffset - 1000;
    expect(Buffer.concat([read(from, 999), read(from + 999, 501)])).toEqual(Buffer.from(read(from, 1500)));
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
