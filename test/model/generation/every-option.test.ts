/**
 * An option of a generation stands in several places. The compiler asks for some (the list of options, the flags); this
 * test names those that it cannot see: the Candid file, the documentation, and a model's own defaults.
 */
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { expect, it } from 'vitest';
import { GenerateOptions } from '../../../src/interface/llm.did.ts';
import { parseT5Config } from '../../../src/model/checkpoint/config.ts';
import { parseGenerationConfig } from '../../../src/model/checkpoint/generation-config.ts';
import { GENERATION_OPTIONS, generationOptions } from '../../../src/model/generation/options.ts';

/** What the canister alone knows of: how a prompt is read, and how many tokens a message makes. */
const OF_THE_CANISTER = ['special_tokens', 'tokens_per_call'];
const config = parseT5Config({ vocab_size: 100, eos_token_id: 1, decoder_start_token_id: 0 });

it('the Candid file has every option and no other, each of them optional', () => {
  const fields = GenerateOptions._fields as [string, IDL.Type][];
  expect(fields.map(([name]) => name).sort(), 'src/interface/llm.did: GenerateOptions').toEqual(
    [...GENERATION_OPTIONS, ...OF_THE_CANISTER].sort(),
  );
  for (const [name, type] of fields) expect(type, name).toBeInstanceOf(IDL.OptClass);
});

it('docs/generation.md has a row for each, and says nothing of others', () => {
  const rows = Array.from(
    readFileSync('docs/generation.md', 'utf8').matchAll(/^\| `([a-z_]+)` \|(?:[^|]+\|){3}$/gm),
    ([, name]) => name,
  );
  expect(rows.sort()).toEqual([...GENERATION_OPTIONS].sort());
});

/** Of each option, a value other than the default. A model's files have no seed and no choices. */
const VALUES: Record<Exclude<(typeof GENERATION_OPTIONS)[number], 'choices' | 'seed'>, unknown> = {
  max_new_tokens: 7,
  min_new_tokens: 3,
  num_beams: 4,
  length_penalty: 2.5,
  early_stopping: true,
  do_sample: true,
  temperature: 0.5,
  top_k: 9,
  top_p: 0.25,
  repetition_penalty: 1.5,
  no_repeat_ngram_size: 2,
  eos_token_id: [1, 5],
  decoder_start_token_id: 7,
  bad_words_ids: [[7], [5, 6]],
  suppress_tokens: [5, 6],
  begin_suppress_tokens: [5],
  forced_bos_token_id: 9,
  forced_eos_token_id: [1, 2],
  stop_strings: ['a', 'b'],
};

it.each(Object.entries(VALUES))("%s of a model's file counts as if it had been asked for", (name, value) => {
  const decide = (request: object, file: object) =>
    generationOptions(request, parseGenerationConfig(file, 100, 'generation_config.json'), config, () => 0n);
  const asked = decide({ [name]: value }, {});
  expect(decide({}, { [name]: value })).toEqual(asked);
  expect(asked).not.toEqual(decide({}, {}));
});
