/** The same T5 from a folder and from a GGUF file comes to the same bits; files that are wrong are refused by name. */
import { describe, expect, it } from 'vitest';
import type { T5Config } from '../../../../src/model/checkpoint/config.ts';
import { openGgufCheckpoint } from '../../../../src/model/families/checkpoint.ts';
import { withCheckpoint } from '../../../../src/node/model/model-folder.ts';
import { newUnit } from '../../../tensor/machines.ts';
import { memorySource } from '../../checkpoint/memory.ts';
import { cases, FixtureModel, folder, openFolder } from '../../generation/models.ts';
import { type Change, T5_NAMES, t5AsGguf } from './gguf-t5.ts';

const open = (bytes: Uint8Array) => openGgufCheckpoint(memorySource(bytes), 'x.gguf');

/** The logits of the first three tokens of an answer. */
function logits({ lm }: FixtureModel, ids: readonly number[]): Float32Array[] {
  const sequence = lm.open([...ids], 3);
  const rows = [0, 70, 80].map((id, i) => {
    if (i > 0) sequence.targetIds.push(id);
    lm.step([sequence]);
    return lm.logits().slice();
  });
  lm.close(sequence);
  return rows;
}

describe.each(['flan-a', 't5-v1.0', 'odd'])('%s', (name) => {
  it.each(['float32', 'int8', 'int4'] as const)('the same logits as %s', async (weights) => {
    const checkpoint = await open(await t5AsGguf(folder(name)));
    expect(checkpoint.name).toBe('from gguf');
    const { input_ids } = cases(name)[0]!;
    expect(logits(await openFolder(checkpoint, weights, newUnit()), input_ids)).toEqual(
      logits(await FixtureModel.open(name, weights, newUnit()), input_ids),
    );
  });

  it('has the configuration of its folder', async () => {
    const { config } = await open(await t5AsGguf(folder(name)));
    const expected = await withCheckpoint(folder(name), async ({ config }) => config as T5Config);
    expect(config).toEqual({ ...expected, layerNormEpsilon: Math.fround(expected.layerNormEpsilon) });
  });
});

it('answers as transformers does', async () => {
  const model = await openFolder(await open(await t5AsGguf(folder('flan-a'))), 'float32', newUnit());
  const [{ input_ids, greedy_ids }] = cases('flan-a') as [ReturnType<typeof cases>[number]];
  expect(model.generate(input_ids, { max_new_tokens: greedy_ids.length - 1 })).toEqual(greedy_ids);
});

it('a head that is a saved copy of the embedding is tied; one that differs is not', async () => {
  const withHead = (change: (values: Float32Array) => void) =>
    t5AsGguf(folder('t5-v1.0'), (tensors) => {
      const { shape, values } = tensors.find(({ name }) => name === 'token_embd.weight')!;
      const head = { name: 'output.weight', shape, values: values.slice() };
      change(head.values);
      tensors.push(head);
    });
  const copied = await open(await withHead(() => {}));
  expect([copied.tiedHead, copied.config]).toMatchObject([true, { scaleDecoderOutputs: true }]);
  const own = await open(await withHead((values) => void values.fill(1, -1)));
  expect([own.tiedHead, own.config]).toMatchObject([false, { scaleDecoderOutputs: false }]);
});

it('a decoder of other layers, a stop that the file leaves out, a tensor that is never used', async () => {
  const bytes = await t5AsGguf(folder('flan-a'), (tensors, metadata) => {
    const blocks = tensors.filter(({ name }) => name.startsWith('dec.blk.1.'));
    tensors.push(...blocks.map((tensor) => ({ ...tensor, name: tensor.name.replace('.1.', '.2.') })));
    tensors.push({ name: 'dec.blk.0.cross_attn_rel_b.weight', shape: [32, 4], values: new Float32Array(128) });
    metadata['t5.decoder_block_count'] = 3;
    delete metadata['tokenizer.ggml.eos_token_id'];
    delete metadata['t5.attention.layer_norm_rms_epsilon'];
  });
  const { config } = await open(bytes);
  expect(config).toMatchObject({ numLayers: 2, numDecoderLayers: 3, eosTokenIds: [1] });
});

describe('is refused by name', () => {
  const without =
    (key: string): Change =>
    (_, metadata) =>
      void delete metadata[key];
  const set =
    (key: string, value: string | number): Change =>
    (_, metadata) => {
      metadata[key] = value;
    };
  it.each<[string, Change, string]>([
    [
      'a tensor missing',
      (tensors) => void tensors.splice(3, 1),
      'x.gguf: expected the tensors that its metadata asks for, got others:\n  enc.blk.0.attn_q.weight: expected shape [64,64], got no such tensor',
    ],
    [
      'no embedding',
      (tensors) => void tensors.splice(0, 1),
      'token_embd.weight: expected shape [384,64], got no such tensor',
    ],
    [
      'a gate missing in one block',
      (tensors) =>
        void tensors.splice(
          tensors.findIndex(({ name }) => name === 'enc.blk.1.ffn_gate.weight'),
          1,
        ),
      'enc.blk.1.ffn_gate.weight: expected shape [128,64], got no such tensor',
    ],
    [
      'a tensor of another shape',
      (tensors) => {
        tensors[1] = { ...tensors[1]!, shape: [16, 4], values: new Float32Array(64) };
      },
      'enc.blk.0.attn_rel_b.weight: expected shape [32,4], got [16,4]',
    ],
    [
      'a bias in each layer, as UMT5 has it',
      (tensors) => void tensors.push({ ...tensors[1]!, name: 'enc.blk.1.attn_rel_b.weight' }),
      'enc.blk.1.attn_rel_b.weight: expected no such tensor in this T5, got one of shape [32,4]',
    ],
    [
      'an encoder alone',
      set('general.architecture', T5_NAMES.architectures.T5ENCODER),
      'x.gguf: expected "general.architecture" to be t5, llama, qwen2, qwen3 or gemma3 (an encoder alone makes no text), got "t5encoder"',
    ],
    ['no architecture', without('general.architecture'), '(no other is built in), got nothing'],
    ['no width', without('t5.embedding_length'), 'x.gguf: expected "t5.embedding_length" to be an integer'],
    [
      'too few buckets',
      set('t5.attention.relative_buckets_count', 3),
      '"t5.attention.relative_buckets_count" to be an integer from 4',
    ],
    [
      'no epsilon',
      (_, metadata) => {
        for (const key of Object.keys(metadata)) if (key.includes('epsilon')) delete metadata[key];
      },
      '"t5.attention.layer_norm_rms_epsilon" to be a number',
    ],
    ['nothing to begin with', without('t5.decoder_start_token_id'), 'x.gguf: expected a decoder_start_token_id'],
    [
      'a start that is no token',
      set('t5.decoder_start_token_id', 384),
      '"t5.decoder_start_token_id" to be an integer from 0 to 383, got 384',
    ],
  ])('%s', async (_, change, message) => {
    await expect(open(await t5AsGguf(folder('flan-a'), change))).rejects.toThrow(message);
  });
});
