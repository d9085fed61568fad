// A model of the Llama block out of one GGUF file: metadata to configuration, tensors by Hugging Face's names and in
// its order. Not the tokenizer, whose entries are in the same metadata. Source: ggml, `docs/gguf.md`.
import type { CheckedWeights } from '../../checkpoint/checked-weights.ts';
import type { Gguf } from '../../checkpoint/gguf.ts';
import type { LlamaConfig } from './config.ts';
import type { LlamaFile } from './conversion.ts';
import { parseGgufLlama } from './gguf-config.ts';
import { matchGgufTensors, ROPE_FACTORS } from './match-tensors.ts';
import { llamaTensors, unpermuteRows } from './tensors.ts';

export interface GgufLlamaFile extends CheckedWeights<LlamaConfig>, LlamaFile {
  /** What stands for `config.json` and `generation_config.json` in a pack. */
  json: { config: unknown; generation: unknown };
}

/** @throws Error, TypeError, RangeError naming what is wrong */
export async function openGgufLlama(gguf: Gguf): Promise<GgufLlamaFile> {
  const { where, metadata } = gguf;
  const { config, permuted, json } = parseGgufLlama(metadata, (name) => gguf.tensors.has(name), where);
  matchGgufTensors(config, gguf);
  const specs = new Map(llamaTensors(config).map((spec) => [spec.name, spec]));
  return {
    config,
    json: { config: json, generation: {} },
    tiedHead: config.tieWordEmbeddings,
    ropeFactors: gguf.tensors.has(ROPE_FACTORS) ? await gguf.read(ROPE_FACTORS) : undefined,
    tensor: async (tensorName) => {
      const spec = specs.get(tensorName);
      if (!spec) throw new Error(`${where}: expected the name of a tensor of this model, got "${tensorName}"`);
      const values = await gguf.read(spec.gguf);
      const columns = spec.shape[1] ?? 1;
      return permuted && spec.rotatedHeads ? unpermuteRows(values, spec.rotatedHeads, columns) : values;
    },
  };
}
