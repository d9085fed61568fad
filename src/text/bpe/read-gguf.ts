/**
 * A BPE tokenizer out of a GGUF file's metadata: `gpt2` is byte-level, `llama` is SentencePiece's. The file does not
 * say which flags added tokens have, nor what is normalised: it is as the models have it that such files are made of.
 * Source: ggml, `docs/gguf.md`, GGML's tokenizers; llama.cpp, llama-vocab.cpp (defaults).
 */
import { preTokenizerOfGgml } from './pre-tokenizers.ts';
import { mergesOfScores } from './scores.ts';
import { type BpeToken, type BpeVocabulary, bytesOfPiece, bytesOfSymbol, TokenType, utf8 } from './vocabulary.ts';

const PREFIX = 'tokenizer.ggml.';

/** What is asked for by name, and of what kind it is. */
export class GgufTokenizerFields {
  constructor(
    private readonly metadata: ReadonlyMap<string, unknown>,
    readonly where: string,
  ) {}

  get(name: string): unknown {
    return this.metadata.get(PREFIX + name);
  }

  list<T extends 'string' | 'number'>(name: string, type: T): (T extends 'string' ? string : number)[] {
    const value = this.get(name);
    // biome-ignore lint/suspicious/noExplicitAny: what `every` has found out
    if (Array.isArray(value) && value.every((entry) => typeof entry === type)) return value as any;
    return this.wrong(TypeError, name, `a list, each a ${type}`, value);
  }

  /** A list with an entry for each token. */
  ofTokens(name: string, count: number): number[] {
    const list = this.list(name, 'number');
    if (list.length !== count)
      throw new RangeError(`${this.where}: expected ${PREFIX}${name} to have ${count} entries, got ${list.length}`);
    return list;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.get(name) ?? fallback;
    return typeof value === 'boolean' ? value : this.wrong(TypeError, name, 'true or false', value);
  }

  /** The id of a token; undefined where the file names none. */
  id(name: string, count: number): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const id = Number(value);
    if (Number.isInteger(id) && id >= 0 && id < count) return id;
    return this.wrong(RangeError, name, `an id below ${count}`, value);
  }

  wrong(kind: new (message: string) => Error, name: string, expected: string, got: unknown): never {
    const shown = JSON.stringify(got, (_, value) => (typeof value === 'bigint' ? Number(value) : value)) ?? 'nothing';
    throw new kind(`${this.where}: expected ${PREFIX}${name} to be ${expected}, got ${shown.slice(0, 60)}`);
  }
}

/** @throws Error, TypeError, RangeError naming the entry, what was expected and what is there */
export function readGgufBpe(metadata: ReadonlyMap<string, unknown>, where: string): BpeVocabulary {
  const fields = new GgufTokenizerFields(metadata, where);
  const model = fields.get('model');
  if (model === 'gpt2') return readByteLevel(fields);
  if (model === 'llama') return readSentencePiece(fields);
  return fields.wrong(
    TypeError,
    'model',
    '"gpt2", byte-level BPE, or "llama", SentencePiece\'s (no other is built in)',
    model,
  );
}

function readByteLevel(fields: GgufTokenizerFields): BpeVocabulary {
  const { where } = fields;
  const tokens = readTokens(fields, (text, type) => (isAdded(type) ? utf8(text) : byteLevelBytes(text)));
  const preTokenizer = preTokenizerOfGgml(fields.get('pre'), where);
  return {
    where,
    tokens,
    merges: fields.list('merges', 'string').map((merge, rank) => pairOf(merge, rank, where)),
    preTokenizer,
    // the file does not say; Llama 3's tokenizer.json does
    ignoreMerges: preTokenizer === 'llama3',
    nfc: preTokenizer === 'qwen2',
    prefix: 'never',
    stripSpace: false,
    added: addedOf(tokens),
    ...around(fields, tokens.length, false),
  };
}

function readSentencePiece(fields: GgufTokenizerFields): BpeVocabulary {
  const { where } = fields;
  const tokens = readTokens(fields, (text, type) => (isAdded(type) ? utf8(text) : bytesOfSymbol(text, type)));
  if (fields.boolean('remove_extra_whitespaces', false))
    fields.wrong(Error, 'remove_extra_whitespaces', 'false (true is not built in)', true);
  const hasPrefix = fields.boolean('add_space_prefix', true);
  return {
    where,
    tokens,
    merges: mergesOfScores(tokens, fields.ofTokens('scores', tokens.length), where),
    preTokenizer: 'sentencepiece',
    ignoreMerges: false,
    nfc: false,
    prefix: hasPrefix ? 'parts' : 'never',
    stripSpace: hasPrefix,
    added: addedOf(tokens),
    ...around(fields, tokens.length, true),
  };
}

const isAdded = (type: number): boolean => type === TokenType.CONTROL || type === TokenType.USER_DEFINED;

/** Bytes of a piece of GPT-2's alphabet. @throws Error for other characters */
export function byteLevelBytes(text: string): Uint8Array {
  const bytes = bytesOfPiece(text);
  if (bytes) return bytes;
  throw new Error(`expected characters of GPT-2's alphabet of bytes, got ${JSON.stringify(text)}`);
}

function readTokens(fields: GgufTokenizerFields, bytesOf: (text: string, type: number) => Uint8Array): BpeToken[] {
  const texts = fields.list('tokens', 'string');
  const types =
    fields.get('token_type') === undefined
      ? texts.map(() => TokenType.NORMAL)
      : fields.ofTokens('token_type', texts.length);
  return texts.map((text, id): BpeToken => {
    const type = types[id]!;
    if (type === TokenType.BYTE && !/^<0x[0-9A-F]{2}>$/.test(text))
      throw new Error(
        `${fields.where}: token ${id}: expected a byte written <0x00> to <0xFF>, got ${JSON.stringify(text)}`,
      );
    try {
      return { text, bytes: bytesOf(text, type), type: type === TokenType.UNKNOWN ? TokenType.CONTROL : type };
    } catch (error) {
      throw new Error(`${fields.where}: token ${id}: ${(error as Error).message}`);
    }
  });
}

const PLAIN = { normalized: false, lstrip: false, rstrip: false, singleWord: false };

/** Control tokens are special, user-defined ones are not. */
const addedOf = (tokens: readonly BpeToken[]): BpeVocabulary['added'] =>
  tokens.flatMap(({ text, type }, id) =>
    isAdded(type) && text !== '' ? [{ id, content: text, special: type === TokenType.CONTROL, ...PLAIN }] : [],
  );

function around(fields: GgufTokenizerFields, count: number, hasBos: boolean): Pick<BpeVocabulary, 'before' | 'behind'> {
  const list = (flag: boolean, name: string): number[] => {
    const id = flag ? fields.id(name, count) : undefined;
    return id === undefined ? [] : [id];
  };
  return {
    before: list(fields.boolean('add_bos_token', hasBos), 'bos_token_id'),
    behind: list(fields.boolean('add_eos_token', false), 'eos_token_id'),
  };
}

/** "left right": a space is none of the alphabet's characters, so the one between is the only one. @throws Error */
export function pairOf(merge: string, rank: number, where: string): [string, string] {
  const [left, right, more] = merge.split(' ');
  if (left && right && more === undefined) return [left, right];
  throw new Error(`${where}: merge ${rank}: expected two pieces and a space between, got ${JSON.stringify(merge)}`);
}
