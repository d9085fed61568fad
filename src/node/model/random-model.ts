/**
 * A model of a given shape without a file: weights from a seed, spread as T5's are at the start of training, and
 * little-flan's tokenizer filled up with made-up words. What it says is nonsense; what it costs is what a trained model
 * of that shape costs. It never stops by itself.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { T5Config } from '../../model/checkpoint/config.ts';
import { HEAD, t5Tensors } from '../../model/families/t5/tensors.ts';
import { convert } from '../../model/pack/convert.ts';
import { type PackHead, packBytes } from '../../model/pack/pack.ts';
import type { WeightsKind } from '../../model/tensor-table.ts';
import { readSpieceModel } from '../../model/tokenizer/files/spiece-model.ts';
import { buildTokenizerData } from '../../model/tokenizer/unigram/build-tokenizer.ts';
import { decodeTokenizer, type Unigram } from '../../model/tokenizer/unigram/tokenizer.ts';
import { encodeTokenizerData } from '../../model/tokenizer/unigram/tokenizer-data.ts';
import { PieceType, SPACE_SYMBOL } from '../../model/tokenizer/unigram/vocabulary.ts';
import { projectRoot } from '../build/project.ts';
import { nodeUnit } from './node-unit.ts';
import type { Shape } from './shapes.ts';

export interface RandomModel {
  config: T5Config;
  pack: Uint8Array;
  head: PackHead;
  tokenizer: Unigram;
}

/** The pack of a model of this shape; the same bytes for the same seed. */
export async function randomModel(
  { name, json, config }: Shape,
  { weights = 'int8', seed = 1 }: { weights?: WeightsKind; seed?: number } = {},
): Promise<RandomModel> {
  const tokenizer = await filledTokenizer(config.vocabularySize);
  const checkpoint = {
    name: `random ${name}`,
    config,
    json: { config: json, generation: {} },
    generation: { notApplied: [] },
    tiedHead: false,
    tensor: async (tensor: string) => randomTensor(config, tensor, seed),
  };
  const pieces: [number, Uint8Array][] = [];
  const sink = { write: (offset: number, bytes: Uint8Array) => void pieces.push([offset, bytes]) };
  const sha256 = createHash('sha256');
  const hash = { update: (bytes: Uint8Array) => sha256.update(bytes), digest: () => sha256.digest() };
  const head = await convert(checkpoint, weights, tokenizer, sink, hash);
  const pack = new Uint8Array(packBytes(head));
  for (const [offset, bytes] of pieces) pack.set(bytes, offset);
  return { config, pack, head, tokenizer: decodeTokenizer(tokenizer, await nodeUnit()) };
}

/** A tensor by the checkpoint's name, in a fresh array. */
export function randomTensor(config: T5Config, name: string, seed: number): Float32Array<ArrayBuffer> {
  const { vocabularySize, dModel, numHeads, dKv, dFf, eosTokenIds } = config;
  const tensors = [...t5Tensors(config), { name: HEAD, shape: [vocabularySize, dModel] }];
  const index = tensors.findIndex((tensor) => tensor.name === name);
  if (index < 0) throw new Error(`random model: expected the name of a tensor of this T5, got "${name}"`);
  const { shape } = tensors[index]!;
  const count = shape.reduce((a, b) => a * b, 1);
  if (name.endsWith('layer_norm.weight')) return new Float32Array(count).fill(1);
  // as Hugging Face's T5PreTrainedModel._init_weights has them
  const deviation =
    name === 'shared.weight'
      ? 1
      : name.endsWith('.q.weight')
        ? (dModel * dKv) ** -0.5
        : name.endsWith('.o.weight')
          ? (numHeads * dKv) ** -0.5
          : name.endsWith('.wo.weight')
            ? dFf ** -0.5
            : dModel ** -0.5;
  const values = uniform(count, deviation, seed * 1000 + index);
  // the stop token's logit is 0, which is never the largest of so many
  if (name === HEAD) for (const id of eosTokenIds) values.fill(0, id * dModel, (id + 1) * dModel);
  return values;
}

/** Evenly spread numbers with this standard deviation, by xorshift32. */
function uniform(count: number, deviation: number, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  const scale = (deviation * Math.sqrt(3)) / 2 ** 31;
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state * scale;
  }
  return values;
}

/** The bytes of a tokenizer with as many pieces as the vocabulary has. */
async function filledTokenizer(vocabularySize: number): Promise<Uint8Array> {
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

/** A text of exactly so many tokens, `</s>` included; another one for another `variant`. */
export function promptOf(tokenizer: Unigram, tokens: number, variant = 0): string {
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
