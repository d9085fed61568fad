/**
 * A model of a given shape without a file: weights from a seed, spread as they are at the start of training, and
 * little-flan's tokenizer filled up with made-up words. What it says is nonsense; what it costs is what a trained model
 * of that shape costs. It never stops by itself. Weights are made as a pack holds them, when they are read, so that a
 * pack may be larger than memory is.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ropeFrequencies } from '../../model/families/llama/rope.ts';
import { EMBEDDING as LLAMA_EMBEDDING, ropesOf } from '../../model/families/llama/tensors.ts';
import { type ModelConfig, type PackShape, packTensors, shapeOf } from '../../model/families/registry.ts';
import { EMBEDDING, HEAD } from '../../model/families/t5/tensors.ts';
import { encodePackHead, type PackHead, packBytes, planPack } from '../../model/pack/pack.ts';
import type { PackTensor, WeightsKind } from '../../model/tensor-table.ts';
import { readSpieceModel } from '../../model/tokenizer/files/spiece-model.ts';
import { buildTokenizerData } from '../../model/tokenizer/unigram/build-tokenizer.ts';
import { decodeTokenizer, type Unigram } from '../../model/tokenizer/unigram/tokenizer.ts';
import { encodeTokenizerData } from '../../model/tokenizer/unigram/tokenizer-data.ts';
import { PieceType, SPACE_SYMBOL } from '../../model/tokenizer/unigram/vocabulary.ts';
import { type MatrixKind, matrixParts, type Placement } from '../../tensor/layout.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import { projectRoot } from '../build/project.ts';
import { nodeUnit } from './node-unit.ts';
import type { Shape } from './shapes.ts';

interface Made {
  weights?: WeightsKind;
  seed?: number;
}

/** A pack that need not be in memory. */
export interface PackSource {
  bytes: number;
  /** Fresh bytes of it. */
  read(offset: number, bytes: number): Uint8Array;
}

export interface RandomPack<C extends ModelConfig> extends PackSource {
  config: C;
  head: PackHead;
  tokenizer: Unigram;
}

export interface RandomModel<C extends ModelConfig = ModelConfig> {
  config: C;
  pack: Uint8Array;
  head: PackHead;
  tokenizer: Unigram;
}

/** What of a named shape a random model is made by. */
type OfShape<C extends ModelConfig> = Pick<Shape, 'name' | 'json'> & Partial<Pick<Shape, 'family'>> & { config: C };

/** The pack of a model of this shape; the same bytes for the same seed. */
export async function randomModel<C extends ModelConfig>(shape: OfShape<C>, made: Made = {}): Promise<RandomModel<C>> {
  const { config, head, tokenizer, bytes, read } = await randomPack(shape, made);
  return { config, pack: read(0, bytes), head, tokenizer };
}

/** The same, made as it is read. */
export async function randomPack<C extends ModelConfig>(
  { name, family, json, config }: OfShape<C>,
  { weights = 'int8', seed = 1 }: Made = {},
): Promise<RandomPack<C>> {
  const tables = await filledTokenizer(config.vocabularySize);
  const model = { name: `random ${name}`, ...(family && { family }), weights, tiedHead: config.tieWordEmbeddings };
  const head = planPack({ ...model, json: { config: json, generation: {} } }, config, tables.length);
  const tensors = packTensors(shapeOf(model, config));
  const sections = [
    ...tensors.map((tensor, i) => ({
      offset: head.weightsOffset + tensor.offset,
      bytes: tensor.bytes,
      make: () => randomTensor(shapeOf(model, config), tensor, seed * 1000 + i),
    })),
    { offset: head.tokenizerOffset, bytes: tables.length, make: () => tables },
  ];
  const body = inSections(sections);
  const sha256 = createHash('sha256');
  const end = packBytes(head);
  for (let at = head.weightsOffset; at < end; at += HASHED_BYTES)
    sha256.update(body(at, Math.min(HASHED_BYTES, end - at)));
  head.sha256 = sha256.digest('hex');
  const start = { offset: 0, bytes: head.weightsOffset, make: () => encodePackHead(head) };
  const tokenizer = decodeTokenizer(tables, await nodeUnit());
  return { config, head, tokenizer, bytes: end, read: inSections([start, ...sections]) };
}

