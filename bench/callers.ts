/** Callers of a model of random weights, who all ask at once and get answers of a given length. */

import type { ModelConfig } from '../src/model/families/registry.ts';
import { promptOf, type RandomPack } from '../src/node/model/random-model.ts';

/** One token a call, and no end but the one that is asked for. */
export const TO_THE_LENGTH = { eos_token_id: [0], tokens_per_call: { fixed: 1 } };

/** A command's list of how many ask at once. */
export const callersOf = (text: string): number[] => text.split(',').map(Number);

/** @param variant other variants are other prompts, of which nothing is kept */
export const promptsOf = (
  { tokenizer }: RandomPack<ModelConfig>,
  tokens: number,
  count: number,
  variant: number,
): string[] => Array.from({ length: count }, (_, i) => promptOf(tokenizer, tokens, variant + i));
