/**
 * Packs of random decoder-only models with a byte-level BPE of their own: every byte, and pairs of letters as far as
 * the vocabulary goes.
 */
import { createHash } from 'node:crypto';
import { type LlamaConfig, parseLlamaConfig } from '../../src/model/families/llama/config.ts';
import { convert } from '../../src/model/pack/convert.ts';
import { packBytes } from '../../src/model/pack/pack.ts';
import type { WeightsKind } from '../../src/model/tensor-table.ts';
import { readGgufTokenizer } from '../../src/model/tokenizer/files/gguf-tokenizer.ts';
import type { PackTokenizer } from '../../src/model/tokenizer/pack-tokenizer.ts';
import { withCheckpoint } from '../../src/node/model/model-folder.ts';

/** GPT-2's alphabet: a character for each byte, itself where it is printed. */
function alphabet(): string[] {
  let next = 256;
  const isPrinted = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrinted(byte) ? byte : next++));
}

/**
 * @param size pieces: three special tokens, of which 2 ends an answer, the bytes, pairs of letters and then groups of
 * three
 */
export function pairsTokenizer(size: number): PackTokenizer {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
  const pairs = letters.flatMap((a) => letters.map((b) => [a, b] as const));
  const threes = pairs.flatMap((pair) => letters.map((c) => [pair.join(''), c] as const));
  const merged = [...pairs, ...threes].slice(0, size - 259);
  const tokens = ['<pad>', '<s>', '</s>', ...alphabet(), ...merged.map((parts) => parts.join(''))];
  const merges = merged.map((parts) => parts.join(' '));
  return bytePairs(tokens, () => 1, merges);
}

/** The bytes, and tokens that are not special and say what `said` makes of their ids, whatever a model takes. */
export function sayingTokenizer(size: number, said: (id: number) => string): PackTokenizer {
  const bytes = ['<pad>', '<s>', '</s>', ...alphabet()];
  const tokens = [...bytes, ...Array.from({ length: size - bytes.length }, (_, i) => said(bytes.length + i))];
  return bytePairs(tokens, (id) => (id < bytes.length ? 1 : 4), []);
}

/** @param typeOf GGUF's kind of a token; the first three are control tokens */
function bytePairs(tokens: string[], typeOf: (id: number) => number, merges: string[]): PackTokenizer {
  const entries = {
    model: 'gpt2',
    pre: 'smollm',
    tokens,
    token_type: tokens.map((_, id) => (id < 3 ? 3 : typeOf(id))),
    merges,
    eos_token_id: 2,
    bos_token_id: 1,
  };
  const metadata = new Map(Object.entries(entries).map(([name, value]) => [`tokenizer.ggml.${name}`, value]));
  return readGgufTokenizer(metadata, 'pairs')!;
}

export interface PackOptions {
  /** By which it chats. */
  template?: string;
  /** In place of the fixture's. */
  contextLength?: number;
  /** Of the tokenizer, which has pairs of letters. */
  pieces?: number;
  /** In place of that one. */
  tokenizer?: PackTokenizer;
  /** Of an answer, where the caller does not say. */
  maxNewTokens?: number;
  /** Of the embedding, the fixture's over and over, in place of as many as it has. */
  rows?: number;
}

/** A pack of a fixture of test/fixtures/llama. @param options a text is a template */
export async function llamaPack(
  name: string,
  weights: WeightsKind,
  options: string | PackOptions = {},
): Promise<Uint8Array> {
  const given: PackOptions = typeof options === 'string' ? { template: options } : options;
  const { template, contextLength, pieces = 900, tokenizer = pairsTokenizer(pieces), rows, maxNewTokens } = given;
  return await withCheckpoint(`test/fixtures/llama/${name}`, async (found) => {
    const config = found.config as LlamaConfig;
    const length = config.vocabularySize * config.hiddenSize;
    const change = {
      max_position_embeddings: contextLength ?? config.contextLength,
      vocab_size: rows ?? config.vocabularySize,
    };
    const configJson = { ...(found.json.config as object), ...change };
    const checkpoint = {
      ...found,
      json: {
        config: configJson,
        generation: { ...(found.json.generation as object), ...(maxNewTokens && { max_new_tokens: maxNewTokens }) },
      },
      config: parseLlamaConfig(configJson),
      tensor: async (tensor: string) => {
        const values = await found.tensor(tensor);
        if (rows === undefined || values.length !== length) return values;
        return Float32Array.from({ length: rows * config.hiddenSize }, (_, i) => values[i % length]!);
      },
    };
    const { tables, ...inHead } = tokenizer;
    let bytes = new Uint8Array(1 << 23);
    const sink = {
      write: (at: number, piece: Uint8Array) => {
        bytes.set(piece, at);
      },
    };
    const head = await convert(checkpoint, weights, tables, sink, createHash('sha256'), undefined, {
      ...inHead,
      ...(template !== undefined && { chat: { template, bos: '<s>', eos: '</s>' } }),
    });
    bytes = bytes.slice(0, packBytes(head));
    return bytes;
  });
}
