import { describe, expect, it } from 'vitest';
import { parseT5Config, type T5Config } from '../../../../src/model/checkpoint/config.ts';
import { openCheckpoint } from '../../../../src/model/families/checkpoint.ts';
import { t5Tensors } from '../../../../src/model/families/t5/tensors.ts';
import { filledTensors, fixture, memoryFolder } from '../../checkpoint/memory.ts';
import { type TensorToWrite, writeSafetensors } from '../../checkpoint/write-safetensors.ts';

/** Sizes that are no multiples of anything. */
const ODD = {
  vocab_size: 50,
  d_model: 10,
  d_kv: 3,
  num_heads: 3,
  d_ff: 14,
  num_layers: 2,
  num_decoder_layers: 1,
  relative_attention_num_buckets: 8,
  feed_forward_proj: 'gated-gelu',
  tie_word_embeddings: false,
  decoder_start_token_id: 0,
};
const V_D = [50, 10];
const odd = (): TensorToWrite[] =>
  filledTensors(
    [...t5Tensors(parseT5Config(ODD)), { name: 'lm_head.weight', shape: V_D }].map(({ name, shape }) => ({
      name,
      shape: [...shape],
    })),
  );
const without = (tensors: TensorToWrite[], name: string) => tensors.filter((tensor) => tensor.name !== name);
const open = (tensors: TensorToWrite[], config: object = ODD) =>
  openCheckpoint(memoryFolder({ 'config.json': config, 'model.safetensors': writeSafetensors(tensors) }), 'odd');

