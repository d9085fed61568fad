/**
 * How texts are parted into words before merging: the patterns of the models that are built in, as their files have
 * them, and the number that native code knows each by (assembly/bpe/split.ts). Others are refused by name.
 */
import { PRE_GPT2, PRE_LLAMA3, PRE_QWEN2, PRE_SMOLLM } from '../assembly/protocol.ts';

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const like = (numbers: string): string =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${numbers}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

export type PreTokenizerName = 'gpt2' | 'smollm' | 'llama3' | 'qwen2';

export interface PreTokenizer {
  kind: number;
  /** GGUF's names of it, in `tokenizer.ggml.pre`. */
  ggml: string[];
  pattern: string;
  /** Numbers part the text first, one by one. */
  digits: boolean;
}

const LLAMA3 = like(String.raw`\p{N}{1,3}`);
const QWEN2 = like(String.raw`\p{N}`);

export const PRE_TOKENIZERS: Record<PreTokenizerName, PreTokenizer> = {
  gpt2: { kind: PRE_GPT2, ggml: ['gpt-2', 'gpt2'], pattern: GPT2, digits: false },
  smollm: { kind: PRE_SMOLLM, ggml: ['smollm'], pattern: GPT2, digits: true },
  llama3: { kind: PRE_LLAMA3, ggml: ['llama-bpe', 'llama3', 'llama-v3'], pattern: LLAMA3, digits: false },
  qwen2: { kind: PRE_QWEN2, ggml: ['qwen2'], pattern: QWEN2, digits: false },
};

export const PRE_TOKENIZER_NAMES = Object.keys(PRE_TOKENIZERS) as PreTokenizerName[];

/** @throws RangeError for one that is not built in */
export function preTokenizerOfGgml(name: unknown, where: string): PreTokenizerName {
  const found = PRE_TOKENIZER_NAMES.find((known) => PRE_TOKENIZERS[known].ggml.includes(String(name)));
  if (found) return found;
  const known = PRE_TOKENIZER_NAMES.flatMap((n) => PRE_TOKENIZERS[n].ggml).join(', ');
  const got = JSON.stringify(name) ?? 'nothing';
  throw new RangeError(`${where}: expected tokenizer.ggml.pre to be one of ${known}, got ${got}`);
}
