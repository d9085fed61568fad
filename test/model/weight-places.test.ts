/** Streamed weights give what resident ones give, to the bit, wherever layers lie and wherever a program is stopped. */
import { describe, expect, it } from 'vitest';
import { layerOf as llamaLayerOf } from '../../src/model/families/llama/tensors.ts';
import { layerOf as t5LayerOf } from '../../src/model/families/t5/tensors.ts';
import type { LanguageModel } from '../../src/model/language-model.ts';
import { layOut, type TensorSpec, type WeightsKind } from '../../src/model/tensor-table.ts';
import { WeightPlaces } from '../../src/model/weight-places.ts';
import { inOrder } from '../../src/tensor/layout.ts';
import { Recorder, type StablePiece } from '../../src/tensor/recorder.ts';
import { Reference } from '../../src/tensor/reference/reference.ts';
import { randomFrom } from '../random.ts';
import { newUnit } from '../tensor/machines.ts';
import { FIXTURES, FixtureModel, LLAMA_FIXTURES, type StableWeights } from './generation/models.ts';
import { SlicingUnit } from './generation/slicing.ts';

const PROMPT = [7, 19, 4, 33, 12, 5, 9];
const TOKENS = 5;

/** Weights somewhere in a stable memory of which other bytes are 0xff, in pieces of random sizes that are far apart. */
class Stable implements StableWeights {
  private readonly bytes = new Uint8Array(1 << 24).fill(0xff);
  /** Of each piece: from which of the weights' bytes on, and where it stands. */
  private readonly pieces: { offset: number; at: number; bytes: number }[] = [];
  loads = 0;

  constructor(
    readonly room: number,
    random: () => number,
  ) {
    let at = 1000;
    for (let offset = 0; offset < 1 << 22; ) {
      const bytes = 16 * (1 + Math.floor(random() * 4000));
      this.pieces.push({ offset, at, bytes });
      at += bytes + Math.floor(random() * 5000);
      offset += bytes;
    }
  }

  private parts(offset: number, bytes: number): { at: number; from: number; bytes: number }[] {
    return this.pieces.flatMap((piece) => {
      const from = Math.max(offset, piece.offset);
      const end = Math.min(offset + bytes, piece.offset + piece.bytes);
      return from < end ? [{ at: piece.at + from - piece.offset, from: from - offset, bytes: end - from }] : [];
    });
  }

  piecesOf(offset: number, bytes: number): StablePiece[] {
    return this.parts(offset, bytes).map(({ at, bytes: length }) => {
      return { page: Math.floor(at / 65_536), offset: at % 65_536, bytes: length };
    });
  }

  keep(offset: number, bytes: Uint8Array): void {
    for (const { at, from, bytes: length } of this.parts(offset, bytes.length))
      this.bytes.set(bytes.subarray(from, from + length), at);
  }

  readonly read = (from: number, into: Uint8Array): void => {
    this.loads += 1;
    into.set(this.bytes.subarray(from, from + into.length));
  };
}

/** Logits of every step, those of two sequences in a batch among them. */
function logitsOf(lm: LanguageModel, budget: () => bigint | undefined): number[][] {
  const prompts = [PROMPT, PROMPT.slice(2)];
  const sequences = prompts.map((prompt) => lm.open(prompt, TOKENS));
  const steps: number[][] = [];
  for (let token = 0; token < TOKENS - 1; token++) {
    while (lm.step(sequences, budget()) !== 'done');
    sequences.forEach((sequence, row) => {
      steps.push([...lm.logits(row)]);
      sequence.targetIds.push(lm.greedy(row));
    });
  }
  for (const sequence of sequences) lm.close(sequence);
  return steps;
}

const resident = async (name: string, weights: WeightsKind): Promise<number[][]> =>
  logitsOf((await FixtureModel.open(name, weights, newUnit())).lm, () => undefined);

describe.each([...FIXTURES, ...LLAMA_FIXTURES])('%s', (name) => {
  it.each(['int8', 'int4', 'float32'] as const)('%s: the same bits with any part of it streamed', async (weights) => {
    const seed = 1;
    const random = randomFrom(seed);
    const expected = await resident(name, weights);
    const whole = (await FixtureModel.open(name, weights, newUnit())).lm.weights.bytes;
    for (const share of [0, random()]) {
      const stable = new Stable(whole * share, random);
      const unit = new SlicingUnit(stable.read);
      const { lm } = await FixtureModel.open(name, weights, unit, stable);
      const where = `seed ${seed}, room for ${share} of the weights`;
      expect(lm.weights.streamedBytes, where).toBeGreaterThan(0);
      expect(lm.weights.bytes, where).toBeLessThan(whole);
      expect(
        logitsOf(lm, () => unit.next(1 + Math.floor(random() * 9))),
        where,
      ).toEqual(expected);
      expect(stable.loads).toBeGreaterThan(0);
    }
  });
});

