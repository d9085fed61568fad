// A tokenizer ready for use, as one block of bytes: what a pack holds, and what native code works on where it lies
// (src/text/assembly/unigram, which knows this layout by src/text/assembly/protocol.ts). Built by `build-tokenizer.ts`.
//
//   0  "SPTK", version, then the numbers of HEAD below, an int32 each       all little endian;
//   then the tables in the order of SECTIONS, each at a multiple of 16, with its length in the head

/** What the numbers and tables of a tokenizer are. V: pieces. */
export interface TokenizerData {
  /** V */
  vocabularySize: number;
  unkId: number;
  eosId: number;
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
  escapeWhitespaces: boolean;
  treatWhitespaceAsSuffix: boolean;
  byteFallback: boolean;
  /** Whether the map leaves printable ASCII as it is, wherever ASCII follows; and there are no user-defined symbols. */
  plainAscii: boolean;
  /** What an unknown character adds to a path's score: the lowest score of a normal piece, less 10. */
  unkScore: number;
  /**
   * Double array over the pieces that may match in text, with a space as one byte (assembly/unigram/normalize.ts);
   * value: the id;
   *  mark: no other way to cut up just this piece's text comes near its score (`certain-pieces.ts`).
   */
  units: Int32Array;
  /** Double array over the user-defined symbols, in plain UTF-8; one unit if there are none. */
  userUnits: Int32Array;
  /** [V] what a piece adds to a path's score. */
  scores: Float32Array;
  /** [256 * 256] 1 where no piece has byte a before byte b (at a * 256 + b): a path always has a boundary there. */
  cuts: Uint8Array;
  /** [V] bytes of each piece with a space as one byte. */
  lengths: Uint16Array;
  /** [V + 1] where each piece's UTF-8 begins in `pieceBytes`. */
  pieceOffsets: Int32Array;
  pieceBytes: Uint8Array;
  /** [V] PieceType */
  types: Uint8Array;
  /** [256] id of each byte's piece if `byteFallback`, else empty. */
  byteIds: Int32Array;
  /**
   * Double array (as darts-clone makes it) of the normalisation map; value: where in `charsmapStrings` the result is.
   */
  charsmapUnits: Int32Array;
  /** UTF-8, each ended by a zero byte. */
  charsmapStrings: Uint8Array;
  /** UTF-8 of what an unknown piece is decoded to. */
  unkSurface: Uint8Array;
}

const MAGIC = 0x4b545053; // "SPTK"
const VERSION = 1;
const FLAGS = [
  'addDummyPrefix',
  'removeExtraWhitespaces',
  'escapeWhitespaces',
  'treatWhitespaceAsSuffix',
  'byteFallback',
  'plainAscii',
] as const;
/** The tables in their order, and the view that reads each. */
const SECTIONS = {
  units: Int32Array,
  userUnits: Int32Array,
  scores: Float32Array,
  cuts: Uint8Array,
  lengths: Uint16Array,
  pieceOffsets: Int32Array,
  pieceBytes: Uint8Array,
  types: Uint8Array,
  byteIds: Int32Array,
  charsmapUnits: Int32Array,
  charsmapStrings: Uint8Array,
  unkSurface: Uint8Array,
} as const;
const SECTION_NAMES = Object.keys(SECTIONS) as (keyof typeof SECTIONS)[];

/** Places in the head, in int32s (`unkScore` a float32); then come the lengths of the sections. */
const HEAD = { magic: 0, version: 1, bytes: 2, flags: 3, vocabularySize: 4, unkId: 5, eosId: 6, unkScore: 7 };
const LENGTHS = 8;
const HEAD_BYTES = align((LENGTHS + SECTION_NAMES.length) * 4);

/** The bytes that {@link decodeTokenizerData} reads: a multiple of 16, the same for the same data. */
export function encodeTokenizerData(data: TokenizerData): Uint8Array {
  const total = SECTION_NAMES.reduce((sum, name) => sum + align(data[name].byteLength), HEAD_BYTES);
  const out = new Uint8Array(total);
  const head = new DataView(out.buffer);
  const put = (place: number, value: number) => head.setInt32(place * 4, value, true);
  put(HEAD.magic, MAGIC);
  put(HEAD.version, VERSION);
  put(HEAD.bytes, total);
  put(
    HEAD.flags,
    FLAGS.reduce((bits, name, i) => bits | (data[name] ? 1 << i : 0), 0),
  );
  put(HEAD.vocabularySize, data.vocabularySize);
  put(HEAD.unkId, data.unkId);
  put(HEAD.eosId, data.eosId);
  head.setFloat32(HEAD.unkScore * 4, data.unkScore, true);
  let at = HEAD_BYTES;
  SECTION_NAMES.forEach((name, i) => {
    const section = data[name];
    put(LENGTHS + i, section.byteLength);
    out.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), at);
    at += align(section.byteLength);
  });
  return out;
}