const HASHED_BYTES = 1 << 24;

/** Bytes that are made when they are asked for. */
interface Section {
  offset: number;
  bytes: number;
  make(): Uint8Array;
}

/** Reads sections that stand in order, with zeros between them; the last one that was made is kept. */
function inSections(sections: readonly Section[]): PackSource['read'] {
  let kept: { section: Section; made: Uint8Array } | undefined;
  return (offset, bytes) => {
    const out = new Uint8Array(bytes);
    for (const section of sections) {
      const from = Math.max(offset, section.offset);
      const end = Math.min(offset + bytes, section.offset + section.bytes);
      if (from >= end) continue;
      if (kept?.section !== section) kept = { section, made: section.make() };
      out.set(kept.made.subarray(from - section.offset, end - section.offset), from - offset);
    }
    return out;
  };
}

/** A tensor as a pack holds it. */
function randomTensor(shape: PackShape, tensor: PackTensor, seed: number): Uint8Array {
  const { layout, weights, name, shape: sizes } = tensor;
  if (layout.kind === 'matrix') {
    // the stop token's logit is 0, which is never the largest of so many
    const isZero = isHead(shape, name) ? new Set(shape.config.eosTokenIds) : new Set<number>();
    return randomMatrix(weights, layout, deviationOf(shape, name, sizes[1]!), seed, isZero);
  }
  if (layout.kind === 'made')
    return bytesOf(
      layout.make(
        uniform(
          sizes.reduce((a, b) => a * b, 1),
          1,
          seed,
        ),
      ),
    );
  const values = vectorOf(shape, name, sizes[0]!);
  return bytesOf(Float32Array.from({ length: layout.cols.length }, (_, i) => values[layout.cols.from(i)] ?? 0));
}

const isHead = ({ tiedHead }: PackShape, name: string): boolean =>
  name === HEAD || (tiedHead && (name === EMBEDDING || name === LLAMA_EMBEDDING));

/** As Hugging Face's T5PreTrainedModel._init_weights has them: what goes in with deviation 1 comes out so. */
function deviationOf({ config }: PackShape, name: string, inputs: number): number {
  if (name === EMBEDDING || name === LLAMA_EMBEDDING) return 1;
  const headDim = 'headDim' in config ? config.headDim : config.dKv;
  return /\.q(_proj)?\.weight$/.test(name) ? (inputs * headDim) ** -0.5 : inputs ** -0.5;
}

/** Norms are 1, biases 0, and rotations what they are. */
function vectorOf({ config }: PackShape, name: string, size: number): ArrayLike<number> {
  const rope = /^rotary\.(\d+)/.exec(name)?.[1];
  if (rope !== undefined && 'layers' in config)
    return ropeFrequencies(ropesOf(config).ropes[Number(rope)]!, config.headDim);
  return new Float32Array(size).fill(name.endsWith('.bias') ? 0 : 1);
}

/** Integers of all values; the deviation is the scales'. Rows of padding, and those named, are zero. */
function randomMatrix(
  kind: MatrixKind,
  { rows, cols }: { rows: Placement; cols: Placement },
  deviation: number,
  seed: number,
  isZero: ReadonlySet<number>,
): Uint8Array {
  const parts = matrixParts(kind, rows.length, cols.length);
  const zero = (row: number): boolean => rows.from(row) < 0 || isZero.has(rows.from(row));
  if (kind === 'float32') {
    const values = uniform(rows.length * cols.length, deviation, seed);
    for (let row = 0; row < rows.length; row++)
      if (zero(row)) values.fill(0, row * cols.length, (row + 1) * cols.length);
    return bytesOf(values);
  }
  const bytes = new Uint8Array(parts.bytes);
  fillRandom(new Int32Array(bytes.buffer, 0, parts.multipliers / 4), seed);
  bytes.fill(INT4_MULTIPLIER, parts.multipliers, parts.scales);
  const scale = deviation / (kind === 'int4' ? INT4_DEVIATION * INT4_MULTIPLIER : INT8_DEVIATION);
  new Float32Array(bytes.buffer, parts.scales).forEach((_, row, scales) => {
    scales[row] = zero(row) ? 0 : scale;
  });
  return bytes;
}

