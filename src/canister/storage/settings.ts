/**
 * What the canister's keepers can set, kept in stable memory as JSON. A setting that a later version adds has its
 * initial value here.
 */
import type * as Candid from '../../interface/llm.did.ts';
import { ARENA_BYTES, MAX_CONTEXT } from '../../model/limits.ts';
import { NoStableRoom } from './blocks.ts';
import { readRecord, writeRecord } from './stable.ts';

interface Range {
  initial: number;
  least: number;
  most: number;
}

const MiB = 1 << 20;
const DAY = 86_400;

/** Numbers with their bounds; what each means stands in llm.did. */
const ranges = {
  max_active: { initial: 8, least: 1, most: 64 },
  max_queued: { initial: 5_000, least: 0, most: 20_000 },
  max_sessions_per_caller: { initial: 64, least: 1, most: 20_000 },
  tokens_per_day: { initial: 0, least: 0, most: Number.MAX_SAFE_INTEGER },
  tokens_per_day_overall: { initial: 0, least: 0, most: Number.MAX_SAFE_INTEGER },
  cycles_per_day: { initial: 0, least: 0, most: Number.MAX_SAFE_INTEGER },
  cycles_per_day_overall: { initial: 0, least: 0, most: Number.MAX_SAFE_INTEGER },
  max_prompt_tokens: { initial: 2_048, least: 1, most: MAX_CONTEXT },
  max_context_tokens: { initial: 4_096, least: 2, most: MAX_CONTEXT },
  tokens_per_call: { initial: 1, least: 0, most: 1_000 },
  max_finished: { initial: 1_000, least: 0, most: 20_000 },
  finished_seconds: { initial: 30 * DAY, least: 60, most: 36_500 * DAY },
  receipt_seconds: { initial: 365 * DAY, least: 0, most: 36_500 * DAY },
  embedding_bytes: { initial: 64 * MiB, least: 0, most: 64 * 1024 * MiB },
  model_bytes: { initial: 16 * 1024 * MiB, least: 1, most: 400 * 1024 * MiB },
  arena_bytes: { initial: ARENA_BYTES, least: 16 * MiB, most: 2_816 * MiB },
  min_cycles: { initial: 500_000_000_000, least: 0, most: Number.MAX_SAFE_INTEGER },
  price_percent: { initial: 0, least: 0, most: 100_000 },
} satisfies Record<string, Range>;

/**
 * What the whole heap may be; a message that grows it further is refused by the subnet, unless the canister's own
 * `wasm_memory_limit` says otherwise.
 */
export const HEAP_BYTES = 3_072 * MiB;
/** The program, the tokenizer, indexes of what is stored. */
const PROGRAM_BYTES = 128 * MiB;
/** A session that waits or is worked on, at the longest prompt: 20 kB were measured. */
const SESSION_BYTES = 32 * 1024;

type NumberName = keyof typeof ranges;
const names = Object.keys(ranges) as NumberName[];
/** nat64 in Candid. */
const large: ReadonlySet<string> = new Set<keyof Candid.Settings>([
  'tokens_per_day',
  'tokens_per_day_overall',
  'cycles_per_day',
  'cycles_per_day_overall',
  'finished_seconds',
  'receipt_seconds',
  'embedding_bytes',
  'model_bytes',
  'arena_bytes',
  'min_cycles',
]);

export interface Settings extends Record<NumberName, number> {
  access: 'public' | 'signed_in' | 'allow_list';
  answer_cache: boolean;
  model_names: Candid.ModelName[];
  http_completions: boolean;
  api_keys: ApiKey[];
}

/** A key of HTTP callers; of limits, 0 is any number. */
export interface ApiKey {
  name: string;
  /** Lowercase hex. */
  sha256: string;
  tokens_per_day: number;
  cycles_per_day: number;
  max_sessions: number;
}

const MOST_KEYS = 64;

/** What stands for a principal's text where somebody has come by a key: no principal's text has a space. */
export const keyAccount = (name: string): string => `api key ${name}`;
export const keyOfAccount = (who: string): ApiKey | undefined =>
  who.includes(' ') ? settings().api_keys.find(({ name }) => keyAccount(name) === who) : undefined;

const MOST_NAMES = 32;
const MOST_NAME_CHARACTERS = 100;

let current: Settings | undefined;

export function settings(): Settings {
  if (!current) {
    const initial = Object.fromEntries(names.map((name) => [name, ranges[name].initial])) as Record<NumberName, number>;
    const others: Omit<Settings, NumberName> = {
      access: 'public',
      answer_cache: false,
      model_names: [],
      http_completions: false,
      api_keys: [],
    };
    current = { ...initial, ...others, ...readRecord<Partial<Settings>>('settings') };
  }
  return current;
}

const largestHeap = ({ arena_bytes, max_active, max_queued }: Settings): number =>
  PROGRAM_BYTES + arena_bytes + (max_active + max_queued) * SESSION_BYTES;

