/**
 * How to generate: what a caller asks for, the model's defaults beneath it, all checked. Names, meaning and defaults
 * are those of Hugging Face's GenerationConfig; what is not built in is refused, never ignored.
 */

import { MAX_STOP_LENGTH, MAX_STOP_STRINGS, readStopStrings } from '../../text/stop-strings.ts';
import { type GenerationConfig, readIdLists } from '../checkpoint/generation-config.ts';
import { Fields } from '../json/json.ts';
import { MAX_CONTEXT, MAX_TARGET_LENGTH } from '../limits.ts';
import { distinct } from './distinct.ts';
import type { Key } from './philox.ts';

/** What a caller may ask for; what is left out has the model's default. */
export interface GenerationRequest {
  max_new_tokens?: number;
  min_new_tokens?: number;
  do_sample?: boolean;
  temperature?: number;
  top_k?: number;
  top_p?: number;
  /** Of [0, 2^64). Without it, a draw has a seed of its own. */
  seed?: bigint | number;
  repetition_penalty?: number;
  no_repeat_ngram_size?: number;
  num_beams?: number;
  length_penalty?: number;
  early_stopping?: boolean | 'never';
  eos_token_id?: number | readonly number[];
  decoder_start_token_id?: number;
  /** Sequences of ids that must not come; a sequence of one id never does. */
  bad_words_ids?: readonly (readonly number[])[];
  /** Ids that never come. */
  suppress_tokens?: readonly number[];
  /** Ids that do not come first; with `forced_bos_token_id`, not second. */
  begin_suppress_tokens?: readonly number[];
  /** The first token of the answer. */
  forced_bos_token_id?: number;
  /** The last token of an answer that would be longer; one of them, if several. */
  forced_eos_token_id?: number | readonly number[];
  /** The only answers that there may be, as ids without a stop token. */
  choices?: readonly (readonly number[])[];
  /** Texts that end an answer, and are no part of its text. */
  stop_strings?: string | readonly string[];
}

/** Everything decided; plain data, so that it can be written down as JSON. */
export interface GenerationOptions {
  /** The stop token counts, the start token does not. */
  maxNewTokens: number;
  minNewTokens: number;
  doSample: boolean;
  temperature: number;
  /** 0: all. */
  topK: number;
  topP: number;
  /** The seed, low word first: Philox's key. */
  key: Key;
  repetitionPenalty: number;
  /** 0: they may repeat. */
  noRepeatNgramSize: number;
  numBeams: number;
  lengthPenalty: number;
  earlyStopping: boolean | 'never';
  /** May be empty: then an answer ends at its longest only. */
  eosTokenIds: readonly number[];
  /** What answers of an encoder-decoder begin with; a decoder-only model's begin with the prompt. */
  decoderStartTokenId?: number;
  /** These five are left out where nothing is asked for, as they are in what earlier versions wrote down. */
  badWordsIds?: readonly (readonly number[])[];
  suppressTokens?: readonly number[];
  beginSuppressTokens?: readonly number[];
  forcedBosTokenId?: number;
  forcedEosTokenIds?: readonly number[];
  /** Left out likewise. */
  stopStrings?: readonly string[];
  /** The only answers that there may be, as ids without a stop token. */
  choices?: readonly (readonly number[])[];
  /** Present where no token is made: the likeliest of the choices is the answer (scoring.ts). */
  scoring?: ScoringOptions;
}

/** How choices are compared. */
export interface ScoringOptions {
  /** Whether the end of the answer counts as a token of each choice. */
  endToken: boolean;
  /** Whether a choice's score is its log-probability divided by the number of its tokens. */
  lengthNormalized: boolean;
}

/** What of a model's configuration generation goes by. */
export interface GenerationModel {
  vocabularySize: number;
  eosTokenIds: readonly number[];
  /** Of an encoder-decoder. */
  decoderStartTokenId?: number;
  /** Of a decoder-only model: the most tokens of prompt and answer. */
  contextLength?: number;
}

/** The target ids that an answer begins with. */
export const beginningOf = ({ decoderStartTokenId }: GenerationOptions, promptIds: readonly number[]): number[] =>
  decoderStartTokenId === undefined ? [...promptIds] : [decoderStartTokenId];