/** Of whole numbers that are all as likely: of -8 … 7, and of -128 … 127. */
const INT4_DEVIATION = Math.sqrt((16 ** 2 - 1) / 12);
const INT8_DEVIATION = Math.sqrt((256 ** 2 - 1) / 12);
const INT4_MULTIPLIER = 11;

const bytesOf = (floats: Float32Array): Uint8Array =>
  new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);

/** Evenly spread numbers with this standard deviation. */
function uniform(count: number, deviation: number, seed: number): Float32Array<ArrayBuffer> {
  const random = new Int32Array(count);
  fillRandom(random, seed);
  const scale = (deviation * Math.sqrt(3)) / 2 ** 31;
  return Float32Array.from(random, (x) => x * scale);
}

/** By xorshift32. */
function fillRandom(into: Int32Array, seed: number): void {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  for (let i = 0; i < into.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    into[i] = state;
  }
}

const tokenizers = new Map<number, Promise<Uint8Array>>();

/** The bytes of a tokenizer with as many pieces as the vocabulary has. A hundred thousand of them take seconds. */
function filledTokenizer(vocabularySize: number): Promise<Uint8Array> {
  const found = tokenizers.get(vocabularySize) ?? makeTokenizer(vocabularySize);
  tokenizers.set(vocabularySize, found);
  return found;
}

async function makeTokenizer(vocabularySize: number): Promise<Uint8Array> {
  const file = join(projectRoot, 'models/little-flan/spiece.model');
  const vocabulary = readSpieceModel(new Uint8Array(await readFile(file)), file);
  const known = new Set(vocabulary.pieces.map(({ piece }) => piece));
  for (let i = 0; vocabulary.pieces.length < vocabularySize; i++) {
    const piece = SPACE_SYMBOL + madeUpWord(i);
    if (known.has(piece)) continue;
    vocabulary.pieces.push({ piece, score: -12 - Math.log(i + 2), type: PieceType.NORMAL });
  }
  return encodeTokenizerData(buildTokenizerData(vocabulary));
}

/** The i-th of a million words of three syllables, in no visible order; no two are alike. */
function madeUpWord(i: number): string {
  const syllable = (n: number) => 'bcdfghjklmnprstvwxyz'[n % 20]! + 'aeiou'[Math.floor(n / 20) % 5]!;
  const number = (i * 7919) % 1_000_000;
  return syllable(number % 100) + syllable(Math.floor(number / 100) % 100) + syllable(Math.floor(number / 10_000));
}

const words = 'joe has 22 apples he gave away half and ate 6 apples how many apples does he have'.split(' ');

/** A text of exactly so many tokens, those that the tokenizer adds included; another one for another `variant`. */
export function promptOf(tokenizer: Pick<Tokenizer, 'encode'>, tokens: number, variant = 0): string {
  const length = (text: string): number => tokenizer.encode(text).length;
  let text = '';
  for (let i = 1; ; i++) {
    if (length(text) === tokens) return text;
    const next = [words[(variant + i * (1 + variant)) % words.length]!, 'a', 'i', '1'].map((word) => `${text} ${word}`);
    const fitting = next.find((longer) => length(longer) <= tokens);
    if (fitting === undefined) throw new Error(`prompt: expected to reach ${tokens} tokens, got "${text}"`);
    text = fitting.trim();
  }
}
