/** Makes the tables that a BPE tokenizer works with out of what its file says: done once, when a model is converted. */
import type { AddedToken } from '../added-token.ts';
import {
  ADDED_LSTRIP,
  ADDED_NORMALIZED,
  ADDED_RSTRIP,
  ADDED_SINGLE_WORD,
  ADDED_SPECIAL,
  FNV_BASIS,
  FNV_PRIME,
  HASH_LEFT,
  HASH_RIGHT,
  MOST_ADDED_BYTES,
  NFC,
  PRE_SENTENCEPIECE,
  PREFIX_PARTS,
  PREFIX_PARTS_UNLESS,
  PREFIX_TEXT,
  PREFIX_TEXT_UNLESS,
  STRIP_SPACE,
} from '../assembly/protocol.ts';
import { characterBytes } from '../utf8.ts';
import type { BpeData } from './bpe-data.ts';
import { PRE_TOKENIZERS } from './pre-tokenizers.ts';
import { unicodeClasses } from './unicode-classes.ts';
import {
  type BpeToken,
  type BpeVocabulary,
  BYTE_ALPHABET,
  bytesOfSymbol,
  MAX_MERGES,
  TokenType,
  utf8,
} from './vocabulary.ts';

const MAX_TOKENS = 2 ** 20;
const PREFIX_FLAGS = {
  never: 0,
  text: PREFIX_TEXT,
  parts: PREFIX_PARTS,
  'text unless': PREFIX_TEXT_UNLESS,
  'parts unless': PREFIX_PARTS_UNLESS,
};

/** @throws Error, RangeError naming the token or merge that is wrong */
export function buildBpe(vocabulary: BpeVocabulary): BpeData {
  const { tokens, where, preTokenizer, prefix, stripSpace, nfc, before, behind } = vocabulary;
  if (tokens.length === 0 || tokens.length > MAX_TOKENS)
    throw new RangeError(`${where}: expected 1 to ${MAX_TOKENS} tokens, got ${tokens.length}`);
  const ids = idsOf(vocabulary);
  const merges = mergesOf(vocabulary, ids);
  const pieces = concatenate(tokens.map(({ bytes }) => bytes));
  const isSentencePiece = preTokenizer === 'sentencepiece';
  return {
    kind: isSentencePiece ? PRE_SENTENCEPIECE : PRE_TOKENIZERS[preTokenizer].kind,
    flags: PREFIX_FLAGS[prefix] | (stripSpace ? STRIP_SPACE : 0) | (nfc ? NFC : 0),
    vocabularySize: tokens.length,
    mergesCount: merges.length / 3,
    pieceOffsets: pieces.offsets,
    pieceBytes: pieces.bytes,
    types: Uint8Array.from(tokens, ({ type }) => type),
    byteIds: byteIds(vocabulary, ids),
    merges,
    mergeSlots: slotsOf(merges.length / 3, (rank) => pairHash(merges[3 * rank]!, merges[3 * rank + 1]!)),
    wordSlots: wordSlots(vocabulary),
    ...addedTables(vocabulary),
    classes: unicodeClasses(),
    around: Uint32Array.of(before.length, ...before, ...behind),
  };
}

/** Tokens by their texts: those that a text is cut into go before those that only stand for themselves. */
function idsOf({ tokens, where }: BpeVocabulary): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [id, { text, type, bytes }] of tokens.entries()) {
    if (!Object.values<number>(TokenType).includes(type))
      throw new RangeError(`${where}: token ${id}: expected a type from 1 to 6, got ${type}`);
    if (bytes.length === 0 && type !== TokenType.UNUSED)
      throw new Error(`${where}: token ${id}: expected a text, got ${JSON.stringify(text)}`);
    const other = ids.get(text);
    if (bytes.length === 0 || (other !== undefined && type !== TokenType.NORMAL)) continue;
    if (other !== undefined && tokens[other]!.type === TokenType.NORMAL)
      throw new Error(
        `${where}: token ${id}: expected a text of its own, got ${JSON.stringify(text)}, which ${other} has`,
      );
    ids.set(text, id);
  }
  return ids;
}

function byteIds({ tokens, where, preTokenizer }: BpeVocabulary, ids: ReadonlyMap<string, number>): Int32Array {
  if (preTokenizer !== 'sentencepiece') return Int32Array.from(BYTE_ALPHABET, (character) => ids.get(character) ?? -1);
  const found = new Int32Array(256).fill(-1);
  for (const [id, { type, bytes }] of tokens.entries()) if (type === TokenType.BYTE) found[bytes[0]!] = id;
  const missing = found.indexOf(-1);
  if (missing < 0) return found;
  throw new Error(
    `${where}: expected a token for each byte, <0x00> to <0xFF>, got none for byte ${missing} (models without byte fallback are not built in)`,
  );
}