/** The most tokens that an answer of a model may have. */
export const mostNewTokens = ({ contextLength }: GenerationModel): number =>
  contextLength === undefined ? MAX_TARGET_LENGTH : Math.max(1, Math.min(contextLength, MAX_CONTEXT) - 1);

/** Where neither caller nor model says; Hugging Face's 20 is short for an answer. */
export const DEFAULT_MAX_NEW_TOKENS = 128;
/** Each beam is a row of its own through the decoder, and has keys and values of its own. */
export const MAX_BEAMS = 16;

/** Each is looked at before every token, and all are written down with a session. */
export const MAX_MASK_IDS = 1024;

const MAX_INTEGER = 2 ** 31 - 1;

/**
 * The compiler asks for each option here; test/model/generation/every-option.test.ts says where else one has to stand.
 */
const isOption: Record<keyof GenerationRequest, true> = {
  max_new_tokens: true,
  min_new_tokens: true,
  do_sample: true,
  temperature: true,
  top_k: true,
  top_p: true,
  seed: true,
  repetition_penalty: true,
  no_repeat_ngram_size: true,
  num_beams: true,
  length_penalty: true,
  early_stopping: true,
  eos_token_id: true,
  decoder_start_token_id: true,
  bad_words_ids: true,
  suppress_tokens: true,
  begin_suppress_tokens: true,
  forced_bos_token_id: true,
  forced_eos_token_id: true,
  choices: true,
  stop_strings: true,
};
/** Every option that a caller may name. */
export const GENERATION_OPTIONS = Object.keys(isOption) as readonly (keyof GenerationRequest)[];

/** What is asked for, over the defaults of the model's file; an error names where the wrong value stands. */
class AskedFields extends Fields {
  constructor(
    private readonly request: GenerationRequest,
    private readonly file: GenerationRequest,
    private readonly fileWhere: string,
    where: string,
  ) {
    const given: Record<string, unknown> = { ...file };
    for (const name of new Fields(where, request).names()) {
      const value = request[name as keyof GenerationRequest];
      if (value !== undefined) given[name] = value;
    }
    super(where, given);
  }