describe('a checkpoint', () => {
  it.each([
    ['flan-a', false],
    ['flan-b', false],
    ['t5-v1.0', true],
  ])('opens %s', async (name, tiedHead) => {
    const files = ['config.json', 'generation_config.json', 'model.safetensors'];
    const folder = memoryFolder(Object.fromEntries(files.map((file) => [file, fixture(`t5/${name}/${file}`)])));
    const checkpoint = await openCheckpoint(folder, name);
    expect(checkpoint.tiedHead).toBe(tiedHead);
    expect(checkpoint.generation).toEqual({ decoderStartTokenId: 0, eosTokenIds: [1], padTokenId: 0, notApplied: [] });
    for (const { name, shape } of t5Tensors(checkpoint.config as T5Config)) {
      expect((await checkpoint.tensor(name)).length).toBe(shape.reduce((a, b) => a * b));
    }
  });

  it('names every tensor of flan-t5-small, 77 million numbers in all', () => {
    const tensors = t5Tensors(
      parseT5Config({ num_layers: 8, num_heads: 6, d_ff: 1024, feed_forward_proj: 'gated-gelu' }),
    );
    // 1 + 8 * (4 + 1 + 3 + 1) + 8 * (4 + 1 + 4 + 1 + 3 + 1), two tables of buckets and two last norms; the head is
    // apart.
    expect(tensors.length).toBe(1 + 72 + 112 + 4);
    expect(tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 32128 * 512)).toBe(76_961_152);
    const output = tensors.find(({ name }) => name === 'encoder.block.0.layer.0.SelfAttention.o.weight');
    expect(output!.shape).toEqual([512, 384]);
  });

  it('takes the embedding under its other name, and copies of it', async () => {
    const tensors = odd();
    const shared = tensors.find(({ name }) => name === 'shared.weight')!;
    const embed = { ...shared, name: 'encoder.embed_tokens.weight' };
    const only = await open([...without(tensors, 'shared.weight'), embed]);
    expect(await only.tensor('shared.weight')).toEqual(shared.values);
    const copies = await open([...tensors, embed, { ...shared, name: 'decoder.embed_tokens.weight' }]);
    expect(await copies.tensor('shared.weight')).toEqual(shared.values);
  });

  it('refuses a copy that differs', async () => {
    const values = odd()[0]!.values.slice();
    values[7] = 99;
    await expect(open([...odd(), { name: 'decoder.embed_tokens.weight', shape: V_D, values }])).rejects.toThrow(
      'expected "decoder.embed_tokens.weight" to equal "shared.weight", got 99 for 0.109375 at number 7',
    );
  });

  it('ties the head only where the configuration does and there is none', async () => {
    const tied = { ...ODD, tie_word_embeddings: true, scale_decoder_outputs: false };
    expect((await open(without(odd(), 'lm_head.weight'), tied)).tiedHead).toBe(true);
    expect((await open(odd(), tied)).tiedHead).toBe(false);
    await expect(open(without(odd(), 'lm_head.weight'))).rejects.toThrow(
      'lm_head.weight (tie_word_embeddings is false): expected shape [50,10], got no such tensor',
    );
  });

  it('ignores the bias of cross-attention that old files have', async () => {
    const name = 'decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight';
    await open([...odd(), { name, shape: [8, 3], values: new Float32Array(24) }]);
  });

  it('names each tensor that is missing, too many or of another shape', async () => {
    const tensors = without(odd(), 'decoder.final_layer_norm.weight');
    const wo = tensors.find(({ name }) => name === 'encoder.block.1.layer.1.DenseReluDense.wo.weight')!;
    wo.shape = [14, 10];
    tensors.push({ name: 'bert.pooler', shape: [2], values: new Float32Array(2) });
    await expect(open(tensors)).rejects.toThrow(
      [
        'model.safetensors: expected the tensors that config.json asks for, got others:',
        '  encoder.block.1.layer.1.DenseReluDense.wo.weight: expected shape [10,14], got [14,10]',
        '  decoder.final_layer_norm.weight: expected shape [10], got no such tensor',
        '  bert.pooler: expected no such tensor in this T5, got one of shape [2]',
      ].join('\n'),
    );
  });

  it('says only so much of a checkpoint of another model', async () => {
    await expect(open(odd(), { ...ODD, d_model: 11 })).rejects.toThrow(/… and \d+ more$/);
  });

  it('refuses weights that are no floats', async () => {
    const file = writeSafetensors(odd());
    const text = new TextDecoder('latin1').decode(file).replace('"dtype":"F32"', '"dtype":"I32"');
    const folder = memoryFolder({
      'config.json': ODD,
      'model.safetensors': Uint8Array.from(text, (c) => c.charCodeAt(0)),
    });
    // latin1 decodes 0x80 to 0x9f to other characters; none of these numbers has such a byte.
    await expect(openCheckpoint(folder, 'odd')).rejects.toThrow(
      'shared.weight: expected dtype F32, F16 or BF16, got I32',
    );
  });

  it.each<[string, 'F32' | 'F16' | 'BF16', number, string]>([
    ['infinity', 'F32', Number.POSITIVE_INFINITY, 'got Infinity at number 7'],
    ['minus infinity', 'BF16', Number.NEGATIVE_INFINITY, 'got -Infinity at number 7'],
    ['no number', 'F32', Number.NaN, 'got NaN at number 7'],
    ['no number', 'F16', Number.NaN, 'got NaN at number 7'],
    ['an overflow', 'F16', 65520, 'got Infinity at number 7; float16 ends at 65504'],
  ])('refuses weights with %s, %s', async (_, format, value, message) => {
    for (const name of ['shared.weight', 'decoder.block.0.layer.2.layer_norm.weight']) {
      const tensors = odd();
      tensors.find((tensor) => tensor.name === name)!.values[7] = value;
      const file = writeSafetensors(tensors, format);
      const checkpoint = await openCheckpoint(memoryFolder({ 'config.json': ODD, 'model.safetensors': file }), 'odd');
      await expect(checkpoint.tensor(name)).rejects.toThrow(
        `model.safetensors: tensor "${name}": expected finite numbers, ${message}`,
      );
    }
  });

  it('says what a folder lacks', async () => {
    await expect(openCheckpoint(memoryFolder({}), 'x')).rejects.toThrow('expected config.json in it, got none');
    await expect(openCheckpoint(memoryFolder({ 'config.json': ODD }), 'x')).rejects.toThrow(
      'expected model.safetensors or model.safetensors.index.json, got neither',
    );
  });
});