it('the reference streams as it works with resident weights', async () => {
  const stable = new Stable(0, randomFrom(2));
  const [streamed, whole] = await Promise.all([
    FixtureModel.open('llama-a', 'int8', new Reference(stable.read), stable),
    FixtureModel.open('llama-a', 'int8', new Reference()),
  ]);
  const never = (): undefined => undefined;
  expect(logitsOf(streamed.lm, never)).toEqual(logitsOf(whole.lm, never));
});

describe('places', () => {
  const tensor = (name: string, size: number): TensorSpec => {
    return { name, gguf: '', shape: [size], layout: { kind: 'vector', cols: inOrder(size) } };
  };
  // 64 bytes, three layers of 128, 256 and 128, 64 bytes
  const table = [
    ['e', 16],
    ['l.0.a', 16],
    ['l.0.b', 16],
    ['l.1.a', 64],
    ['l.2.a', 32],
    ['h', 16],
  ] as const;
  const tensors = layOut(
    table.map(([name, size]) => tensor(name, size)),
    'float32',
  );
  const layerOf = (name: string): string | undefined => /^l\.\d/.exec(name)?.[0];
  const piecesOf = (offset: number, bytes: number): StablePiece[] => [{ page: 0, offset, bytes }];
  const placesIn = (room: number) => {
    const taken: number[] = [];
    let at = 4096;
    const allocate = (bytes: number): number => {
      taken.push(bytes);
      at += bytes;
      return at - bytes;
    };
    return { taken, places: new WeightPlaces(tensors, layerOf, allocate, { room, piecesOf }) };
  };

  it.each([
    [640, 0, [640]],
    [639, 128 + 256, [256, 256]],
    [512, 128 + 256, [256, 256]],
    [511, 512, [128, 256]],
    [0, 512, [128, 256]],
  ])('in %i bytes, %i are streamed', (room, streamed, taken) => {
    const { places, taken: got } = placesIn(room);
    expect(places.streamedBytes).toBe(streamed);
    expect(got).toEqual(taken);
    expect(places.bytes).toBe(taken.reduce((sum, bytes) => sum + bytes, 0));
  });

  it('puts what stays where it stays, in any pieces, and enters what does not', () => {
    const { places } = placesIn(512);
    const memory = new Map<number, number>();
    const weights = Uint8Array.from({ length: 640 }, (_, i) => i % 251);
    for (let from = 0; from < 640; from += 48)
      places.put(from, weights.subarray(from, from + 48), (at, bytes) => {
        for (const [i, byte] of bytes.entries()) memory.set(at + i, byte);
      });
    for (const name of ['e', 'l.2.a', 'h']) {
      const { offset } = places.tensor(name);
      expect(memory.get(places.at(places.tensor(name))), name).toBe(offset % 251);
    }
    expect(memory.size).toBe(256);
    const window = places.at(places.tensor('l.0.a'));
    expect(places.at(places.tensor('l.1.a'))).toBe(window);
    expect(places.at(places.tensor('l.0.b'))).toBe(window + 64);
    const r = new Recorder();
    for (const layer of ['l.0', 'l.1', 'l.2']) places.enter(r, layer);
    expect(r.finish().ops.map(({ name, label }) => `${name} ${label}`)).toEqual(['loadStable l.0', 'loadStable l.1']);
  });

  it('refuses tables whose layers are torn apart, and names that are not there', () => {
    const torn = layOut(
      ['l.0.a', 'e', 'l.0.b'].map((name) => tensor(name, 16)),
      'float32',
    );
    expect(() => new WeightPlaces(torn, layerOf, () => 0, { room: 0, piecesOf })).toThrow(
      'expected l.0.b beside the rest of l.0',
    );
    expect(() => placesIn(0).places.tensor('x')).toThrow('weights: expected a tensor x, got none');
  });

  it('knows the layers of both families', () => {
    expect(t5LayerOf('encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight')).toBeUndefined();
    expect(t5LayerOf('encoder.block.11.layer.0.SelfAttention.q.weight')).toBe('encoder.block.11');
    expect(t5LayerOf('decoder.block.2.layer.1.EncDecAttention.k.weight')).toBe('decoder.block.2.cross');
    expect(t5LayerOf('decoder.block.2.layer.1.EncDecAttention.q.weight')).toBe('decoder.block.2');
    expect(t5LayerOf('shared.weight')).toBeUndefined();
    expect(llamaLayerOf('model.layers.10.mlp.up_proj.weight')).toBe('model.layers.10');
    expect(llamaLayerOf('lm_head.weight')).toBeUndefined();
  });
});
