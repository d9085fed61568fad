/** A byte-level BPE tokenizer out of a GGUF file's metadata. Source: ggml, `docs/gguf.md`, GGML's tokenizers. */
import { preTokenizerOfGgml } from './pre-tokenizers.ts';
import { type BpeVocabulary, TokenType } from './vocabulary.ts';

const PREFIX = 'tokenizer.ggml.';

/** @throws Error, TypeError, RangeError naming the entry, what was expected and what is there */
export function readGgufBpe(metadata: ReadonlyMap<string, unknown>, where: string): BpeVocabulary {
  const get = (name: string): unknown => metadata.get(PREFIX + name);
  const list = (name: string, type: 'string' | 'number'): unknown[] => {
    const value = get(name);
    if (Array.isArray(value) && value.every((entry) => typeof entry === type)) return value;
    const got = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
    throw new TypeError(`${where}: expected ${PREFIX}${name} to be a list, each a ${type}, got ${got}`);
  };
  if (get('model') !== 'gpt2') {
    const got = JSON.stringify(get('model')) ?? 'nothing';
    throw new TypeError(`${where}: expected ${PREFIX}model to be "gpt2", byte-level BPE, got ${got}`);
  }
  const tokens = list('tokens', 'string') as string[];
  const types = metadata.has(`${PREFIX}token_type`)
    ? (list('token_type', 'number') as number[])
    : tokens.map(() => TokenType.NORMAL);
  if (types.length !== tokens.length)
    throw new RangeError(
      `${where}: expected ${PREFIX}token_type to have ${tokens.length} entries, got ${types.length}`,
    );
  const preTokenizer = preTokenizerOfGgml(get('pre'), where);
  return {
    where,
    tokens: tokens.map((text, id) => ({ text, type: types[id]! })),
    merges: (list('merges', 'string') as string[]).map((merge, rank) => pairOf(merge, rank, where)),
    preTokenizer,
    // the file does not say; Llama 3's tokenizer.json does
    ignoreMerges: preTokenizer === 'llama3',
  };
}

/** "left right": a space is none of the alphabet's characters, so the one between is the only one. @throws Error */
export function pairOf(merge: string, rank: number, where: string): [string, string] {
  const [left, right, more] = merge.split(' ');
  if (left && right && more === undefined) return [left, right];
  throw new Error(`${where}: merge ${rank}: expected two pieces and a space between, got ${JSON.stringify(merge)}`);
}
