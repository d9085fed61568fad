/**
 * The tokenizer of a model as a pack holds it, whatever its kind: its tables say by their first word which it is.
 * Unigram's are tokenizer-data.ts', BPE's those of src/text/bpe/bpe-data.ts; nothing of either is parsed, they are
 * worked with where they lie.
 */
import { Bpe, checkBpeTables } from '../../text/bpe/bpe.ts';
import { BPE_HEAD_BYTES, BPE_MAGIC } from '../../text/bpe/bpe-data.ts';
import type { ChatSource } from '../../text/chat-template.ts';
import type { Native } from '../../text/native.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import type { AddedTokenRow } from './added-tokens.ts';
import { PromptTokenizer } from './prompt-tokenizer.ts';
import { Unigram } from './unigram/tokenizer.ts';
import { checkTokenizerTables } from './unigram/tokenizer-check.ts';
import { TOKENIZER_HEAD_BYTES } from './unigram/tokenizer-data.ts';

/** What a pack holds of a tokenizer. */
export interface PackTokenizer {
  /** The pack's tokenizer section. */
  tables: Uint8Array;
  /** In the pack's head: of a unigram tokenizer. BPE's tables have them. */
  addedTokens?: AddedTokenRow[];
  /** In the pack's head, where the model chats. */
  chat?: ChatSource;
}

/** Bytes at the beginning of tables that say what they are. */
export const TABLES_HEAD_BYTES = Math.max(TOKENIZER_HEAD_BYTES, BPE_HEAD_BYTES);

const isBpe = (start: Uint8Array): boolean =>
  start.length >= 4 && new DataView(start.buffer, start.byteOffset).getUint32(0, true) === BPE_MAGIC;

/**
 * The tokenizer whose tables lie in memory, and were checked.
 * @param addedTokens of the pack's head @throws RangeError if no tables begin there
 */
export function openTokenizer(
  native: Native,
  at: number,
  bytes: number,
  addedTokens: AddedTokenRow[] | undefined,
): Tokenizer {
  if (isBpe(native.read(at, 4))) return new Bpe(native, at, bytes);
  return new PromptTokenizer(new Unigram(native, at, bytes), addedTokens);
}

/**
 * The same of tables that lie elsewhere: they are checked, and copied.
 * @param at where to, if there is room already; memory of their own where it is left out
 * @throws RangeError saying what is wrong
 */
export function copyTokenizer(
  { tables, addedTokens }: PackTokenizer,
  native: Native,
  at = native.grow(tables.length),
): Tokenizer {
  checkTables(tables, tables.length, (into) => into.set(tables), native);
  native.write(at, tables);
  return openTokenizer(native, at, tables.length, addedTokens);
}

/**
 * Whether tables may be worked with: all of them is looked at.
 * @param start what they begin with, TABLES_HEAD_BYTES if there are so many @param read puts them where it is told
 * @throws RangeError naming the first thing that is wrong
 */
export function checkTables(
  start: Uint8Array,
  bytes: number,
  read: (into: Uint8Array) => void,
  native: Native,
): { vocabularySize: number } {
  const check = isBpe(start) ? checkBpeTables : checkTokenizerTables;
  return check(start, bytes, read, native);
}
