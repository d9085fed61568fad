// A T5's tensors in a Hugging Face model folder, and what its files have to say besides.
import { type CheckedWeights, expectEqual } from '../../checkpoint/checked-weights.ts';
import { readStartToken, type T5Config } from '../../checkpoint/config.ts';
import type { GenerationConfig } from '../../checkpoint/generation-config.ts';
import { type Folder, openWeights } from '../../checkpoint/weights.ts';
import { Fields } from '../../json/json.ts';
import { matchT5Tensors, SPARE_TENSORS } from './match-tensors.ts';
import { EMBEDDING } from './tensors.ts';

export async function openT5Weights(folder: Folder, config: T5Config): Promise<CheckedWeights<T5Config>> {
  const weights = await openWeights(folder, SPARE_TENSORS);
  const { names, tiedHead, copies } = matchT5Tensors(config, weights.tensors, weights.where);
  for (const copy of copies) await expectEqual(weights, names.get(EMBEDDING)!, copy);
  return {
    config,
    tiedHead,
    tensor: async (tensorName) => {
      const own = names.get(tensorName);
      if (own === undefined)
        throw new Error(`checkpoint: expected the name of a tensor of this T5, got "${tensorName}"`);
      return await weights.read(own);
    },
  };
}

/** @param where what errors call the generation's file @throws Error where nothing says what answers begin with */
export function checkStart(generation: GenerationConfig, config: unknown, vocabularySize: number, where: string): void {
  const start = generation.decoderStartTokenId ?? readStartToken(new Fields('config.json', config), vocabularySize);
  if (start === undefined) {
    throw new Error(
      `${where}: expected a decoder_start_token_id, or else a bos_token_id, to begin answers with, got neither`,
    );
  }
}
