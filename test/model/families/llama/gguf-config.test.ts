import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Gguf, type MetadataValue } from '../../../../src/model/checkpoint/gguf.ts';
import { parseGgufLlama } from '../../../../src/model/families/llama/gguf-config.ts';
import { llamaTensors, unpermuteRows } from '../../../../src/model/families/llama/tensors.ts';

const metadata = (architecture: string, more: Record<string, MetadataValue> = {}): Map<string, MetadataValue> =>
  new Map(
    Object.entries({
      'general.architecture': architecture,
      'tokenizer.ggml.tokens': Array.from({ length: 300 }, (_, i) => `t${i}`),
      ...Object.fromEntries(
        Object.entries({
          block_count: 7,
          context_length: 4096,
          embedding_length: 64,
          feed_forward_length: 160,
          'attention.head_count': 4,
          'attention.head_count_kv': 2,
          'attention.layer_norm_rms_epsilon': 1e-5,
          ...more,
        })
          .filter(([name]) => !name.startsWith('tokenizer.'))
          .map(([name, value]) => [`${architecture}.${name}`, value]),
      ),
      ...Object.fromEntries(Object.entries(more).filter(([name]) => name.startsWith('tokenizer.'))),
    }),
  );
const tied = () => false;

describe('metadata', () => {
  it('of a Llama', () => {
    const { config, permuted } = parseGgufLlama(metadata('llama', { 'rope.freq_base': 5e5 }), tied);
    expect(permuted).toBe(true);
    expect(config).toMatchObject({
      modelType: 'llama',
      vocabularySize: 300,
      headDim: 16,
      numKvHeads: 2,
      contextLength: 4096,
      tieWordEmbeddings: true,
      eosTokenIds: [],
    });
    expect(config.layers[6]).toEqual({ window: 0, rope: { theta: 5e5, scaling: { kind: 'none' } } });
  });

  it('with a head of its own, and several ids that end a turn, each once', () => {
    const stops = {
      'tokenizer.ggml.eos_token_id': 2,
      'tokenizer.ggml.eot_token_id': 7,
      'tokenizer.ggml.eom_token_id': 2,
    };
    const { config } = parseGgufLlama(metadata('qwen2', stops), (name) => name === 'output.weight');
    expect(config).toMatchObject({ tieWordEmbeddings: false, eosTokenIds: [2, 7], bias: { qkv: true, o: false } });
  });

  it('of a Gemma: local layers, a 1 that is in its norms already, a query scale', () => {
    const gemma = metadata('gemma3', {
      'attention.key_length': 32,
      'attention.sliding_window': 16,
      'rope.freq_base': 1e6,
    });
    const { config, permuted } = parseGgufLlama(gemma, tied);
    expect(permuted).toBe(false);
    expect(config).toMatchObject({ modelType: 'gemma3_text', normAddsOne: false, postNorms: true, embeddingScale: 8 });
    expect(config.attentionScale).toBeCloseTo(32 ** -0.5);
    expect(config.layers.map(({ window }) => window)).toEqual([16, 16, 16, 16, 16, 0, 16]);
    expect(config.layers.map(({ rope }) => rope.theta)).toEqual([1e4, 1e4, 1e4, 1e4, 1e4, 1e6, 1e4]);
  });

  it.each<[string, Map<string, MetadataValue>, string]>([
    [
      'an unknown architecture',
      metadata('mamba'),
      '"general.architecture" to be one of llama, qwen2, qwen3, gemma3, got "mamba"',
    ],
    ['none', new Map(), '"general.architecture" to be a string, got nothing'],
    ['experts', metadata('llama', { expert_count: 8 }), '"llama.expert_count" to be absent'],
    ['no width', metadata('llama', { embedding_length: 'x' }), '"llama.embedding_length" to be an integer'],
    ['yarn', metadata('qwen2', { 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4 }), 'yarn is not built in'],
  ])('with %s is refused by name', (_, wrong, message) => {
    expect(() => parseGgufLlama(wrong, tied, 'x.gguf')).toThrow(message);
  });
});

it('rows of q and k come back into the order of Hugging Face', () => {
  // two heads of four rows with two columns; llama.cpp has put rows 0, 2, 1, 3 of each head into this order
  const rows = [0, 2, 1, 3, 4, 6, 5, 7].flatMap((row) => [row, row + 0.5]);
  expect([...unpermuteRows(Float32Array.from(rows), 2, 2)]).toEqual(
    [0, 1, 2, 3, 4, 5, 6, 7].flatMap((row) => [row, row + 0.5]),
  );
});

const smollm2 = process.env.STEPWISE_SMOLLM2;
it.skipIf(!smollm2)("SmolLM2's file has the tensors that its configuration asks for (STEPWISE_SMOLLM2)", async () => {
  const handle = await open(smollm2!);
  const { size } = await handle.stat();
  const read = async (offset: number, length: number) =>
    (await handle.read(new Uint8Array(length), 0, length, offset)).buffer;
  const file = await Gguf.open({ size, read }, 'smollm2.gguf');
  const { config } = parseGgufLlama(file.metadata, (name) => file.tensors.has(name));
  await handle.close();
  expect(config).toMatchObject({
    hiddenSize: 576,
    numHeads: 9,
    numKvHeads: 3,
    headDim: 64,
    eosTokenIds: [2],
    contextLength: 8192,
  });
  const shapes = Object.fromEntries(Array.from(file.tensors.values(), ({ name, shape }) => [name, shape]));
  expect(Object.fromEntries(llamaTensors(config).map(({ gguf, shape }) => [gguf, shape]))).toEqual(shapes);
});