describe('shards', () => {
  const sharded = (change: (files: Record<string, Uint8Array | object>, map: Record<string, string>) => void) => {
    const tensors = odd();
    const half = tensors.length >> 1;
    const name = (i: number) => `model-0000${i < half ? 1 : 2}-of-00002.safetensors`;
    const map = Object.fromEntries(tensors.map((tensor, i) => [tensor.name, name(i)]));
    const files: Record<string, Uint8Array | object> = {
      'config.json': ODD,
      'model.safetensors.index.json': { metadata: { total_size: 1 }, weight_map: map },
      [name(0)]: writeSafetensors(tensors.slice(0, half)),
      [name(half)]: writeSafetensors(tensors.slice(half)),
    };
    change(files, map);
    return openCheckpoint(memoryFolder(files), 'odd');
  };

  it('are one checkpoint', async () => {
    const checkpoint = await sharded(() => {});
    for (const { name, values } of odd()) expect(await checkpoint.tensor(name)).toEqual(values);
    await expect(checkpoint.tensor('x')).rejects.toThrow('expected the name of a tensor of this T5, got "x"');
  });

  const copy = () => ({ ...odd()[0]!, name: 'encoder.embed_tokens.weight' });
  const [first, second] = [1, 2].map((n) => `model-0000${n}-of-00002.safetensors`) as [string, string];
  const half = () => odd().slice(0, odd().length >> 1);

  it.each<[string, (files: Record<string, Uint8Array | object>, map: Record<string, string>) => void]>([
    [
      'the index names copies that no shard has',
      (_, map) => {
        map['encoder.embed_tokens.weight'] = first;
        map['decoder.embed_tokens.weight'] = second;
      },
    ],
    [
      'a shard has a copy that the index does not name',
      (files) => {
        files[first] = writeSafetensors([...half(), copy()]);
      },
    ],
    [
      'the embedding is there by the name of a copy alone, and the index names the other',
      (files) => {
        files[first] = writeSafetensors([...half().slice(1), copy()]);
      },
    ],
    [
      'the index puts a copy elsewhere',
      (files, map) => {
        files[first] = writeSafetensors([...half(), copy()]);
        map['encoder.embed_tokens.weight'] = second;
      },
    ],
    [
      'a shard has what is never used, and the index does not name it',
      (files) => {
        const name = 'decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight';
        const unused = { name, shape: [1], values: new Float32Array(1) };
        files[first] = writeSafetensors([...half(), unused]);
      },
    ],
  ])('load as a single file does where %s', async (_, change) => {
    expect(await (await sharded(change)).tensor('shared.weight')).toEqual(odd()[0]!.values);
  });

  it('are refused where a copy that the index does not name is another', async () => {
    const other = { ...copy(), values: copy().values.map((x) => x + 1) };
    const opening = sharded((files) => {
      files[first] = writeSafetensors([...half(), other]);
    });
    await expect(opening).rejects.toThrow(
      'expected "encoder.embed_tokens.weight" to equal "shared.weight", got 1 for 0',
    );
  });

  it.each<[string, (files: Record<string, Uint8Array | object>, map: Record<string, string>) => void, string]>([
    [
      'a shard is missing',
      (files) => delete files['model-00002-of-00002.safetensors'],
      'expected the shard model-00002-of-00002.safetensors in the folder',
    ],
    [
      'the index puts a tensor elsewhere',
      (_, map) => {
        map['lm_head.weight'] = 'model-00001-of-00002.safetensors';
      },
      'expected "lm_head.weight" to be a shard that has it',
    ],
    [
      'the index forgets a tensor',
      (_, map) => delete map['lm_head.weight'],
      'expected tensor "lm_head.weight" of model-00002-of-00002.safetensors in it, got nothing',
    ],
    [
      'a shard is in another folder',
      (_, map) => {
        map['lm_head.weight'] = '../secret.safetensors';
      },
      'to be a plain name ending in .safetensors',
    ],
    [
      'there is no map',
      (files) => {
        files['model.safetensors.index.json'] = {};
      },
      'weight_map: expected a JSON object, got nothing',
    ],
  ])('are refused where %s', async (_, change, message) => {
    await expect(sharded(change)).rejects.toThrow(message);
  });
});
