/**
 * The tokenizer of a GGUF file, out of its metadata, and its chat template: byte-level BPE, SentencePiece's BPE, and
 * T5's unigram. Source: ggml, `docs/gguf.md`; llama.cpp, llama-vocab.cpp.
 */
import type { AddedToken } from '../../../text/added-token.ts';
import { encodeBpeData } from '../../../text/bpe/bpe-data.ts';
import { buildBpe } from '../../../text/bpe/build-bpe.ts';
import { GgufTokenizerFields, readGgufBpe } from '../../../text/bpe/read-gguf.ts';
import type { ChatSource } from '../../../text/chat-template.ts';
import { rowOf } from '../added-tokens.ts';
import type { PackTokenizer } from '../pack-tokenizer.ts';
import { buildTokenizerData } from '../unigram/build-tokenizer.ts';
import { encodeTokenizerData } from '../unigram/tokenizer-data.ts';
import { DEFAULT_UNK_SURFACE, type Piece, PieceType, type Vocabulary } from '../unigram/vocabulary.ts';

/**
 * @returns undefined where the file has no tokenizer: such a model takes ids alone
 * @throws Error, TypeError, RangeError naming the entry, what was expected and what is there
 */
export function readGgufTokenizer(metadata: ReadonlyMap<string, unknown>, where: string): PackTokenizer | undefined {
  const fields = new GgufTokenizerFields(metadata, where);
  const model = fields.get('model');
  if (model === undefined || model === 'no_vocab') return undefined;
  if (model === 't5') return readUnigram(fields);
  const chat = readChat(fields, metadata.get('tokenizer.chat_template'));
  return { tables: encodeBpeData(buildBpe(readGgufBpe(metadata, where))), ...(chat && { chat }) };
}

function readUnigram(fields: GgufTokenizerFields): PackTokenizer {
  const texts = fields.list('tokens', 'string');
  const scores = fields.ofTokens('scores', texts.length);
  const types = fields.ofTokens('token_type', texts.length);
  const pieces = texts.map((piece, id): Piece => ({ piece, score: scores[id]!, type: types[id] as PieceType }));
  const eosId = fields.id('eos_token_id', texts.length);
  const vocabulary: Vocabulary = {
    where: fields.where,
    pieces,
    precompiledCharsmap:
      fields.get('precompiled_charsmap') === undefined
        ? new Uint8Array(0)
        : Uint8Array.from(fields.list('precompiled_charsmap', 'number')),
    addDummyPrefix: fields.boolean('add_space_prefix', true),
    removeExtraWhitespaces: fields.boolean('remove_extra_whitespaces', true),
    escapeWhitespaces: true,
    treatWhitespaceAsSuffix: false,
    byteFallback: types.includes(PieceType.BYTE),
    unkSurface: DEFAULT_UNK_SURFACE,
    eosPiece: eosId === undefined ? '</s>' : texts[eosId]!,
  };
  const flags = { normalized: false, lstrip: false, rstrip: false, singleWord: false };
  const added = pieces.flatMap(({ piece, type }, id): AddedToken[] =>
    type === PieceType.CONTROL || type === PieceType.UNKNOWN ? [{ id, content: piece, special: true, ...flags }] : [],
  );
  return { tables: encodeTokenizerData(buildTokenizerData(vocabulary)), addedTokens: added.map(rowOf) };
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