/** Sets what is given. @returns what is wrong with it, in which case nothing was set */
export function changeSettings(change: Candid.SettingsChange): string | undefined {
  const next = { ...settings() };
  for (const name of names) {
    const [given] = change[name];
    if (given === undefined) continue;
    const { least, most } = ranges[name];
    const value = Number(given);
    if (value < least || value > most) return `set_settings: expected ${name} from ${least} to ${most}, got ${given}`;
    next[name] = value;
  }
  const [wanted, before] = [largestHeap(next), largestHeap(settings())];
  if (wanted > HEAP_BYTES && wanted > before) {
    return `set_settings: expected arena_bytes, with ${SESSION_BYTES} for each of max_active and max_queued, of at most ${HEAP_BYTES - PROGRAM_BYTES} bytes, got ${wanted - PROGRAM_BYTES}`;
  }
  const [access] = change.access;
  if (access) next.access = Object.keys(access)[0] as Settings['access'];
  next.answer_cache = change.answer_cache[0] ?? next.answer_cache;
  const [modelNames] = change.model_names;
  const wrongName = modelNames && wrongModelNames(modelNames);
  if (wrongName !== undefined) return `set_settings: ${wrongName}`;
  next.model_names = modelNames ?? next.model_names;
  next.http_completions = change.http_completions[0] ?? next.http_completions;
  const [keys] = change.api_keys;
  const wrongKey = keys && wrongApiKeys(keys);
  if (wrongKey !== undefined) return `set_settings: ${wrongKey}`;
  next.api_keys = keys?.map(keptKey) ?? next.api_keys;
  try {
    writeRecord('settings', next);
  } catch (error) {
    if (error instanceof NoStableRoom) return `set_settings: ${error.message}`;
    throw error;
  }
  current = next;
  return undefined;
}

function wrongModelNames(given: readonly Candid.ModelName[]): string | undefined {
  if (given.length > MOST_NAMES) return `expected model_names of at most ${MOST_NAMES} entries, got ${given.length}`;
  const names = new Set<string>();
  for (const { name, pack } of given) {
    for (const [what, text] of [
      ['name', name],
      ['pack', pack],
    ] as const) {
      if (text === '' || text.length > MOST_NAME_CHARACTERS)
        return `expected in model_names a ${what} of 1 to ${MOST_NAME_CHARACTERS} characters, got ${JSON.stringify(text.slice(0, MOST_NAME_CHARACTERS))}`;
    }
    if (names.has(name)) return `expected each name in model_names once, got ${JSON.stringify(name)} again`;
    names.add(name);
  }
  return undefined;
}

function wrongApiKeys(given: readonly Candid.ApiKey[]): string | undefined {
  if (given.length > MOST_KEYS) return `expected api_keys of at most ${MOST_KEYS} entries, got ${given.length}`;
  const names = new Set<string>();
  for (const { name, sha256, tokens_per_day, cycles_per_day } of given) {
    if (!/^[\w.-]{1,32}$/.test(name))
      return `expected in api_keys a name of 1 to 32 letters, digits, ".", "_" and "-", got ${JSON.stringify(name.slice(0, 40))}`;
    if (names.has(name)) return `expected each name in api_keys once, got ${JSON.stringify(name)} again`;
    names.add(name);
    if (!/^[0-9a-fA-F]{64}$/.test(sha256))
      return `expected in api_keys the SHA-256 of a key in hexadecimal, 64 digits, got ${sha256.length} characters`;
    for (const limit of [tokens_per_day, cycles_per_day])
      if (limit > BigInt(Number.MAX_SAFE_INTEGER))
        return `expected in api_keys limits of at most ${Number.MAX_SAFE_INTEGER}, got ${limit}`;
  }
  return undefined;
}

const keptKey = ({ name, sha256, tokens_per_day, cycles_per_day, max_sessions }: Candid.ApiKey): ApiKey => ({
  name,
  sha256: sha256.toLowerCase(),
  tokens_per_day: Number(tokens_per_day),
  cycles_per_day: Number(cycles_per_day),
  max_sessions,
});

const keyInCandid = ({ tokens_per_day, cycles_per_day, ...key }: ApiKey): Candid.ApiKey => ({
  ...key,
  tokens_per_day: BigInt(tokens_per_day),
  cycles_per_day: BigInt(cycles_per_day),
});

/** A new canister, which serves everyone, does so by HTTP, too; one that has been upgraded does when it is told to. */
export function beginSettings(): void {
  current = { ...settings(), http_completions: true };
  writeRecord('settings', current);
}

/** @param forKeeper whether keys are shown */
export function settingsInCandid(forKeeper: boolean): Candid.Settings {
  const { access, answer_cache, model_names, http_completions, api_keys, ...rest } = settings();
  const numbers = names.map((name) => [name, large.has(name) ? BigInt(rest[name]) : rest[name]]);
  return {
    ...Object.fromEntries(numbers),
    access: { [access]: null },
    answer_cache,
    model_names,
    http_completions,
    api_keys: forKeeper ? api_keys.map(keyInCandid) : [],
  };
}
