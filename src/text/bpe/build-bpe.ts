/** Makes the tables that a byte-level BPE tokenizer works with out of what its file says: done once, when a model is converted. */
import { FNV_BASIS, FNV_PRIME, HASH_LEFT, HASH_RIGHT } from '../assembly/protocol.ts';
import type { BpeData } from './bpe-data.ts';
import { PRE_TOKENIZERS } from './pre-tokenizers.ts';
import { unicodeClasses } from './unicode-classes.ts';
import { type BpeToken, type BpeVocabulary, BYTE_ALPHABET, bytesOfPiece, TokenType } from './vocabulary.ts';

const MAX_TOKENS = 2 ** 20;

/** @throws Error, RangeError naming the token or merge that is wrong */
export function buildBpe(vocabulary: BpeVocabulary): BpeData {
  const { tokens, where, preTokenizer, ignoreMerges } = vocabulary;
  if (tokens.length === 0 || tokens.length > MAX_TOKENS)
    throw new RangeError(`${where}: expected 1 to ${MAX_TOKENS} tokens, got ${tokens.length}`);
  const ids = idsOf(vocabulary);
  const bytes = tokens.map((token, id) => bytesOf(token, id, where));
  const merges = mergesOf(vocabulary, ids);
  const pieceOffsets = new Uint32Array(tokens.length + 1);
  for (const [id, piece] of bytes.entries()) pieceOffsets[id + 1] = pieceOffsets[id]! + piece.length;
  const pieceBytes = new Uint8Array(pieceOffsets[tokens.length]!);
  for (const [id, piece] of bytes.entries()) pieceBytes.set(piece, pieceOffsets[id]!);
  return {
    kind: PRE_TOKENIZERS[preTokenizer].kind,
    vocabularySize: tokens.length,
    mergesCount: merges.length / 3,
    pieceOffsets,
    pieceBytes,
    types: Uint8Array.from(tokens, ({ type }) => type),
    byteIds: Int32Array.from(BYTE_ALPHABET, (character) => ids.get(character) ?? -1),
    merges,
    mergeSlots: slotsOf(merges.length / 3, (rank) => pairHash(merges[3 * rank]!, merges[3 * rank + 1]!)),
    wordSlots: ignoreMerges
      ? slotsOf(tokens.length, (id) => (isSpecial(tokens[id]!) ? undefined : wordHash(bytes[id]!)))
      : new Uint32Array(0),
    specials: specialsOf(vocabulary, bytes),
    classes: unicodeClasses(),
  };
}

/** Whether a token stands for its own text, whatever merges would make of it. */
const isSpecial = ({ type }: BpeToken): boolean => type === TokenType.CONTROL || type === TokenType.USER_DEFINED;

/** Of the tokens that bytes and merges lead to. */
function idsOf({ tokens, where }: BpeVocabulary): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    if (!Object.values<number>(TokenType).includes(token.type))
      throw new RangeError(`${where}: token ${id}: expected a type from 1 to 6, got ${token.type}`);
    if (isSpecial(token)) continue;
    const { text } = token;
    if (ids.has(text))
      throw new Error(
        `${where}: token ${id}: expected a text of its own, got ${JSON.stringify(text)}, which ${ids.get(text)} has`,
      );
    ids.set(text, id);
  }
  return ids;
}

function bytesOf(token: BpeToken, id: number, where: string): Uint8Array {
  const bytes = isSpecial(token) ? new TextEncoder().encode(token.text) : bytesOfPiece(token.text);
  if (bytes && bytes.length > 0) return bytes;
  throw new Error(
    `${where}: token ${id}: expected characters of GPT-2's alphabet of bytes, got ${JSON.stringify(token.text)}`,
  );
}

function mergesOf({ merges, where }: BpeVocabulary, ids: ReadonlyMap<string, number>): Uint32Array {
  const out = new Uint32Array(3 * merges.length);
  const seen = new Set<string>();
  for (const [rank, [left, right]] of merges.entries()) {
    const texts = [left, right, left + right];
    const missing = texts.find((text) => !ids.has(text));
    const fail = (expected: string): never => {
      throw new Error(`${where}: merge ${rank}: expected ${expected}, got ${JSON.stringify([left, right])}`);
    };
    if (missing !== undefined) fail(`tokens that are there, ${JSON.stringify(missing)} among them`);
    if (seen.has(`${left} ${right}`)) fail('each pair once');
    seen.add(`${left} ${right}`);
    out.set(
      texts.map((text) => ids.get(text)!),
      3 * rank,
    );
  }
  return out;
}

// Hashes as assembly/bpe/merge.ts has them.
const spread = (hash: number): number => (hash ^ (hash >>> 15)) >>> 0;
const pairHash = (left: number, right: number): number =>
  spread(Math.imul(left, HASH_LEFT) ^ Math.imul(right, HASH_RIGHT));
const wordHash = (bytes: Uint8Array): number =>
  spread(bytes.reduce((hash, byte) => Math.imul(hash ^ byte, FNV_PRIME), FNV_BASIS | 0));

/** Numbers from 1 on, by their hashes; what has none is left out. */
function slotsOf(count: number, hashOf: (index: number) => number | undefined): Uint32Array {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count + 2)));
  const mask = slots.length - 1;
  for (let index = 0; index < count; index++) {
    const hash = hashOf(index);
    if (hash === undefined) continue;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = index + 1;
  }
  return slots;
}

function specialsOf({ tokens }: BpeVocabulary, bytes: readonly Uint8Array[]): Uint32Array {
  const ids = tokens.flatMap((token, id) => (isSpecial(token) ? [id] : []));
  if (ids.length === 0) return new Uint32Array(0);
  ids.sort((a, b) => bytes[a]![0]! - bytes[b]![0]! || bytes[b]!.length - bytes[a]!.length || a - b);
  const out = new Uint32Array(257 + ids.length);
  for (let byte = 0; byte <= 256; byte++) out[byte] = 257 + ids.filter((id) => bytes[id]![0]! < byte).length;
  out.set(ids, 257);
  return out;
}
