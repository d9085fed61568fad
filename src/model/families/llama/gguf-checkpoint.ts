// A model of the Llama block out of one GGUF file: metadata to configuration, tensors by Hugging Face's names and in
// its order. Not the tokenizer, whose entries are in the same metadata. Source: ggml, `docs/gguf.md`.
import type { CheckedWeights } from '../../checkpoint/checked-weights.ts';
import { Gguf } from '../../checkpoint/gguf.ts';
import type { Source } from '../../checkpoint/tensor-file.ts';
import { show } from '../../json/json.ts';
import type { LlamaConfig } from './config.ts';
import type { LlamaFile } from './conversion.ts';
import { isLlamaArchitecture, parseGgufLlama } from './gguf-config.ts';
import { matchGgufTensors, ROPE_FACTORS } from './match-tensors.ts';
import { llamaTensors, unpermuteRows } from './tensors.ts';

/** Characters of a model's name. */
const MAX_NAME = 200;

export interface GgufLlamaFile extends CheckedWeights<LlamaConfig>, LlamaFile {
  name: string;
  /** What stands for `config.json` and `generation_config.json` in a pack. */
  json: { config: unknown; generation: unknown };
  metadata: Gguf['metadata'];
}

/** @throws Error, TypeError, RangeError naming what is wrong */
export async function openGgufLlama(source: Source, where: string): Promise<GgufLlamaFile> {
  const gguf = await Gguf.open(source, where);
  const architecture = gguf.metadata.get('general.architecture');
  if (!isLlamaArchitecture(architecture)) {
    throw new Error(
      `${where}: expected "general.architecture" to be llama, qwen2, qwen3 or gemma3 (no other is built in), got ${show(architecture)}`,
    );
  }
  const { config, permuted, json } = parseGgufLlama(gguf.metadata, (name) => gguf.tensors.has(name), where);
  matchGgufTensors(config, gguf.tensors, where);
  const specs = new Map(llamaTensors(config).map((spec) => [spec.name, spec]));
  const named = gguf.metadata.get('general.name');
  const name = typeof named === 'string' && named.trim() !== '' ? named : where.replace(/\.gguf$/, '');
  return {
    name: name.slice(0, MAX_NAME),
    config,
    json: { config: json, generation: {} },
    tiedHead: config.tieWordEmbeddings,
    metadata: gguf.metadata,
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
