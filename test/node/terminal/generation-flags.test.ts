/**
 * Every option of a generation as a flag: one test over the table, each with a right and a wrong value as a shell hands
 * it over.
 */
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { parseT5Config } from '../../../src/model/checkpoint/config.ts';
import {
  GENERATION_OPTIONS,
  type GenerationOptions,
  type GenerationRequest,
  generationOptions,
} from '../../../src/model/generation/options.ts';
import {
  addGenerationFlags,
  flagOf,
  GENERATION_FLAGS,
  requestOf,
} from '../../../src/node/terminal/generation-flags.ts';

const config = parseT5Config({ vocab_size: 100, eos_token_id: 1, decoder_start_token_id: 0 });

function decide(args: string[]): GenerationOptions {
  const program = new Command().exitOverride();
  addGenerationFlags(program);
  program.parse(args, { from: 'user' });
  return generationOptions(requestOf(program.opts()), { notApplied: [] }, config, () => 77n);
}

/** A right value and what becomes of it, flags that it needs beside it, a wrong value. */
type Row = [right: string, decided: Partial<GenerationOptions>, wrong: string, beside?: string[]];
const TABLE: Record<keyof GenerationRequest, Row> = {
  max_new_tokens: ['7', { maxNewTokens: 7 }, '0'],
  min_new_tokens: ['3', { minNewTokens: 3 }, '-1'],
  num_beams: ['4', { numBeams: 4 }, '17'],
  length_penalty: ['2.5', { lengthPenalty: 2.5 }, '11'],
  early_stopping: ['never', { earlyStopping: 'never' }, 'always'],
  do_sample: ['true', { doSample: true }, 'yes'],
  temperature: ['0.5', { temperature: 0.5 }, 'warm'],
  top_k: ['9', { topK: 9 }, '1.5'],
  top_p: ['0.25', { topP: 0.25 }, '1.5'],
  seed: ['12', { key: [12, 0] }, '-3', ['--do-sample', 'true']],
  repetition_penalty: ['1.5', { repetitionPenalty: 1.5 }, '0'],
  no_repeat_ngram_size: ['2', { noRepeatNgramSize: 2 }, '-2'],
  eos_token_id: ['[1,5]', { eosTokenIds: [1, 5] }, '100'],
  decoder_start_token_id: ['7', { decoderStartTokenId: 7 }, '-1'],
  bad_words_ids: ['[[7],[5,6]]', { badWordsIds: [[7], [5, 6]] }, '[7]'],
  suppress_tokens: ['[5,6]', { suppressTokens: [5, 6] }, '[100]'],
  begin_suppress_tokens: ['[5]', { beginSuppressTokens: [5] }, '["a"]'],
  forced_bos_token_id: ['9', { forcedBosTokenId: 9 }, '100'],
  choices: ['[[7],[5,6]]', { choices: [[7], [5, 6]], maxNewTokens: 3 }, '[[7],[7]]'],
  forced_eos_token_id: ['[1,2]', { forcedEosTokenIds: [1, 2] }, '[-1]'],
  stop_strings: ['["\\n","."]', { stopStrings: ['\n', '.'] }, '[""]'],
};

it('the table has every option', () => {
  expect(Object.keys(GENERATION_FLAGS).sort()).toEqual([...GENERATION_OPTIONS].sort());
});

it.each(Object.entries(TABLE))('%s', (name, [right, decided, wrong, beside = []]) => {
  expect(decide(beside)).not.toMatchObject(decided);
  expect(decide([...beside, flagOf(name), right])).toMatchObject(decided);
  expect(decide([...beside, `${flagOf(name)}=${right}`])).toMatchObject(decided);
  expect(() => decide([...beside, flagOf(name), wrong])).toThrow(`generate: expected "${name}`);
  expect(() => decide([...beside, flagOf(name)])).toThrow('argument missing');
});
