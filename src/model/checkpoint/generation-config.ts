// What a model folder's `generation_config.json` sets as defaults, checked. Not what generation does with them.
// Source: Hugging Face transformers, generation/configuration_utils.py (GenerationConfig): names, kinds and ranges.
import { readStopStrings } from '../../text/stop-strings.ts';
import { Fields, parseJson } from '../json/json.ts';

/** The fields the file sets; those it leaves out (or has as null) are not there. Meaning as in GenerationConfig. */
export interface GenerationConfig {
  maxNewTokens?: number;
  /** Longest output with the start token counted; `maxNewTokens` goes before it. */
  maxLength?: number;
  minNewTokens?: number;
  /** As `maxLength`: the start token is counted. */
  minLength?: number;
  doSample?: boolean;
  temperature?: number;
  topK?: number;
  topP?: number;
  repetitionPenalty?: number;
  noRepeatNgramSize?: number;
  numBeams?: number;
  lengthPenalty?: number;
  earlyStopping?: boolean | 'never';
  eosTokenIds?: number[];
  /** The file's `decoder_start_token_id`, or else its `bos_token_id`, as in transformers. */
  decoderStartTokenId?: number;
  padTokenId?: number;
  /** Sequences of ids that must not come; the file's own are as they stand there. */
  badWordsIds?: number[][];
  suppressTokens?: number[];
  beginSuppressTokens?: number[];
  forcedBosTokenId?: number;
  forcedEosTokenIds?: number[];
  stopStrings?: string[];
  /** Names of fields that would change what is generated and are not applied here: worth a warning. */
  notApplied: string[];
}

/** GenerationConfig's fields that change the output, are not built in, and the value at which each does nothing. */
const NOT_APPLIED: Record<string, unknown> = {
  constraints: undefined,
  diversity_penalty: 0,
  dola_layers: undefined,
  encoder_no_repeat_ngram_size: 0,
  encoder_repetition_penalty: 1,
  epsilon_cutoff: 0,
  eta_cutoff: 0,
  exponential_decay_length_penalty: undefined,
  force_words_ids: undefined,
  forced_decoder_ids: undefined,
  guidance_scale: 1,
  min_p: 0,
  num_beam_groups: 1,
  num_return_sequences: 1,
  max_time: undefined,
  penalty_alpha: 0,
  prompt_lookup_num_tokens: undefined,
  remove_invalid_values: false,
  renormalize_logits: false,
  sequence_bias: undefined,
  token_healing: false,
  top_h: undefined,
  typical_p: 1,
  watermarking_config: undefined,
};

/** Fields that do not change which ids are generated: how it is computed, what is given besides, who wrote the file. */
const NO_MATTER =
  /^(_|transformers_version$|use_cache$|cache_|output_|return_|assistant_|is_assistant$|num_assistant_|target_lookbehind$|max_matching_ngram_size$|prefill_chunk_size$|compile_config$|disable_compile$|low_memory$|use_model_defaults$|continuous_batching)/;

const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Reads `generation_config.json`. @param vocabularySize V, above which no token id may be.
 * @throws Error, TypeError or RangeError naming the field, what was expected and what is there.
 */
export function readGenerationConfig(
  bytes: Uint8Array,
  vocabularySize: number,
  where = 'generation_config.json',
): GenerationConfig {
  return parseGenerationConfig(parseJson(where, bytes), vocabularySize, where);
}