function mergesOf({ merges, where }: BpeVocabulary, ids: ReadonlyMap<string, number>): Uint32Array {
  if (merges.length > MAX_MERGES)
    throw new RangeError(`${where}: expected at most ${MAX_MERGES} merges, got ${merges.length}`);
  const out = new Uint32Array(3 * merges.length);
  const seen = new Set<string>();
  for (const [rank, [left, right]] of merges.entries()) {
    const texts = [left, right, left + right];
    const missing = texts.find((text) => !ids.has(text));
    const fail = (expected: string): never => {
      throw new Error(`${where}: merge ${rank}: expected ${expected}, got ${JSON.stringify([left, right])}`);
    };
    if (missing !== undefined) fail(`tokens that are there, ${JSON.stringify(missing)} among them`);
    const pair = texts.map((text) => ids.get(text)!);
    const key = `${pair[0]} ${pair[1]}`;
    if (seen.has(key)) fail('each pair once');
    seen.add(key);
    out.set(pair, 3 * rank);
  }
  return out;
}

/**
 * Words that are not merged: all pieces where a model says so, added tokens being none; SentencePiece's single
 * characters.
 */
function wordSlots({ tokens, preTokenizer, ignoreMerges }: BpeVocabulary): Uint32Array {
  const isCut = ({ type }: BpeToken): boolean => type === TokenType.NORMAL;
  const isWord =
    preTokenizer === 'sentencepiece'
      ? (token: BpeToken) => isCut(token) && characterBytes(token.bytes[0]!) === token.bytes.length
      : (token: BpeToken) => ignoreMerges && isCut(token);
  const words = tokens.flatMap((token, id) => (isWord(token) ? [id] : []));
  return words.length === 0
    ? new Uint32Array(0)
    : slotsOf(
        words.length,
        (i) => wordHash(tokens[words[i]!]!.bytes),
        (i) => words[i]!,
      );
}

// Hashes as assembly/bpe/merge.ts and added.ts have them.
const spread = (hash: number): number => (hash ^ (hash >>> 15)) >>> 0;
const pairHash = (left: number, right: number): number =>
  spread(Math.imul(left, HASH_LEFT) ^ Math.imul(right, HASH_RIGHT));
const wordHash = (bytes: Uint8Array): number =>
  spread(bytes.reduce((hash, byte) => Math.imul(hash ^ byte, FNV_PRIME), FNV_BASIS | 0));

/** Numbers from 1 on, by their hashes. */
function slotsOf(count: number, hashOf: (index: number) => number, numberOf = (index: number) => index): Uint32Array {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count + 2)));
  const mask = slots.length - 1;
  for (let index = 0; index < count; index++) {
    let slot = hashOf(index) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = numberOf(index) + 1;
  }
  return slots;
}

type AddedTables = Pick<BpeData, 'addedLeads' | 'addedSlots' | 'addedOffsets' | 'addedBytes' | 'addedRows'>;

const NO_TABLES: AddedTables = {
  addedLeads: new Uint32Array(0),
  addedSlots: new Uint32Array(0),
  addedOffsets: new Uint32Array(0),
  addedBytes: new Uint8Array(0),
  addedRows: new Uint32Array(0),
};

function addedTables({ added, where, preTokenizer, prefix, nfc }: BpeVocabulary): AddedTables {
  if (added.length === 0) return NO_TABLES;
  const isSentencePiece = preTokenizer === 'sentencepiece';
  // as a normaliser makes it, which is what such a token is sought as
  const normalize = (content: string): string => {
    const spaced = isSentencePiece ? new TextDecoder().decode(bytesOfSymbol(content, TokenType.NORMAL)) : content;
    return `${prefix === 'parts' ? ' ' : ''}${nfc ? spaced.normalize('NFC') : spaced}`;
  };
  const texts = added.map(({ content, normalized, id }) => {
    const bytes = utf8(normalized ? normalize(content) : content);
    if (bytes.length === 0 || bytes.length > MOST_ADDED_BYTES)
      throw new RangeError(
        `${where}: expected added token ${id} to be of 1 to ${MOST_ADDED_BYTES} bytes, got ${bytes.length}`,
      );
    return bytes;
  });
  const { offsets, bytes } = concatenate(texts);
  return {
    addedLeads: leadsOf(texts),
    addedSlots: slotsOf(added.length, (i) => wordHash(texts[i]!)),
    addedOffsets: offsets,
    addedBytes: bytes,
    addedRows: Uint32Array.from(added, rowOf),
  };
}

const rowOf = ({ id, special, normalized, lstrip, rstrip, singleWord }: AddedToken): number =>
  id |
  (special ? ADDED_SPECIAL : 0) |
  (normalized ? ADDED_NORMALIZED : 0) |
  (lstrip ? ADDED_LSTRIP : 0) |
  (rstrip ? ADDED_RSTRIP : 0) |
  (singleWord ? ADDED_SINGLE_WORD : 0);

function leadsOf(texts: readonly Uint8Array[]): Uint32Array {
  const lengths = Array.from({ length: 256 }, () => new Set<number>());
  for (const text of texts) lengths[text[0]!]!.add(text.length);
  const sorted = lengths.map((set) => [...set].sort((a, b) => a - b));
  const begins: number[] = [257];
  for (const list of sorted) begins.push(begins.at(-1)! + list.length);
  return Uint32Array.from([...begins, ...sorted.flat()]);
}

function concatenate(parts: readonly Uint8Array[]): { offsets: Uint32Array; bytes: Uint8Array } {
  const offsets = new Uint32Array(parts.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  const bytes = new Uint8Array(offsets[parts.length]!);
  for (const [i, part] of parts.entries()) bytes.set(part, offsets[i]!);
  return { offsets, bytes };
}
