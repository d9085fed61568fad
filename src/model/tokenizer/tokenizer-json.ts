// Reads `tokenizer.json`, the file of Hugging Face's fast tokenizers, where it holds a Unigram model as T5's does.
// Read as the SentencePiece model it was made from: SentencePiece's rules hold, not those of the fast tokenizer, which
// takes `</s>` in a text for the end and keeps some spaces. Source: tokenizers, models/unigram, normalizers, metaspace.
import { Fields, parseJson, show } from '../checkpoint/json.ts';
import { byteOf } from './build-tokenizer.ts';
import { DEFAULT_UNK_SURFACE, type Piece, PieceType, type Vocabulary } from './vocabulary.ts';

/** @throws Error, TypeError, RangeError naming what is broken or not of a kind that is built in. */
export function readTokenizerJson(bytes: Uint8Array, where = 'tokenizer.json'): Vocabulary {
  const file = new Fields(where, parseJson(where, bytes));
  const model = new Fields(`${where}: model`, file.get('model'));
  if (model.string('type', 'Unigram') !== 'Unigram') model.wrong(Error, 'type', '"Unigram"', model.get('type'));
  const byteFallback = model.boolean('byte_fallback', false);
  const pieces = readPieces(model, byteFallback);
  applyAddedTokens(file, pieces);

  const steps = flatten(file, 'normalizer', 'normalizers');
  const metaspace = flatten(file, 'pre_tokenizer', 'pretokenizers').find((step) => step.get('type') === 'Metaspace');
  if (metaspace === undefined) return file.wrong(Error, 'pre_tokenizer', 'a Metaspace', file.get('pre_tokenizer'));
  const scheme = metaspace.string('prepend_scheme', metaspace.boolean('add_prefix_space', true) ? 'always' : 'never');
  return {
    where,
    pieces,
    precompiledCharsmap: readCharsmap(steps),
    addDummyPrefix: scheme !== 'never',
    removeExtraWhitespaces: true,
    escapeWhitespaces: true,
    treatWhitespaceAsSuffix: false,
    byteFallback,
    unkSurface: DEFAULT_UNK_SURFACE,
    eosPiece: '</s>',
  };
}

function readPieces(model: Fields, byteFallback: boolean): Piece[] {
  const vocab = model.get('vocab');
  if (!Array.isArray(vocab)) return model.wrong(TypeError, 'vocab', 'a list of [piece, score]', vocab);
  const unkId = model.integer('unk_id', 0, vocab.length - 1);
  return vocab.map((entry: unknown, id): Piece => {
    const [piece, score] = Array.isArray(entry) ? entry : [];
    if (typeof piece !== 'string' || typeof score !== 'number') {
      throw new TypeError(`${model.where}: expected vocab[${id}] to be [piece, score], got ${show(entry)}`);
    }
    const isByte = byteFallback && byteOf(piece) >= 0;
    const type = id === unkId ? PieceType.UNKNOWN : isByte ? PieceType.BYTE : PieceType.NORMAL;
    return { piece, score: Math.fround(score), type };
  });
}

/** Special tokens are control pieces; other added tokens are user-defined symbols, which is what they were made from. */
function applyAddedTokens(file: Fields, pieces: Piece[]): void {
  const added = file.get('added_tokens') ?? [];
  if (!Array.isArray(added)) file.wrong(TypeError, 'added_tokens', 'a list', added);
  added.forEach((entry: unknown, i) => {
    const token = new Fields(`${file.where}: added_tokens[${i}]`, entry);
    const id = token.integer('id', 0, 2 ** 22);
    const content = token.string('content');
    const type = token.boolean('special', false) ? PieceType.CONTROL : PieceType.USER_DEFINED;
    const piece = pieces[id];
    if (piece === undefined && id === pieces.length) pieces.push({ piece: content, score: 0, type });
    else if (piece?.piece !== content) token.wrong(Error, 'content', `the piece of id ${id}`, content);
    else if (piece.type !== PieceType.UNKNOWN) piece.type = type;
  });
}

/** A step, or the steps of a sequence of them. */
function flatten(file: Fields, name: string, list: string): Fields[] {
  const value = file.get(name);
  if (value === undefined) return [];
  const step = new Fields(`${file.where}: ${name}`, value);
  if (step.get('type') !== 'Sequence') return [step];
  const steps = step.get(list);
  if (!Array.isArray(steps)) return step.wrong(TypeError, list, 'a list', steps);
  return steps.map((entry: unknown, i) => new Fields(`${step.where}[${i}]`, entry));
}

function readCharsmap(steps: Fields[]): Uint8Array {
  const known = new Set(['Precompiled', 'Replace', 'Strip']);
  for (const step of steps) {
    // Replace and Strip are how runs of spaces and spaces at the ends are removed there.
    if (!known.has(step.string('type'))) step.wrong(Error, 'type', [...known].join(' or '), step.get('type'));
  }
  const precompiled = steps.find((step) => step.get('type') === 'Precompiled');
  return precompiled === undefined ? new Uint8Array(0) : decodeBase64(precompiled);
}

function decodeBase64(step: Fields): Uint8Array {
  const text = step.string('precompiled_charsmap');
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return step.wrong(Error, 'precompiled_charsmap', 'base64', text);
  }
}
