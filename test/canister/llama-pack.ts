/** Packs of random decoder-only models with a byte-level BPE of their own: every byte, and pairs of letters as far as the vocabulary goes. */
import { createHash } from 'node:crypto';
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

/** @param size pieces: three special tokens, of which 2 ends an answer, the bytes, and pairs of letters */
export function pairsTokenizer(size: number): PackTokenizer {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
  const pairs = letters.flatMap((a) => letters.map((b) => [a, b] as const)).slice(0, size - 259);
  const tokens = ['<pad>', '<s>', '</s>', ...alphabet(), ...pairs.map((pair) => pair.join(''))];
  const entries = {
    model: 'gpt2',
    pre: 'smollm',
    tokens,
    token_type: tokens.map((_, id) => (id < 3 ? 3 : 1)),
    merges: pairs.map((pair) => pair.join(' ')),
    eos_token_id: 2,
    bos_token_id: 1,
  };
  const metadata = new Map(Object.entries(entries).map(([name, value]) => [`tokenizer.ggml.${name}`, value]));
  return readGgufTokenizer(metadata, 'pairs')!;
}

/** A pack of a fixture of test/fixtures/llama; it chats by a template. */
export async function llamaPack(name: string, weights: WeightsKind, template?: string): Promise<Uint8Array> {
  return await withCheckpoint(`test/fixtures/llama/${name}`, async (checkpoint) => {
    const { tables, ...inHead } = pairsTokenizer(900);
    let bytes = new Uint8Array(1 << 22);
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
