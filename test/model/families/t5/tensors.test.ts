/** The one table of a T5's tensors. */
import { expect, it } from 'vitest';
import { parseT5Config } from '../../../../src/model/checkpoint/config.ts';
import { packTensors, t5Tensors } from '../../../../src/model/families/t5/tensors.ts';
import { readFixture } from '../../generation/models.ts';

const configOf = (name: string) => parseT5Config(readFixture(name, 'config.json'), name);

it.each(['flan-a', 't5-v1.0', 'odd'])('%s: every name stands once, in checkpoints and in GGUF files', (name) => {
  const tensors = t5Tensors(configOf(name));
  expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
  expect(new Set(tensors.map(({ gguf }) => gguf)).size).toBe(tensors.length);
});

it('GGUF names are those of ggml', () => {
  const named = (name: string) =>
    Object.fromEntries(t5Tensors(configOf(name)).map(({ name, gguf }) => [name.replace(/\.weight$/, ''), gguf]));
  expect(named('flan-a')).toMatchObject({
    shared: 'token_embd.weight',
    'encoder.block.0.layer.0.SelfAttention.relative_attention_bias': 'enc.blk.0.attn_rel_b.weight',
    'encoder.block.1.layer.0.SelfAttention.o': 'enc.blk.1.attn_o.weight',
    'encoder.block.1.layer.1.DenseReluDense.wi_0': 'enc.blk.1.ffn_gate.weight',
    'encoder.block.1.layer.1.DenseReluDense.wi_1': 'enc.blk.1.ffn_up.weight',
    'encoder.final_layer_norm': 'enc.output_norm.weight',
    'decoder.block.1.layer.0.layer_norm': 'dec.blk.1.attn_norm.weight',
    'decoder.block.1.layer.1.layer_norm': 'dec.blk.1.cross_attn_norm.weight',
    'decoder.block.1.layer.1.EncDecAttention.k': 'dec.blk.1.cross_attn_k.weight',
    'decoder.block.1.layer.2.DenseReluDense.wo': 'dec.blk.1.ffn_down.weight',
    'decoder.block.1.layer.2.layer_norm': 'dec.blk.1.ffn_norm.weight',
  });
  // without a gate, ggml calls the one matrix "up"
  expect(named('t5-v1.0')['encoder.block.0.layer.1.DenseReluDense.wi']).toBe('enc.blk.0.ffn_up.weight');
});

it.each(['int4', 'int8', 'float32'] as const)('%s: tensors lie one after another, at multiples of 16', (weights) => {
  let end = 0;
  for (const { name, offset, bytes } of packTensors({ config: configOf('odd'), weights, tiedHead: false })) {
    expect(offset, name).toBe(Math.ceil(end / 16) * 16);
    end = offset + bytes;
  }
});

it('the embedding stays int8 beside int4 weights, and it alone', () => {
  const tensors = packTensors({ config: configOf('flan-a'), weights: 'int4', tiedHead: false });
  const matrices = tensors.filter(({ layout }) => layout.kind === 'matrix');
  expect(matrices.filter(({ weights }) => weights !== 'int4').map(({ name }) => name)).toEqual(['shared.weight']);
});
