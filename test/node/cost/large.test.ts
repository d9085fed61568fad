/** What a model of many layers costs by two and three of them, against running it. */
import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../../../src/model/families/llama/config.ts';
import { packShapeOf, workOutCosts } from '../../../src/node/cost/large.ts';
import { type Costs, measureCosts } from '../../../src/node/cost/measure.ts';
import { placesOf } from '../../../src/node/cost/places.ts';
import { placesText } from '../../../src/node/cost/table.ts';
import { randomPack } from '../../../src/node/model/random-model.ts';
import { shapeNamed, t5ShapeNamed } from '../../../src/node/model/shapes.ts';

const MiB = 2 ** 20;

const json = {
  model_type: 'llama',
  vocab_size: 1200,
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  max_position_embeddings: 256,
};
const shape = { name: 'six', family: 'llama' as const, json, config: parseLlamaConfig(json) };

describe('costs that are worked out', () => {
  it.each([
    ['all of it resident', 2_560 * MiB, 0],
    ['half of it streamed', 40 * MiB, 1],
  ])('are those of running it: %s', async (_, arenaBytes, streamed) => {
    const pack = await randomPack(shape);
    const asked = { promptTokens: 9, tokens: 5, arenaBytes };
    const run = await measureCosts({ ...asked, pack, tokenizer: pack.tokenizer });
    const sizes = { packBytes: pack.bytes, tokenizerBytes: pack.head.tokenizerBytes };
    const { costs, places } = await workOutCosts({ shape, weights: 'int8', ...sizes }, asked);
    expect(Math.sign(places.streamedBytes)).toBe(streamed);
    const names = [
      'upload',
      'generate',
      'start',
      'auto',
      'token',
      'tokenMessages',
      'storageDay',
      'storageBytes',
    ] as const;
    const ratios = Object.fromEntries(names.map((name: keyof Costs) => [name, costs[name] / run[name]]));
    for (const [name, ratio] of Object.entries(ratios)) {
      expect(ratio, `${name} of ${JSON.stringify(ratios)}`).toBeGreaterThan(0.9);
      expect(ratio, `${name} of ${JSON.stringify(ratios)}`).toBeLessThan(1.1);
    }
  });
});

describe('where weights are', () => {
  it('is told by the setting, for both families', () => {
    const places = (name: string, weights: 'int4' | 'int8', arenaBytes?: number) =>
      placesOf(packShapeOf(shapeNamed(name), weights), 1e6, arenaBytes);
    expect(places('tinyllama-1.1b', 'int4').streamedBytes).toBe(0);
    const tiny = places('tinyllama-1.1b', 'int4', 256 * MiB);
    expect(tiny.usedBytes).toBeLessThan(256 * MiB);
    expect(tiny.readByBatch).toBe(tiny.streamedBytes);
    expect(tiny.streamedBytes / tiny.weightsBytes).toBeGreaterThan(0.7);
    // the encoder's layers come first, and work once a prompt
    const xl = places('flan-t5-xl', 'int8');
    expect(xl.readByEncoder).toBe(xl.streamedBytes);
    expect(xl.readByBatch).toBe(0);
    expect(placesText(xl)).toMatch(
      /1889\.1 MB stay in the heap and 966\.7 MB are streamed \(arena_bytes 2,560 MiB\).*once a prompt/,
    );
    expect(places('flan-t5-xl', 'int8', 1_024 * MiB).readByBatch).toBeGreaterThan(0);
    expect(() => placesOf(packShapeOf(t5ShapeNamed('flan-t5-xl'), 'int8'), 1e6, 64 * MiB)).toThrow(
      'arena_bytes: expected room for what the model needs at least, got 67108864',
    );
  });
});