/** What the head says, with the sizes of all tables compared: enough to work with tables that lie elsewhere. */
export interface TokenizerHead
  extends Pick<TokenizerData, (typeof FLAGS)[number] | 'vocabularySize' | 'unkId' | 'eosId' | 'unkScore'> {
  /** Bytes of the head and all tables. */
  bytes: number;
  /** Where each table begins, and its length in bytes. */
  sections: Record<keyof typeof SECTIONS, { at: number; bytes: number }>;
}

export { HEAD_BYTES as TOKENIZER_HEAD_BYTES };

/**
 * Reads the head of tables of `bytes`; it begins with it and may be longer. What is in the tables is `checkTokenizer`'s
 * (tokenizer-check.ts).
 * @throws RangeError saying what is wrong.
 */
export function readTokenizerHead(start: Uint8Array, bytes: number): TokenizerHead {
  const fail = (what: string, expected: number | string, got: number | string): never => {
    throw new RangeError(`tokenizer: expected ${what} ${expected}, got ${got}; convert the model again`);
  };
  if (start.length < HEAD_BYTES) fail('a head of bytes:', HEAD_BYTES, start.length);
  const head = new DataView(start.buffer, start.byteOffset, HEAD_BYTES);
  const get = (place: number) => head.getInt32(place * 4, true);
  if (get(HEAD.magic) !== MAGIC) fail('magic', MAGIC, get(HEAD.magic));
  if (get(HEAD.version) !== VERSION) fail('version', VERSION, get(HEAD.version));
  if (get(HEAD.bytes) !== bytes) fail('length', get(HEAD.bytes), bytes);

  const sections = {} as TokenizerHead['sections'];
  let at = HEAD_BYTES;
  SECTION_NAMES.forEach((name, i) => {
    const width = SECTIONS[name].BYTES_PER_ELEMENT;
    const length = get(LENGTHS + i);
    if (length < 0 || length % width !== 0 || length > bytes - at) {
      fail(`section ${name} to be a multiple of ${width} of at most`, bytes - at, length);
    }
    sections[name] = { at, bytes: length };
    at += align(length);
  });
  if (at !== bytes) fail('sections to end at', bytes, at);

  const flags = get(HEAD.flags);
  const size = get(HEAD.vocabularySize);
  const flag = Object.fromEntries(FLAGS.map((name, i) => [name, ((flags >> i) & 1) === 1]));
  const [unkId, eosId] = [get(HEAD.unkId), get(HEAD.eosId)];
  const isId = (id: number) => id >= 0 && id < size;
  if (!isId(unkId)) fail('unkId below', size, unkId);
  if (!isId(eosId)) fail('eosId below', size, eosId);
  const wanted: [keyof typeof SECTIONS, string, number][] = [
    ['scores', 'scores:', size],
    ['cuts', 'cuts:', 65536],
    ['lengths', 'lengths:', size],
    ['types', 'types:', size],
    ['pieceOffsets', 'piece offsets:', size + 1],
    ['byteIds', 'byte ids:', flag['byteFallback'] ? 256 : 0],
  ];
  for (const [name, what, count] of wanted) {
    const got = sections[name].bytes / SECTIONS[name].BYTES_PER_ELEMENT;
    if (got !== count) fail(what, count, got);
  }
  if (sections.units.bytes === 0 || sections.userUnits.bytes === 0) fail('units:', 'at least one', 0);
  const unkScore = head.getFloat32(HEAD.unkScore * 4, true);
  return { ...flag, bytes, vocabularySize: size, unkId, eosId, unkScore, sections } as TokenizerHead;
}

/**
 * Views on `bytes`, which must stay as they are; copied first if they do not begin at a multiple of 4.
 * @throws RangeError as `readTokenizerHead`
 */
export function decodeTokenizerData(bytes: Uint8Array): TokenizerData {
  const source = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const { sections, bytes: _, ...numbers } = readTokenizerHead(source, source.length);
  const views = SECTION_NAMES.map((name) => {
    const View = SECTIONS[name];
    const { at, bytes } = sections[name];
    return [name, new View(source.buffer as ArrayBuffer, source.byteOffset + at, bytes / View.BYTES_PER_ELEMENT)];
  });
  return { ...numbers, ...Object.fromEntries(views) } as TokenizerData;
}

function align(bytes: number): number {
  return (bytes + 15) & ~15;
}
