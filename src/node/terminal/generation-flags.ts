/** A flag for every option of a generation: a table, so that none can be without. */
import { type Command, Option } from 'commander';
import type { GenerationRequest } from '../../model/generation/options.ts';

/** Every option of a generation is a flag, its value as in JSON: `num_beams` is --num-beams 4. */
export const GENERATION_FLAGS: Record<keyof GenerationRequest, string> = {
  max_new_tokens: 'stop after this many tokens at the latest',
  min_new_tokens: 'do not stop before this many tokens',
  num_beams: 'how many answers a beam search follows at once',
  length_penalty: 'of a beam search: above 0 it prefers long answers',
  early_stopping: 'when a beam search ends: true, false or never',
  do_sample: 'true: draw tokens at random instead of taking the likeliest',
  temperature: 'of a draw: below 1 likely tokens become likelier, above 1 less so',
  top_k: 'draw among this many of the likeliest tokens',
  top_p: 'draw among the likeliest tokens whose probabilities add up to this',
  seed: 'a number; the same seed draws the same answer',
  repetition_penalty: 'above 1 makes tokens that were used already less likely',
  no_repeat_ngram_size: 'do not repeat any run of this many tokens',
  eos_token_id: 'the tokens that end an answer; one id or a list like [1,5]',
  decoder_start_token_id: 'the id that the decoder starts from; it is not shown',
  bad_words_ids: 'runs of ids that must not be written, like [[7],[5,6]]',
  suppress_tokens: 'ids that are never written, like [5,6]',
  begin_suppress_tokens: 'ids that are not written first, like [5,6]',
  forced_bos_token_id: 'the id of the first token',
  choices: 'the only answers that there may be, as lists of ids, like [[7],[5,6]]',
  forced_eos_token_id: 'the last token of an answer that is cut off; one id or a list',
  stop_strings: 'a text that ends the answer, or a list like ["\\n","."]',
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