  override wrong(kind: new (message: string) => Error, name: string, expected: string, got: unknown): never {
    const option = name.replace(/\[.*/, '') as keyof GenerationRequest;
    const isAsked = (this.request[option] ?? undefined) !== undefined || !Object.hasOwn(this.file, option);
    if (isAsked) return super.wrong(kind, name, expected, got);
    return new Fields(this.fileWhere, {}).wrong(kind, name, expected, got);
  }
}

/**
 * Under which name of a file's field callers ask for it. Lengths are not here, as what a caller asks for bounds them.
 */
const FILE_OPTIONS = {
  doSample: 'do_sample',
  temperature: 'temperature',
  topK: 'top_k',
  topP: 'top_p',
  repetitionPenalty: 'repetition_penalty',
  noRepeatNgramSize: 'no_repeat_ngram_size',
  numBeams: 'num_beams',
  lengthPenalty: 'length_penalty',
  earlyStopping: 'early_stopping',
  eosTokenIds: 'eos_token_id',
  decoderStartTokenId: 'decoder_start_token_id',
  badWordsIds: 'bad_words_ids',
  suppressTokens: 'suppress_tokens',
  beginSuppressTokens: 'begin_suppress_tokens',
  forcedBosTokenId: 'forced_bos_token_id',
  forcedEosTokenIds: 'forced_eos_token_id',
  stopStrings: 'stop_strings',
} as const satisfies Partial<Record<keyof GenerationConfig, keyof GenerationRequest>>;

/** Defaults of a file by the names that callers use; those that the file sets. */
function fileRequest(defaults: GenerationConfig): GenerationRequest {
  const request: Record<string, unknown> = {};
  for (const key of Object.keys(defaults) as (keyof typeof FILE_OPTIONS)[]) {
    const name = FILE_OPTIONS[key];
    if (name !== undefined && defaults[key] !== undefined) request[name] = defaults[key];
  }
  return request;
}

/**
 * @param defaults what the folder's `generation_config.json` says
 * @param randomSeed gives a seed of [0, 2^64) where one is needed and none was asked for
 * @param fileWhere what errors call that file
 * @param where what errors about the request begin with: the method that was called
 * @throws TypeError, RangeError naming the field, what was expected and what came
 */
export function generationOptions(
  request: GenerationRequest,
  defaults: GenerationConfig,
  config: GenerationModel,
  randomSeed: () => bigint,
  fileWhere = "the model's generation_config.json",
  where = 'generate',
): GenerationOptions {
  const fields = new AskedFields(request, fileRequest(defaults), fileWhere, where);
  for (const name of fields.names()) {
    if (!GENERATION_OPTIONS.includes(name as keyof GenerationRequest))
      fields.wrong(RangeError, name, 'left out (it is not built in)', fields.get(name));
  }
  const lastId = config.vocabularySize - 1;
  const most = mostNewTokens(config);
  const chosen = choicesOf(fields, request, config);
  // a choice is never cut off: its tokens, and the stop token
  const longest = chosen.choices && 1 + chosen.choices.reduce((length, ids) => Math.max(length, ids.length), 0);
  const least = longest ?? 1;
  const maxNewTokens = fields.integer(
    'max_new_tokens',
    least,
    Math.max(least, most),
    longest ?? defaultLength(defaults, config),
  );
  // `min_length` counts a decoder-only model's prompt, too, and is then no length of an answer
  const minNewTokens =
    defaults.minNewTokens ?? (config.contextLength === undefined ? (defaults.minLength ?? 1) - 1 : 0);
  const options: GenerationOptions = {
    maxNewTokens,
    minNewTokens: fields.integer('min_new_tokens', 0, maxNewTokens, Math.max(0, Math.min(minNewTokens, maxNewTokens))),
    doSample: fields.boolean('do_sample', false),
    temperature: fields.number('temperature', 0, 1e6, 1),
    topK: fields.integer('top_k', 0, MAX_INTEGER, 50),
    topP: fields.number('top_p', 0, 1, 1),
    key: [0, 0],
    repetitionPenalty: fields.number('repetition_penalty', 0, 1e6, 1),
    noRepeatNgramSize: fields.integer('no_repeat_ngram_size', 0, MAX_INTEGER, 0),
    numBeams: fields.integer('num_beams', 1, MAX_BEAMS, 1),
    // further out, the length to this power leaves float32
    lengthPenalty: fields.number('length_penalty', -10, 10, 1),
    earlyStopping: earlyStopping(fields),
    eosTokenIds: distinct(fields.integers('eos_token_id', 0, lastId, [...config.eosTokenIds])),
    ...startToken(fields, request, config),
    ...(chosen.choices ? chosen : masks(fields, config.vocabularySize)),
    ...(chosen.choices ? {} : stopStrings(fields)),
  };
  if (chosen.choices) Object.assign(options, { minNewTokens: 0, noRepeatNgramSize: 0 });
  checkTogether(fields, options, config);
  if (options.doSample) options.key = keyOf(seedFrom(fields) ?? randomSeed());
  return options;
}

function startToken(
  fields: Fields,
  request: GenerationRequest,
  { vocabularySize, decoderStartTokenId: ofModel }: GenerationModel,
): Pick<GenerationOptions, 'decoderStartTokenId'> {
  const name = 'decoder_start_token_id';
  if (ofModel !== undefined) return { decoderStartTokenId: fields.integer(name, 0, vocabularySize - 1, ofModel) };
  // a file's bos_token_id comes under this name, too, and says nothing here
  const asked = request[name] ?? undefined;
  if (asked !== undefined) fields.wrong(RangeError, name, 'left out (this model begins with the prompt)', asked);
  return {};
}

/** Most answers that there is a choice of, and most tokens of one. */
export const MOST_CHOICES = 64;
export const MOST_CHOICE_TOKENS = 64;
/** What could leave no choice, or cut one off; a model's own defaults of these do not count where there are choices. */
const NOT_WITH_CHOICES = [
  'min_new_tokens',
  'no_repeat_ngram_size',
  'bad_words_ids',
  'suppress_tokens',
  'begin_suppress_tokens',
  'forced_bos_token_id',
  'forced_eos_token_id',
  'stop_strings',
] as const;

/** The choices, none of them empty or twice; an option beside them that could rule them out is refused. */
function choicesOf(
  fields: Fields,
  request: GenerationRequest,
  { vocabularySize, eosTokenIds }: GenerationModel,
): Pick<GenerationOptions, 'choices'> {
  const name = 'choices';
  if ((request[name] ?? undefined) === undefined) return {};
  const choices = readIdLists(fields, name, vocabularySize);
  if (choices.length < 1 || choices.length > MOST_CHOICES)
    fields.wrong(RangeError, name, `1 to ${MOST_CHOICES} choices`, choices.length);
  const long = choices.find(({ length }) => length > MOST_CHOICE_TOKENS);
  if (long) fields.wrong(RangeError, name, `choices of at most ${MOST_CHOICE_TOKENS} tokens`, long.length);
  const twice = new Set(choices.map((ids) => ids.join())).size < choices.length;
  if (twice) fields.wrong(RangeError, name, 'choices with tokens that differ', choices);
  const stops = distinct(fields.integers('eos_token_id', 0, vocabularySize - 1, [...eosTokenIds]));
  if (stops.length === 0) fields.wrong(RangeError, 'eos_token_id', 'a stop token with choices, which end with it', []);
  if (choices.some((ids) => ids.some((id) => stops.includes(id))))
    fields.wrong(RangeError, name, 'choices without a stop token', choices);
  for (const other of NOT_WITH_CHOICES)
    if ((request[other] ?? undefined) !== undefined)
      fields.wrong(RangeError, other, 'left out with choices', request[other]);
  return { choices };
}

/** Which tokens may not come, or have to, where. */
function masks(fields: Fields, vocabularySize: number): Partial<GenerationOptions> {
  const ids = (name: string) => distinct(fields.integers(name, 0, vocabularySize - 1, []));
  const found: Partial<GenerationOptions> = {};
  const has = (name: string) => fields.get(name) !== undefined;
  if (has('bad_words_ids')) {
    const words = readIdLists(fields, 'bad_words_ids', vocabularySize);
    const ids = words.reduce((sum, word) => sum + word.length, 0);
    if (ids > MAX_MASK_IDS) fields.wrong(RangeError, 'bad_words_ids', `at most ${MAX_MASK_IDS} ids in all`, ids);
    if (words.length > 0) found.badWordsIds = words;
  }
  const lists = [
    ['suppress_tokens', 'suppressTokens'],
    ['begin_suppress_tokens', 'beginSuppressTokens'],
    ['forced_eos_token_id', 'forcedEosTokenIds'],
  ] as const;
  for (const [name, key] of lists) {
    const list = ids(name);
    if (list.length > MAX_MASK_IDS) fields.wrong(RangeError, name, `at most ${MAX_MASK_IDS} ids`, list.length);
    if (list.length > 0) found[key] = list;
  }
  if (has('forced_bos_token_id')) {
    found.forcedBosTokenId = fields.integer('forced_bos_token_id', 0, vocabularySize - 1);
  }
  return found;
}

function stopStrings(fields: Fields): Pick<GenerationOptions, 'stopStrings'> {
  const name = 'stop_strings';
  const given = fields.get(name);
  if (given === undefined) return {};
  const expected = `a text of 1 to ${MAX_STOP_LENGTH} characters, or a list of at most ${MAX_STOP_STRINGS}`;
  const found = readStopStrings(given) ?? fields.wrong(TypeError, name, expected, given);
  return found.length > 0 ? { stopStrings: found } : {};
}

/** The seed that a draw can be repeated with. */
export const seedOf = ({ key: [low, high] }: GenerationOptions): bigint => (BigInt(high) << 32n) | BigInt(low);

export const keyOf = (seed: bigint): Key => [Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn)];

