/**
 * A BPE tokenizer ready for use, as one block of bytes: what native code works on where it lies (assembly/bpe). Reading
 * it does no work for a piece.
 *
 *   0 "SBPE", version, bytes, pre-tokenizer, V, M, flags, 0: an int32 each, little endian; then the lengths of the
 *   sections; then the sections in the order of SECTIONS, each at a multiple of 16
 */
import { BPE_LENGTHS, CLASS_BLOCKS, PRE_SENTENCEPIECE } from '../assembly/protocol.ts';

/** V tokens, M merges. */
export interface BpeData {
  /** Of one of PRE_TOKENIZERS, or PRE_SENTENCEPIECE. */
  kind: number;
  /** Bits: PREFIX_TEXT and those that follow it in assembly/protocol.ts. */
  flags: number;
  vocabularySize: number;
  mergesCount: number;
  /** [V + 1] where each token's bytes begin in `pieceBytes`. */
  pieceOffsets: Uint32Array;
  pieceBytes: Uint8Array;
  /** [V] TokenType */
  types: Uint8Array;
  /** [256] the token of each byte, -1 where there is none. */
  byteIds: Int32Array;
  /** [M, 3] left, right and what they become, by rank. */
  merges: Uint32Array;
  /** Open addressing by the pair's hash: rank + 1, 0 for none. A power of two, half of it free at least. */
  mergeSlots: Uint32Array;
  /**
   * The same of words that are taken as they are: id + 1; empty where words are always merged. SentencePiece: of single
   * characters.
   */
  wordSlots: Uint32Array;
  /**
   * [257] where the lengths of added tokens that begin with each byte begin; then the lengths in bytes, rising. Empty
   * if there are none.
   */
  addedLeads: Uint32Array;
  /** As mergeSlots, by the hash of an added token's text. */
  addedSlots: Uint32Array;
  /** [A + 1] where the text of each added token begins in `addedBytes`: what is sought. */
  addedOffsets: Uint32Array;
  addedBytes: Uint8Array;
  /** [A] id and ADDED_ bits. */
  addedRows: Uint32Array;
  /**
   * [CLASS_BLOCKS] u16, the number of the block of each 256 code points; then the blocks, a class for each code point.
   */
  classes: Uint8Array;
  /** How many of these ids go before every prompt; those, and those that go behind it. */
  around: Uint32Array;
}

export const BPE_MAGIC = 0x45504253; // "SBPE"
const VERSION = 1;
const SECTIONS = {
  pieceOffsets: Uint32Array,
  pieceBytes: Uint8Array,
  types: Uint8Array,
  byteIds: Int32Array,
  merges: Uint32Array,
  mergeSlots: Uint32Array,
  wordSlots: Uint32Array,
  addedLeads: Uint32Array,
  addedSlots: Uint32Array,
  addedOffsets: Uint32Array,
  addedBytes: Uint8Array,
  addedRows: Uint32Array,
  classes: Uint8Array,
  around: Uint32Array,
} as const;
const NAMES = Object.keys(SECTIONS) as (keyof typeof SECTIONS)[];
const align = (bytes: number): number => (bytes + 15) & ~15;
export const BPE_HEAD_BYTES = align((BPE_LENGTHS + NAMES.length) * 4);

export function encodeBpeData(data: BpeData): Uint8Array {
  const total = NAMES.reduce((sum, name) => sum + align(data[name].byteLength), BPE_HEAD_BYTES);
  const out = new Uint8Array(total);
  const head = new Uint32Array(out.buffer, 0, BPE_HEAD_BYTES / 4);
  head.set([BPE_MAGIC, VERSION, total, data.kind, data.vocabularySize, data.mergesCount, data.flags]);
  let at = BPE_HEAD_BYTES;
  for (const [i, name] of NAMES.entries()) {
    const { buffer, byteOffset, byteLength } = data[name];
    head[BPE_LENGTHS + i] = byteLength;
    out.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += align(byteLength);
  }
  return out;
}

export interface BpeHead extends Pick<BpeData, 'kind' | 'flags' | 'vocabularySize' | 'mergesCount'> {
  sections: Record<keyof typeof SECTIONS, { at: number; bytes: number }>;
}

/**
 * Reads the head of tables of `bytes`, and compares the sizes of all of them; what is in them is `checkBpeTables`'
 * (bpe.ts).
 * @throws RangeError
 */
export function readBpeHead(start: Uint8Array, bytes: number): BpeHead {
  const fail = (what: string, expected: number | string, got: number): never => {
    throw new RangeError(`tokenizer: expected ${what} ${expected}, got ${got}; convert the model again`);
  };
  if (start.length < BPE_HEAD_BYTES) fail('a head of bytes:', BPE_HEAD_BYTES, start.length);
  const view = new DataView(start.buffer, start.byteOffset, BPE_HEAD_BYTES);
  const get = (place: number) => view.getUint32(place * 4, true);
  if (get(0) !== BPE_MAGIC) fail('magic', BPE_MAGIC, get(0));
  if (get(1) !== VERSION) fail('version', VERSION, get(1));
  if (get(2) !== bytes) fail('length', get(2), bytes);
  const [kind, vocabularySize, mergesCount, flags] = [get(3), get(4), get(5), get(6)];
  if (kind < 1 || kind > PRE_SENTENCEPIECE) fail('a pre-tokenizer of', `1 to ${PRE_SENTENCEPIECE}`, kind);
  const sections = {} as BpeHead['sections'];
  let at = BPE_HEAD_BYTES;
  for (const [i, name] of NAMES.entries()) {
    const length = get(BPE_LENGTHS + i);
    const width = SECTIONS[name].BYTES_PER_ELEMENT;
    if (length % width !== 0 || length > bytes - at)
      fail(`${name} to be a multiple of ${width} of at most`, bytes - at, length);
    sections[name] = { at, bytes: length };
    at += align(length);
  }
  if (at !== bytes) fail('sections to end at', bytes, at);
  const wanted: [keyof typeof SECTIONS, number][] = [
    ['pieceOffsets', (vocabularySize + 1) * 4],
    ['types', vocabularySize],
    ['byteIds', 1024],
    ['merges', mergesCount * 12],
  ];
  for (const [name, length] of wanted)
    if (sections[name].bytes !== length) fail(`bytes of ${name}:`, length, sections[name].bytes);
  const classes = sections.classes.bytes;
  if (classes < CLASS_BLOCKS * 2 + 256) fail('bytes of classes of at least', CLASS_BLOCKS * 2 + 256, classes);
  return { kind, flags, vocabularySize, mergesCount, sections };
}
