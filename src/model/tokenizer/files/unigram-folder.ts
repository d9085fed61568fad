// A unigram tokenizer of a model folder: its pieces, and the tokens that were added to it, wherever its files have
// them. What they say twice has to be the same; what cannot be honoured is refused by name. Source: transformers 5,
// tokenization_utils_base.py (_from_pretrained), models/t5/tokenization_t5.py; where a file gives an id, that id
// counts, which training was done with.
import { type Fields, parseJson } from '../../json/json.ts';
import { MAX_ADDED_TOKENS } from '../added-tokens.ts';
import type { PackTokenizer } from '../pack-tokenizer.ts';
import { PieceType, type Vocabulary } from '../unigram/vocabulary.ts';
import { readSpieceModel } from './spiece-model.ts';
import { decoderTokens, readJsonFile, type SpecialToken, specialTokens, type TokenizerFiles } from './token-files.ts';
import { readAddedTokens, readTokenizerJson } from './tokenizer-json.ts';
import { addPieces, addSentinels, DEFAULT_SENTINELS, NO_FLAGS, packUnigram, UnigramTokens } from './unigram-tokens.ts';

/**
 * Reads a folder's tokenizer; undefined where it has neither `spiece.model` nor `tokenizer.json`.
 * @param rows of the embedding, V: no token may have an id past them; undefined where there is no model
 * @param where what the two files are called in errors
 * @throws Error, TypeError, RangeError naming the file, what was expected and what is there
 */
export function readUnigramFolder(
  files: TokenizerFiles,
  rows: number | undefined,
  { spiece: spieceWhere = 'spiece.model', json: jsonWhere = 'tokenizer.json' } = {},
): PackTokenizer | undefined {
  const { 'spiece.model': spiece, 'tokenizer.json': json } = files;
  if (!spiece && !json) return undefined;
  const fast = json && readTokenizerJson(json, jsonWhere);
  const vocabulary = spiece ? readSpieceModel(spiece, spieceWhere) : fast!;
  if (spiece && fast) compare(vocabulary, fast);
  const pieces = spiece ? vocabulary.pieces.length : readVocabularySize(json!);
  if (rows !== undefined && vocabulary.pieces.length > rows) {
    throw new RangeError(
      `${vocabulary.where}: expected at most ${rows} pieces, as config.json's vocab_size and the embedding have rows, got ${vocabulary.pieces.length}`,
    );
  }
  const tokens = new UnigramTokens(vocabulary, pieces, rows);
  const fastFile = readJsonFile(files, 'tokenizer.json');
  for (const token of fastFile ? readAddedTokens(fastFile) : []) tokens.add(token, 'tokenizer.json');
  const config = readJsonFile(files, 'tokenizer_config.json');
  for (const token of decoderTokens(config)) tokens.add(token, 'tokenizer_config.json');
  const special = specialTokens(config, readJsonFile(files, 'special_tokens_map.json'));
  addJson(tokens, readJsonFile(files, 'added_tokens.json'), special);
  addPieces(tokens);
  if (spiece) addSentinels(tokens, readSentinels(config), 'tokenizer_config.json: extra_ids');
  addUnnumbered(tokens, special);
  return packUnigram(tokens);
}

const readSentinels = (config: Fields | undefined): number | undefined =>
  config?.get('extra_ids') === undefined
    ? undefined
    : config.integer('extra_ids', 0, MAX_ADDED_TOKENS, DEFAULT_SENTINELS);

function readVocabularySize(json: Uint8Array): number {
  const { model } = parseJson('tokenizer.json', json) as { model: { vocab: unknown[] } };
  return model.vocab.length;
}

/** Two files of the same pieces have to say the same of each; `tokenizer.json` has the sentinels besides. */
function compare(spiece: Vocabulary, fast: Vocabulary): void {
  spiece.pieces.forEach(({ piece, score, type }, id) => {
    const other = fast.pieces[id];
    const isSame = other?.piece === piece && (type !== PieceType.NORMAL || Math.abs(other.score - score) < 1e-3);
    if (isSame) return;
    const got = other ? `${JSON.stringify(other.piece)} with ${other.score}` : 'nothing';
    const expected = `${JSON.stringify(piece)} with ${score}, as spiece.model has it`;
    throw new Error(`tokenizer.json: expected the piece of id ${id} to be ${expected}, got ${got}`);
  });
  const more = fast.pieces.findIndex(({ type }, id) => id >= spiece.pieces.length && type === PieceType.NORMAL);
  if (more >= 0) {
    const got = JSON.stringify(fast.pieces[more]!.piece);
    throw new Error(`tokenizer.json: expected no piece past the ${spiece.pieces.length} of spiece.model, got ${got}`);
  }
}

function addJson(tokens: UnigramTokens, added: Fields | undefined, special: ReadonlyMap<string, SpecialToken>): void {
  for (const content of added?.names() ?? []) {
    const id = added!.integer(content, 0, 2 ** 22);
    const isSpecial = special.get(content)?.special ?? false;
    const flags = { ...NO_FLAGS, ...(isSpecial && special.get(content)?.flags) };
    tokens.add({ id, content, special: isSpecial, ...flags, normalized: !isSpecial }, 'added_tokens.json');
  }
}

/** Special tokens without an id follow all others, if the configuration lists them, as transformers does. */
function addUnnumbered(tokens: UnigramTokens, special: ReadonlyMap<string, SpecialToken>): void {
  for (const [content, { flags, where, numbered }] of special) {
    if (tokens.get(content)) continue;
    const piece = tokens.vocabulary.pieces.findIndex((entry) => entry.piece === content);
    if (piece < 0 && !numbered) {
      throw new Error(
        `${where}: expected ${JSON.stringify(content)} to have an id, in added_tokens.json or another file of the tokenizer, got none`,
      );
    }
    const id = piece >= 0 ? piece : tokens.nextId;
    const plain = { special: true, ...NO_FLAGS };
    tokens.add({ ...plain, ...flags, id, content }, where);
  }
}
