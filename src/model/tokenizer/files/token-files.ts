/**
 * The files of a model folder's tokenizer, and what they say of added and special tokens, whatever kind of tokenizer it
 * is. Source: transformers 5, tokenization_utils_base.py (_from_pretrained).
 */
import type { AddedToken } from '../../../text/added-token.ts';
import { Fields, parseJson } from '../../json/json.ts';

/** Every file that a folder may have of a tokenizer. */
export const TOKENIZER_FILES = [
  'spiece.model',
  'tokenizer.model',
  'tokenizer.json',
  'tokenizer_config.json',
  'added_tokens.json',
  'special_tokens_map.json',
  'chat_template.jinja',
] as const;
export type TokenizerFiles = Partial<Record<(typeof TOKENIZER_FILES)[number], Uint8Array>>;

/** transformers' names of single special tokens, in its order. */
const NAMED = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];
/**
 * Its lists of others; those of `special_tokens_map.json` under the first name do not make tokens special in version 5.
 */
const LISTS = ['additional_special_tokens', 'extra_special_tokens'] as const;
/** One of the JSON files; undefined where the folder has none of that name. */
export function readJsonFile(
  files: TokenizerFiles,
  name: keyof TokenizerFiles,
  where: string = name,
): Fields | undefined {
  const bytes = files[name];
  return bytes && new Fields(where, parseJson(where, bytes));
}

function readToken(where: string, value: unknown, id: number): AddedToken {
  const token = new Fields(where, value);
  const content = token.string('content');
  if (content === '') token.wrong(Error, 'content', 'a text', content);
  return {
    id,
    content,
    special: token.boolean('special', false),
    normalized: token.boolean('normalized', !token.boolean('special', false)),
    lstrip: token.boolean('lstrip', false),
    rstrip: token.boolean('rstrip', false),
    singleWord: token.boolean('single_word', false),
  };
}

/** Tokens of tokenizer_config.json, by their ids. */
export function decoderTokens(config: Fields | undefined): AddedToken[] {
  const decoder = config?.get('added_tokens_decoder');
  if (config === undefined || decoder === undefined) return [];
  const entries = new Fields(`${config.where}: added_tokens_decoder`, decoder);
  return entries.names().map((key) => {
    if (!/^\d+$/.test(key)) entries.wrong(Error, key, 'the id of a token', key);
    return readToken(`${entries.where}: ${key}`, entries.get(key), Number(key));
  });
}

export interface SpecialToken {
  flags: Partial<AddedToken>;
  where: string;
  /** In one of the lists of `tokenizer_config.json`, which transformers numbers where nothing else does. */
  numbered: boolean;
  /** Whether it is one: the map's first list only says that there are such tokens. */
  special: boolean;
}

/** What `tokenizer_config.json` and `special_tokens_map.json` call special. */
export function specialTokens(config: Fields | undefined, map: Fields | undefined): Map<string, SpecialToken> {
  const found = new Map<string, SpecialToken>();
  const add = (file: Fields, place: string, value: unknown, numbered: boolean): void => {
    const isSpecial = file === config || place !== LISTS[0];
    const where = `${file.where}: ${place}`;
    if (typeof value === 'string') {
      if (value !== '' && !found.has(value)) found.set(value, { flags: {}, where, numbered, special: isSpecial });
      return;
    }
    const { content, special: _, id: __, ...flags } = readToken(where, value, 0);
    if (!found.has(content))
      found.set(content, { flags: { ...flags, normalized: false }, where, numbered, special: isSpecial });
  };
  for (const file of [config, map]) {
    if (file === undefined) continue;
    for (const name of NAMED) if (file.get(name) !== undefined) add(file, name, file.get(name), false);
    for (const name of LISTS) {
      const list = file.get(name) ?? [];
      const values = Array.isArray(list) ? list : Object.values(new Fields(`${file.where}: ${name}`, list) && list);
      for (const value of values) add(file, name, value, file === config);
    }
  }
  return found;
}

/** The text of a special token that a configuration names, as a text or as an object. */
export function contentOf(config: Fields | undefined, name: string): string | undefined {
  const value = config?.get(name);
  const content = typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value;
  return typeof content === 'string' && content !== '' ? content : undefined;
}
