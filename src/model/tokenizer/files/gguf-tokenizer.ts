/**
 * The tokenizer of a GGUF file, out of its metadata, and its chat template: byte-level BPE, SentencePiece's BPE, and
 * T5's unigram. Source: ggml, `docs/gguf.md`; llama.cpp, llama-vocab.cpp.
 */
import { encodeBpeData } from '../../../text/bpe/bpe-data.ts';
import { buildBpe } from '../../../text/bpe/build-bpe.ts';
import { GgufTokenizerFields, readGgufBpe } from '../../../text/bpe/read-gguf.ts';
import type { ChatSource } from '../../../text/chat-template.ts';
import type { PackTokenizer } from '../pack-tokenizer.ts';
import { DEFAULT_UNK_SURFACE, type Piece, PieceType, type Vocabulary } from '../unigram/vocabulary.ts';
import { addPieces, addSentinels, NO_FLAGS, packUnigram, SENTINEL, UnigramTokens } from './unigram-tokens.ts';

/**
 * @returns undefined where the file has no tokenizer: such a model takes ids alone
 * @throws Error, TypeError, RangeError naming the entry, what was expected and what is there
 */
export function readGgufTokenizer(metadata: ReadonlyMap<string, unknown>, where: string): PackTokenizer | undefined {
  const fields = new GgufTokenizerFields(metadata, where);
  const model = fields.get('model');
  if (model === undefined || model === 'no_vocab') return undefined;
  const architecture = metadata.get('general.architecture');
  const isT5 = architecture === undefined ? model === 't5' : `${architecture}`.startsWith('t5');
  if (isT5) return readUnigram(fields);
  const chat = readChat(fields, metadata.get('tokenizer.chat_template'));
  return { tables: encodeBpeData(buildBpe(readGgufBpe(metadata, where))), ...(chat && { chat }) };
}

/** What fills a list up to the embedding's rows. */
const PADDING = /^\[PAD\d+\]$/;

/**
 * The unigram tokenizer of a T5. Behind SentencePiece's pieces stand the tokens that were added and then padding; the
 * sentinels are among neither, unless the model's folder had `added_tokens.json`.
 */
function readUnigram(fields: GgufTokenizerFields): PackTokenizer {
  if (fields.get('model') !== 't5')
    fields.wrong(Error, 'model', '"t5", the unigram tokenizer of a T5', fields.get('model'));
  const texts = fields.list('tokens', 'string');
  const pieces = readPieces(fields, texts);
  const isOwn = ({ piece, type }: Piece): boolean =>
    type !== PieceType.USER_DEFINED && !(type === PieceType.UNUSED && PADDING.test(piece));
  const own = pieces.findLastIndex(isOwn) + 1;
  const eosId = fields.id('eos_token_id', texts.length);
  const vocabulary: Vocabulary = {
    where: fields.where,
    pieces: pieces.slice(0, own),
    precompiledCharsmap:
      fields.get('precompiled_charsmap') === undefined
        ? new Uint8Array(0)
        : Uint8Array.from(fields.list('precompiled_charsmap', 'number')),
    addDummyPrefix: fields.boolean('add_space_prefix', true),
    removeExtraWhitespaces: fields.boolean('remove_extra_whitespaces', true),
    escapeWhitespaces: true,
    treatWhitespaceAsSuffix: false,
    byteFallback: pieces.some(({ type }) => type === PieceType.BYTE),
    unkSurface: DEFAULT_UNK_SURFACE,
    eosPiece: eosId === undefined ? '</s>' : texts[eosId]!,
  };
  const tokens = new UnigramTokens(vocabulary, own, texts.length);
  pieces.forEach(({ piece, type }, id) => {
    if (type !== PieceType.USER_DEFINED) return;
    // the file does not say which of them are special
    const special = SENTINEL.test(piece);
    tokens.add({ id, content: piece, special, ...NO_FLAGS, normalized: !special }, fields.where);
  });
  addPieces(tokens);
  addSentinels(tokens, undefined, fields.where);
  return packUnigram(tokens);
}

/** A piece that `added_tokens.json` names again is called user-defined, whatever it is. */
function readPieces(fields: GgufTokenizerFields, texts: readonly string[]): Piece[] {
  const scores = fields.ofTokens('scores', texts.length);
  const types = fields.ofTokens('token_type', texts.length);
  const control = ['bos', 'eos', 'padding'].map((name) => fields.id(`${name}_token_id`, texts.length));
  const unknown = fields.id('unknown_token_id', texts.length);
  return texts.map((piece, id): Piece => {
    let type = types[id] as PieceType;
    if (type === PieceType.USER_DEFINED && control.includes(id)) type = PieceType.CONTROL;
    if (type === PieceType.USER_DEFINED && id === unknown) type = PieceType.UNKNOWN;
    return { piece, score: scores[id]!, type };
  });
}

function readChat(fields: GgufTokenizerFields, template: unknown): ChatSource | undefined {
  if (template === undefined) return undefined;
  if (typeof template !== 'string')
    throw new TypeError(`${fields.where}: expected tokenizer.chat_template to be a text, got ${typeof template}`);
  const texts = fields.list('tokens', 'string');
  const bos = fields.id('bos_token_id', texts.length);
  const eos = fields.id('eos_token_id', texts.length);
  return {
    template,
    ...(bos !== undefined && { bos: texts[bos]! }),
    ...(eos !== undefined && { eos: texts[eos]! }),
  };
}