/**
 * The most tokens of an answer where the call does not say. Files that ask for more than there is room for get what
 * there is (cut-defaults.ts names them), where a caller who asks for more is told. `max_length` counts a decoder-only
 * model's prompt and is then no length of an answer.
 */
export function defaultLength(
  { maxNewTokens, maxLength }: Pick<GenerationConfig, 'maxNewTokens' | 'maxLength'>,
  model: GenerationModel,
): number {
  const length = model.contextLength === undefined && maxLength ? Math.max(1, maxLength - 1) : DEFAULT_MAX_NEW_TOKENS;
  return Math.min(maxNewTokens ?? length, mostNewTokens(model));
}

/**
 * Options for a prompt of so many tokens, which an answer of a decoder-only model shares a context with: a default that
 * does not fit is made to.
 * @throws RangeError where what the caller asked for does not fit, or the prompt alone does not
 */
export function fitContext(
  options: GenerationOptions,
  { max_new_tokens: asked }: GenerationRequest,
  promptTokens: number,
  { contextLength }: GenerationModel,
  where = 'generate',
): GenerationOptions {
  if (contextLength === undefined) return options;
  const context = Math.min(contextLength, MAX_CONTEXT);
  const { maxNewTokens } = options;
  const room = context - promptTokens;
  if (promptTokens < 1 || room < 1) {
    throw new RangeError(`${where}: expected a prompt of 1 to ${context - 1} tokens, got ${promptTokens}`);
  }
  if (maxNewTokens <= room) return options;
  if (options.choices || (asked ?? undefined) !== undefined) {
    throw new RangeError(
      `${where}: expected "max_new_tokens" to be at most ${room}, as ${promptTokens} of ${context} tokens are the prompt's, got ${maxNewTokens}`,
    );
  }
  return withLength(options, room);
}

