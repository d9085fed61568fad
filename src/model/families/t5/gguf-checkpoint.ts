// A T5 out of one GGUF file: metadata to configuration, tensors by Hugging Face's names. Not the tokenizer, whose
// entries are in the same metadata. Source: ggml, `docs/gguf.md`; gguf-py, `tensor_mapping.py`.
import type { CheckedWeights } from '../../checkpoint/checked-weights.ts';
import type { T5Config } from '../../checkpoint/config.ts';
import type { Gguf } from '../../checkpoint/gguf.ts';
import { checkGgufTensors } from '../../checkpoint/gguf-model.ts';
import { parseGgufT5 } from './gguf-config.ts';
import { headTensor, t5Tensors } from './tensors.ts';

const GGUF_EMBEDDING = 'token_embd.weight';
const GGUF_HEAD = 'output.weight';
/** Saved by old versions and never used: cross-attention has no positions. */
const NEVER_USED = 'dec.blk.0.cross_attn_rel_b.weight';

export interface GgufT5File extends CheckedWeights<T5Config> {
  /** What stands for `config.json` and `generation_config.json` in a pack. */
  json: { config: unknown; generation: unknown };
}

/** @throws Error, TypeError, RangeError naming what is wrong */
export async function openGgufT5(gguf: Gguf): Promise<GgufT5File> {
  const { where, metadata, tensors } = gguf;
  const tiedHead = await isTied(gguf);
  const { config, json } = parseGgufT5(metadata, (name) => tensors.has(name), tiedHead, where);
  const { vocabularySize, dModel, relativeAttentionNumBuckets, numHeads } = config;
  const table = tiedHead ? t5Tensors(config) : [...t5Tensors(config), headTensor(config)];
  const spare = [
    { gguf: GGUF_HEAD, shape: [vocabularySize, dModel] },
    { gguf: NEVER_USED, shape: [relativeAttentionNumBuckets, numHeads] },
  ];
  checkGgufTensors(gguf, table, spare, 'T5');
  const names = new Map(table.map((spec) => [spec.name, spec.gguf]));
  return {
    config,
    json: { config: json, generation: {} },
    tiedHead,
    tensor: async (tensorName) => {
      const own = names.get(tensorName);
      if (!own) throw new Error(`${where}: expected the name of a tensor of this T5, got "${tensorName}"`);
      return await gguf.read(own);
    },
  };
}

/** No head of its own, or a saved copy of the embedding: such a T5 scales what the head reads. */
async function isTied(gguf: Gguf): Promise<boolean> {
  const [head, embedding] = [gguf.tensors.get(GGUF_HEAD), gguf.tensors.get(GGUF_EMBEDDING)];
  if (!head) return true;
  if (!embedding || head.dtype !== embedding.dtype || head.bytes !== embedding.bytes) return false;
  const [a, b] = [await gguf.readBytes(GGUF_HEAD), await gguf.readBytes(GGUF_EMBEDDING)];
  return a.every((byte, i) => byte === b[i]);
}
