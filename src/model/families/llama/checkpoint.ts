// The tensors of a model of the Llama block in a Hugging Face model folder.
import { type CheckedWeights, expectEqual } from '../../checkpoint/checked-weights.ts';
import { type Folder, openWeights } from '../../checkpoint/weights.ts';
import type { LlamaConfig } from './config.ts';
import { matchLlamaTensors } from './match-tensors.ts';
import { EMBEDDING, HEAD } from './tensors.ts';

export async function openLlamaWeights(folder: Folder, config: LlamaConfig): Promise<CheckedWeights<LlamaConfig>> {
  const weights = await openWeights(folder, new Set(config.tieWordEmbeddings ? [HEAD] : []));
  const { copies } = matchLlamaTensors(config, weights.tensors, weights.where);
  for (const copy of copies) await expectEqual(weights, EMBEDDING, copy);
  return { config, tiedHead: config.tieWordEmbeddings, tensor: (name) => weights.read(name) };
}
