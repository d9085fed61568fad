/**
 * The same model from a Hugging Face folder and from a GGUF file, whose tensors have other names, and some another
 * order of rows, comes to the same bits.
 */
import { describe, expect, it } from 'vitest';
import { openGgufCheckpoint } from '../../../src/model/families/checkpoint.ts';
import type { LlamaConfig } from '../../../src/model/families/llama/config.ts';
import { llamaTensors } from '../../../src/model/families/llama/tensors.ts';
import { withCheckpoint } from '../../../src/node/model/model-folder.ts';
import { newUnit } from '../../tensor/machines.ts';
import { memorySource } from '../checkpoint/memory.ts';
import { type Entry, type GgufTensor, writeGguf } from '../checkpoint/write-gguf.ts';
import { FixtureModel, folder, openFolder } from '../generation/models.ts';

/** Rows of a head as GGUF files of architecture `llama` have them: i and i + K/2 beside each other. */
function permuted(values: Float32Array, heads: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  const half = values.length / columns / heads / 2;
  for (let h = 0; h < heads; h++)
    for (let r = 0; r < 2 * half; r++) {
      const from = (h * 2 * half + r) * columns;
      const to = (h * 2 * half + 2 * (r % half) + Math.floor(r / half)) * columns;
      out.set(values.subarray(from, from + columns), to);
    }
  return out;
}

const ARCHITECTURE = { llama: 'llama', qwen2: 'qwen2', qwen3: 'qwen3', gemma3_text: 'gemma3' } as const;

function metadataOf(config: LlamaConfig): Record<string, Entry> {
  const architecture = ARCHITECTURE[config.modelType as keyof typeof ARCHITECTURE];
  const isGemma = architecture === 'gemma3';
  const global = config.layers.find(({ window }) => window === 0) ?? config.layers[0]!;
  const entries: Record<string, Entry> = {
    block_count: config.layers.length,
    context_length: config.contextLength,
    embedding_length: config.hiddenSize,
    feed_forward_length: config.intermediateSize,
    vocab_size: config.vocabularySize,
    'attention.head_count': config.numHeads,
    'attention.head_count_kv': config.numKvHeads,
    'attention.key_length': config.headDim,
    'attention.layer_norm_rms_epsilon': config.rmsNormEpsilon,
    'rope.freq_base': global.rope.theta,
    ...(isGemma && { 'attention.sliding_window': 16 }),
  };
  return {
    'general.architecture': architecture,
    'general.name': 'from gguf',
    ...Object.fromEntries(Object.entries(entries).map(([name, value]) => [`${architecture}.${name}`, value])),
    'tokenizer.ggml.eos_token_id': 2,
  };
}

/** A fixture as a GGUF file, and as its folder has it. */
async function asGguf(
  name: string,
  change: (tensors: GgufTensor[], metadata: Record<string, Entry>) => void = () => {},
) {
  return await withCheckpoint(folder(name), async (checkpoint) => {
    const config = checkpoint.config as LlamaConfig;
    const tensors: GgufTensor[] = [];
    for (const { name, gguf, shape, rotatedHeads } of llamaTensors(config)) {
      let values: Float32Array = await checkpoint.tensor(name);
      if (config.modelType === 'llama' && rotatedHeads) values = permuted(values, rotatedHeads, shape[1] ?? 1);
      // what converts Gemma's norms adds the 1
      if (config.normAddsOne && gguf.endsWith('norm.weight')) values = values.map((w) => w + 1);
      tensors.push({ name: gguf, shape, values });
    }
    const metadata = metadataOf(config);
    change(tensors, metadata);
    return writeGguf(metadata, tensors);
  });
}

const open = (bytes: Uint8Array) => openGgufCheckpoint(memorySource(bytes), 'x.gguf');
function logits({ lm }: FixtureModel): Float32Array {
  const sequence = lm.open([1, 70, 80, 90, 100, 110], 1);
  lm.step([sequence]);
  lm.close(sequence);
  return lm.logits();
}

