/**
 * How to generate: what a caller asks for, the model's defaults beneath it, all checked. Names, meaning and defaults are those of
 * Hugging Face's GenerationConfig; what is not built in is refused, never ignored.
 */
import type { T5Config } from '../checkpoint/config.ts';
import type { GenerationConfig } from '../checkpoint/generation-config.ts';
import { Fields } from '../checkpoint/json.ts';
import { MAX_TARGET_LENGTH } from '../pack/tensors.ts';
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
  decoderStartTokenId: number;
}

/** Where neither caller nor model says; Hugging Face's 20 is short for an answer. */
export const DEFAULT_MAX_NEW_TOKENS = 128;
/** Each beam is a row of its own through the decoder, and has keys and values of its own. */
export const MAX_BEAMS = 16;

const MAX_INTEGER = 2 ** 31 - 1;

const NAMES: readonly (keyof GenerationRequest)[] = [
  'max_new_tokens',
  'min_new_tokens',
  'do_sample',
  'temperature',
  'top_k',
  'top_p',
  'seed',
  'repetition_penalty',
  'no_repeat_ngram_size',
  'num_beams',
  'length_penalty',
  'early_stopping',
  'eos_token_id',
  'decoder_start_token_id',
];

/**
 * @param defaults what the folder's `generation_config.json` says
 * @param randomSeed gives a seed of [0, 2^64) where one is needed and none was asked for
 * @throws TypeError, RangeError naming the field, what was expected and what came
 */
export function generationOptions(
  request: GenerationRequest,
  defaults: GenerationConfig,
  config: T5Config,
  randomSeed: () => bigint,
): GenerationOptions {
  const fields = new Fields('generate', request);
  for (const name of fields.names()) {
    if (!NAMES.includes(name as keyof GenerationRequest))
      fields.wrong(RangeError, name, 'left out (it is not built in)', fields.get(name));
  }
  const lastId = config.vocabularySize - 1;
  const maxNewTokens = fields.integer('max_new_tokens', 1, MAX_TARGET_LENGTH, defaultLength(defaults));
  const minNewTokens = defaults.minNewTokens ?? (defaults.minLength ?? 1) - 1;
  const options: GenerationOptions = {
    maxNewTokens,
    minNewTokens: fields.integer('min_new_tokens', 0, maxNewTokens, Math.max(0, Math.min(minNewTokens, maxNewTokens))),
    doSample: fields.boolean('do_sample', defaults.doSample ?? false),
    temperature: fields.number('temperature', 0, 1e6, defaults.temperature ?? 1),
    topK: fields.integer('top_k', 0, MAX_INTEGER, defaults.topK ?? 50),
    topP: fields.number('top_p', 0, 1, defaults.topP ?? 1),
    key: [0, 0],
    repetitionPenalty: fields.number('repetition_penalty', 0, 1e6, defaults.repetitionPenalty ?? 1),
    noRepeatNgramSize: fields.integer('no_repeat_ngram_size', 0, MAX_INTEGER, defaults.noRepeatNgramSize ?? 0),
    numBeams: fields.integer('num_beams', 1, MAX_BEAMS, defaults.numBeams ?? 1),
    // further out, the length to this power leaves float32
    lengthPenalty: fields.number('length_penalty', -10, 10, defaults.lengthPenalty ?? 1),
    earlyStopping: earlyStopping(fields, defaults),
    eosTokenIds: [...new Set(fields.integers('eos_token_id', 0, lastId, defaults.eosTokenIds ?? config.eosTokenIds))],
    decoderStartTokenId: fields.integer(
      'decoder_start_token_id',
      0,
      lastId,
      defaults.decoderStartTokenId ?? config.decoderStartTokenId,
    ),
  };
  checkTogether(fields, options, config);
  if (options.doSample) options.key = keyOf(seedFrom(fields) ?? randomSeed());
  return options;
}

/** The seed that a draw can be repeated with. */
export const seedOf = ({ key: [low, high] }: GenerationOptions): bigint => (BigInt(high) << 32n) | BigInt(low);

const keyOf = (seed: bigint): Key => [Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn)];

/** A model's own length may be more than there is room for here; a caller who asks for more is told. */
function defaultLength({ maxNewTokens, maxLength }: GenerationConfig): number {
  const wanted = maxNewTokens ?? (maxLength ? Math.max(1, maxLength - 1) : DEFAULT_MAX_NEW_TOKENS);
  return Math.min(wanted, MAX_TARGET_LENGTH);
}

function earlyStopping(fields: Fields, defaults: GenerationConfig): boolean | 'never' {
  const value = fields.get('early_stopping') ?? defaults.earlyStopping ?? false;
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

function checkTogether(fields: Fields, options: GenerationOptions, { vocabularySize }: T5Config): void {
  const { doSample, temperature, repetitionPenalty, numBeams, eosTokenIds } = options;
  if (doSample && temperature === 0) {
    fields.wrong(RangeError, 'temperature', 'above 0 (for the likeliest token, leave do_sample out)', temperature);
  }
  if (repetitionPenalty === 0) fields.wrong(RangeError, 'repetition_penalty', 'above 0', repetitionPenalty);
  if (doSample && numBeams > 1) fields.wrong(RangeError, 'num_beams', '1 with do_sample', numBeams);
  if (numBeams > 1 && candidatesOf(options) > vocabularySize) {
    const expected = `so few that ${eosTokenIds.length} stop tokens leave candidates in a vocabulary of ${vocabularySize}`;
    fields.wrong(RangeError, 'num_beams', expected, numBeams);
  }
}

/** Continuations that a beam search looks at: so many that, whichever stop, enough go on. */
export const candidatesOf = ({ numBeams, eosTokenIds }: GenerationOptions): number =>
  numBeams * Math.max(2, 1 + eosTokenIds.length);