/** The same options for an answer of at most so many tokens. */
export const withLength = (options: GenerationOptions, maxNewTokens: number): GenerationOptions => ({
  ...options,
  maxNewTokens,
  minNewTokens: Math.min(options.minNewTokens, maxNewTokens),
});

function earlyStopping(fields: Fields): boolean | 'never' {
  const value = fields.get('early_stopping') ?? false;
  if (value === 'never' || typeof value === 'boolean') return value;
  return fields.wrong(TypeError, 'early_stopping', 'true, false or "never"', value);
}

function seedFrom(fields: Fields): bigint | undefined {
  const seed = fields.get('seed');
  if (seed === undefined) return undefined;
  const expected = 'an integer from 0 to 2^64 - 1';
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) return fields.wrong(TypeError, 'seed', expected, seed);
  const value = BigInt(seed as bigint | number);
  if (value < 0n || value >> 64n !== 0n) fields.wrong(RangeError, 'seed', expected, String(value));
  return value;
}

function checkTogether(fields: Fields, options: GenerationOptions, { vocabularySize }: GenerationModel): void {
  const { doSample, temperature, repetitionPenalty, numBeams, eosTokenIds } = options;
  if (doSample && temperature === 0) {
    fields.wrong(RangeError, 'temperature', 'above 0 (for the likeliest token, leave do_sample out)', temperature);
  }
  if (repetitionPenalty === 0) fields.wrong(RangeError, 'repetition_penalty', 'above 0', repetitionPenalty);
  if (options.stopStrings && numBeams > 1) fields.wrong(RangeError, 'num_beams', '1 with stop_strings', numBeams);
  if (doSample && numBeams > 1) fields.wrong(RangeError, 'num_beams', '1 with do_sample', numBeams);
  if (numBeams > 1 && candidatesOf(options) > vocabularySize) {
    const expected = `so few that ${eosTokenIds.length} stop tokens leave candidates in a vocabulary of ${vocabularySize}`;
    fields.wrong(RangeError, 'num_beams', expected, numBeams);
  }
  const { suppressTokens = [], forcedBosTokenId, forcedEosTokenIds = [] } = options;
  if (forcedBosTokenId !== undefined && suppressTokens.includes(forcedBosTokenId)) {
    fields.wrong(RangeError, 'forced_bos_token_id', 'none of suppress_tokens', forcedBosTokenId);
  }
  const last = suppressTokens.length > 0 ? forcedEosTokenIds.find((id) => suppressTokens.includes(id)) : undefined;
  if (last !== undefined) fields.wrong(RangeError, 'forced_eos_token_id', 'none of suppress_tokens', last);
}

/** Continuations that a beam search looks at: so many that, whichever stop, enough go on. */
export const candidatesOf = ({ numBeams, eosTokenIds }: GenerationOptions): number =>
  numBeams * Math.max(2, 1 + eosTokenIds.length);
