// The check that a file has the tensors of a model of the Llama block and no others.
// Source: transformers, models/llama/modeling_llama.py (names, tied weights, buffers that old versions saved).
import type { Gguf } from '../../checkpoint/gguf.ts';
import { checkGgufTensors } from '../../checkpoint/gguf-model.ts';
import { TensorCheck } from '../../checkpoint/tensor-check.ts';
import type { TensorInfo } from '../../checkpoint/tensor-file.ts';
import type { LlamaConfig } from './config.ts';
import { EMBEDDING, HEAD, llamaTensors } from './tensors.ts';

/** Saved by old versions of transformers: worked out from the configuration. */
const BUFFER = /\.rotary_emb\.inv_freq$/;
/** What a GGUF file divides the rotations' frequencies by: Llama 3's scaling. */
export const ROPE_FACTORS = 'rope_freqs.weight';

/**
 * @returns names of tensors that must equal the embedding, as they are saved copies of it
 * @throws Error that names what is missing, what is too many, and what has another shape or no floats
 */
export function matchLlamaTensors(
  config: LlamaConfig,
  tensors: ReadonlyMap<string, TensorInfo>,
  where: string,
): { copies: string[] } {
  const check = new TensorCheck();
  for (const { name, shape } of llamaTensors(config)) {
    const info = tensors.get(name);
    if (info) check.found(info, shape);
    else check.missing(name, shape, name === HEAD ? ' (tie_word_embeddings is false)' : '');
  }
  const copies = config.tieWordEmbeddings && tensors.has(HEAD) ? [HEAD] : [];
  for (const name of copies) check.found(tensors.get(name)!, tensors.get(EMBEDDING)?.shape ?? []);
  for (const name of tensors.keys()) if (BUFFER.test(name)) check.ignore(name);
  check.finish(tensors, where, config.modelType);
  return { copies };
}

/** The same for a GGUF file, whose names are others. */
export function matchGgufTensors(config: LlamaConfig, gguf: Gguf): void {
  const factors = { gguf: ROPE_FACTORS, shape: [config.headDim / 2] };
  checkGgufTensors(gguf, llamaTensors(config), [factors], config.modelType);
}
