/**
 * Works the answer of a receipt out again: the same pack, prompt, options and seed give the same ids, to the last one.
 */
import type { Receipt } from '../../client/certified/receipt.ts';
import { advance } from '../../model/generation/generation.ts';
import { openGeneration } from '../../model/generation/open-generation.ts';
import { type GenerationOptions, keyOf } from '../../model/generation/options.ts';
import type { WeightsKind } from '../../model/tensor-table.ts';
import { openLocalModel } from './local-model.ts';
import { packFolder } from './model-folder.ts';

/** @throws Error where the model's pack is not the receipt's */
export async function answerAgain(
  model: string,
  weights: WeightsKind,
  { model: sha256, prompt_ids, options, seed = '0', token_ids }: NonNullable<Receipt['answer']>,
): Promise<{ same: boolean; text: string }> {
  const pack = await packFolder(model, weights);
  if (pack.sha256 !== sha256)
    throw new Error(`receipt: expected a model with the pack ${sha256}, got ${model} at ${weights}, ${pack.sha256}`);
  const local = await openLocalModel(model, weights);
  const decided: GenerationOptions = { ...JSON.parse(options), key: keyOf(BigInt(seed)) };
  const generation = openGeneration(local.model, prompt_ids, decided, undefined, local.tokenizer);
  while (advance(local.model, generation) !== 'finished');
  const made = generation.tokenIds;
  generation.close();
  const same = made.length === token_ids.length && made.every((id, i) => id === token_ids[i]);
  return { same, text: local.tokenizer?.decode(made) ?? '' };
}