it.each(['llama-a', 'odd-llama', 'qwen2', 'qwen3'])('%s', async (name) => {
  const checkpoint = await open(await asGguf(name));
  expect(checkpoint.name).toBe('from gguf');
  expect(logits(await openFolder(checkpoint, 'int8', newUnit()))).toEqual(
    logits(await FixtureModel.open(name, 'int8', newUnit())),
  );
});

it('gemma3, whose layers are all local but each sixth: what a file says of them', async () => {
  const { config } = await open(await asGguf('gemma3'));
  expect(config).toMatchObject({ normAddsOne: false, postNorms: true, embeddingScale: 8, attentionScale: 32 ** -0.5 });
  expect((config as LlamaConfig).layers.map(({ window }) => window)).toEqual([16, 16, 16, 16]);
});

it("llama-b: Llama 3's scaling is a tensor of factors", async () => {
  const scaled = await FixtureModel.open('llama-b', 'float32', newUnit());
  const bytes = await asGguf('llama-b', (tensors) => {
    const [L, low, high, factor, K] = [64, 1, 4, 8, 32];
    const factors = Float32Array.from({ length: K / 2 }, (_, i) => {
      const frequency = 500_000 ** ((-2 * i) / K);
      const turns = (L * frequency) / (2 * Math.PI);
      const smooth = (turns - low) / (high - low);
      return turns > high ? 1 : turns < low ? factor : 1 / ((1 - smooth) / factor + smooth);
    });
    tensors.push({ name: 'rope_freqs.weight', shape: [K / 2], values: factors });
  });
  const [a, b] = [logits(await openFolder(await open(bytes), 'float32', newUnit())), logits(scaled)];
  expect(Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))).toBeLessThan(1e-4);
  // and they count
  const without = logits(await openFolder(await open(await asGguf('llama-b')), 'float32', newUnit()));
  expect(Math.max(...without.map((x, i) => Math.abs(x - b[i]!)))).toBeGreaterThan(1e-3);
});

describe('is refused by name', () => {
  it.each<[string, (tensors: GgufTensor[], metadata: Record<string, Entry>) => void, string]>([
    [
      'a tensor missing',
      (tensors) => void tensors.splice(3, 1),
      'x.gguf: expected the tensors that its metadata asks for, got others:\n  blk.0.attn_k.weight: expected shape [32,64], got no such tensor',
    ],
    [
      'a tensor of another shape',
      (tensors) => {
        tensors[1] = { ...tensors[1]!, shape: [32], values: new Float32Array(32) };
      },
      'blk.0.attn_norm.weight: expected shape [64], got [32]',
    ],
    [
      'a tensor too many',
      (tensors) => void tensors.push({ name: 'blk.9.attn_norm.weight', shape: [64], values: new Float32Array(64) }),
      'blk.9.attn_norm.weight: expected no such tensor in this llama, got one of shape [64]',
    ],
    [
      'another architecture',
      (_, metadata) => {
        metadata['general.architecture'] = 'mamba';
      },
      'x.gguf: expected "general.architecture" to be t5, llama, qwen2, qwen3 or gemma3 (no other is built in), got "mamba"',
    ],
    [
      'a mixture of experts',
      (_, metadata) => {
        metadata['llama.expert_count'] = 8;
      },
      'mixtures of experts are not built in',
    ],
  ])('%s', async (_, change, message) => {
    await expect(open(await asGguf('llama-a', change))).rejects.toThrow(message);
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n', 'a Git LFS pointer to it'],
    ['<!DOCTYPE html><html><head></head><body>404</body></html>', 'a web page (HTML)'],
    ['GGML and so on and on and on, longer than a head', 'expected a GGUF file, which begins with GGUF'],
    ['GGUF', 'the file is cut short'],
  ])('%j', async (text, message) => {
    await expect(open(new TextEncoder().encode(text))).rejects.toThrow(message);
  });
});
