/** A flag for every option of a generation: a table, so that none can be without. */
import { type Command, Option } from 'commander';
import type { GenerationRequest } from '../../model/generation/options.ts';

/** Every option of a generation is a flag, its value as in JSON: `num_beams` is --num-beams 4. */
export const GENERATION_FLAGS: Record<keyof GenerationRequest, string> = {
  max_new_tokens: 'the longest answer in tokens',
  min_new_tokens: 'the shortest',
  num_beams: 'beams of a beam search',
  length_penalty: 'above 0 beams favour long answers',
  early_stopping: 'true, false or never: when a beam search ends',
  do_sample: 'true: tokens are drawn',
  temperature: 'of a draw',
  top_k: 'draw among so many of the likeliest',
  top_p: 'draw among the likeliest that come to this probability',
  seed: 'repeats a draw',
  repetition_penalty: 'above 1 makes tokens that were there less likely',
  no_repeat_ngram_size: 'no so many tokens in a row come twice',
  eos_token_id: 'ends an answer; one id or a list like [1,5]',
  decoder_start_token_id: 'what an answer begins with, unseen',
  bad_words_ids: 'lists of ids that must not follow one another, like [[7],[5,6]]',
  suppress_tokens: 'ids that never come, like [5,6]',
  begin_suppress_tokens: 'ids that do not come first',
  forced_bos_token_id: 'the first token',
  forced_eos_token_id: 'the last token of an answer that is cut off; one id or a list',
};
export const flagOf = (name: string): string => `--${name.replaceAll('_', '-')}`;
const camel = (name: string): string => name.replace(/_(.)/g, (_, c: string) => c.toUpperCase());

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // said by whoever checks it, with the field's name
  }
}

/** Adds them all to a command. */
export function addGenerationFlags(program: Command): void {
  for (const [name, meaning] of Object.entries(GENERATION_FLAGS)) {
    const option = new Option(`${flagOf(name)} <value>`, meaning).argParser(jsonValue);
    // commander takes every --no-… for the negation of another flag
    option.negate = false;
    program.addOption(option);
  }
}

/** What was given of them, by their options' names. */
export const requestOf = (options: object): GenerationRequest =>
  Object.fromEntries(
    Object.keys(GENERATION_FLAGS)
      .map((name) => [name, (options as Record<string, unknown>)[camel(name)]])
      .filter(([, value]) => value !== undefined),
  );