/** As {@link readGenerationConfig}, from the parsed JSON. */
export function parseGenerationConfig(
  json: unknown,
  vocabularySize: number,
  where = 'generation_config.json',
): GenerationConfig {
  const fields = new Fields(where, json);
  const config: GenerationConfig = { notApplied: [] };
  const has = (name: string) => fields.get(name) !== undefined;
  const integer = (name: string, min: number) => fields.integer(name, min, MAX_INTEGER);
  const token = (name: string) => fields.integer(name, 0, vocabularySize - 1);
  const tokens = (name: string) => fields.integers(name, 0, vocabularySize - 1, []);

  if (has('max_new_tokens')) config.maxNewTokens = integer('max_new_tokens', 1);
  if (has('max_length')) config.maxLength = integer('max_length', 1);
  if (has('min_new_tokens')) config.minNewTokens = integer('min_new_tokens', 0);
  if (has('min_length')) config.minLength = integer('min_length', 0);
  if (has('do_sample')) config.doSample = fields.boolean('do_sample');
  if (has('temperature')) config.temperature = fields.number('temperature', 0, 1e6);
  if (has('top_k')) config.topK = integer('top_k', 0);
  if (has('top_p')) config.topP = fields.number('top_p', 0, 1);
  if (has('repetition_penalty')) config.repetitionPenalty = fields.number('repetition_penalty', Number.MIN_VALUE, 1e6);
  if (has('no_repeat_ngram_size')) config.noRepeatNgramSize = integer('no_repeat_ngram_size', 0);
  if (has('num_beams')) config.numBeams = integer('num_beams', 1);
  if (has('length_penalty')) config.lengthPenalty = fields.number('length_penalty', -1e6, 1e6);
  if (has('early_stopping')) {
    config.earlyStopping = fields.get('early_stopping') === 'never' ? 'never' : fields.boolean('early_stopping');
  }
  if (has('eos_token_id')) config.eosTokenIds = tokens('eos_token_id');
  const start = ['decoder_start_token_id', 'bos_token_id'].find(has);
  if (start) config.decoderStartTokenId = token(start);
  if (has('pad_token_id')) config.padTokenId = token('pad_token_id');
  if (has('bad_words_ids')) config.badWordsIds = readIdLists(fields, 'bad_words_ids', vocabularySize);
  if (has('suppress_tokens')) config.suppressTokens = tokens('suppress_tokens');
  if (has('begin_suppress_tokens')) config.beginSuppressTokens = tokens('begin_suppress_tokens');
  if (has('forced_bos_token_id')) config.forcedBosTokenId = token('forced_bos_token_id');
  if (has('forced_eos_token_id')) config.forcedEosTokenIds = tokens('forced_eos_token_id');
  const stops = has('stop_strings') ? readStopStrings(fields.get('stop_strings')) : [];
  if (stops === undefined) config.notApplied.push('stop_strings');
  else if (stops.length > 0) config.stopStrings = stops;

  for (const name of fields.names()) {
    const value = fields.get(name);
    if (value === undefined || BUILT_IN.has(name) || NO_MATTER.test(name)) continue;
    // what a later version of transformers asks for is named as well
    if (!Object.hasOwn(NOT_APPLIED, name) || value !== NOT_APPLIED[name]) config.notApplied.push(name);
  }
  return config;
}

/** A list of sequences of token ids, none of them empty. @throws TypeError, RangeError naming the place in it */
export function readIdLists(fields: Fields, name: string, vocabularySize: number): number[][] {
  const value = fields.get(name);
  if (!Array.isArray(value)) return fields.wrong(TypeError, name, 'a list of lists of token ids', value);
  const lists: number[][] = [];
  for (let i = 0; i < value.length; i++) {
    const ids = value[i];
    // one id is what most lists have; a place has a name only where it is wrong (json.ts)
    const only = Array.isArray(ids) && ids.length === 1 ? ids[0] : undefined;
    if (only === (only | 0) && only >= 0 && only < vocabularySize) {
      lists.push([only]);
      continue;
    }
    const place = `${name}[${i}]`;
    if (!Array.isArray(ids) || ids.length === 0) return fields.wrong(TypeError, place, 'a list of token ids', ids);
    lists.push(new Fields(fields.where, { [place]: ids }).integers(place, 0, vocabularySize - 1, []));
  }
  return lists;
}

const BUILT_IN: ReadonlySet<string> = new Set([
  'max_new_tokens',
  'max_length',
  'min_new_tokens',
  'min_length',
  'do_sample',
  'temperature',
  'top_k',
  'top_p',
  'repetition_penalty',
  'no_repeat_ngram_size',
  'num_beams',
  'length_penalty',
  'early_stopping',
  'eos_token_id',
  'decoder_start_token_id',
  'bos_token_id',
  'pad_token_id',
  'bad_words_ids',
  'suppress_tokens',
  'begin_suppress_tokens',
  'forced_bos_token_id',
  'forced_eos_token_id',
  'stop_strings',
]);

/**
 * The fields of a `config.json` that are about generating: they count where a folder has no `generation_config.json`.
 */
export function generationFields(json: unknown): Record<string, unknown> {
  const fields = new Fields('config.json', json);
  const ours = [...BUILT_IN, ...Object.keys(NOT_APPLIED)].filter((name) => fields.get(name) !== undefined);
  return Object.fromEntries(ours.map((name) => [name, fields.get(name)]));
}
