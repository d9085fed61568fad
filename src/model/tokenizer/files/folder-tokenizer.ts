/**
 * The tokenizer of a model folder, whatever its kind: its files say which it is. What they say twice has to be the
 * same; what cannot be honoured is refused by name.
 */
import { refuseStandIn } from '../../json/stand-in.ts';
import type { PackTokenizer } from '../pack-tokenizer.ts';
import { readBpeFolder } from './bpe-folder.ts';
import { readSentencePiece } from './spiece-model.ts';
import { readJsonFile, TOKENIZER_FILES, type TokenizerFiles } from './token-files.ts';
import { readUnigramFolder } from './unigram-folder.ts';

export { TOKENIZER_FILES, type TokenizerFiles } from './token-files.ts';

/**
 * Reads a folder's tokenizer; undefined where it has none of `tokenizer.json`, `spiece.model` and `tokenizer.model`.
 * @param rows of the embedding, V: no token may have an id past them; undefined where there is no model
 * @param where what the two files are called in errors
 * @throws Error, TypeError, RangeError naming the file, what was expected and what is there
 */
export function readFolderTokenizer(
  files: TokenizerFiles,
  rows: number | undefined,
  where: { spiece?: string; json?: string } = {},
): PackTokenizer | undefined {
  const { 'tokenizer.model': model, ...others } = files;
  const name = files['spiece.model'] ? 'spiece.model' : 'tokenizer.model';
  const spiece = files[name];
  const called = { 'tokenizer.json': where.json, [name]: where.spiece };
  // a file that is not read, since another one stands for it, too: its folder was not brought whole
  for (const file of TOKENIZER_FILES) if (files[file]) refuseStandIn(called[file] ?? file, files[file]);
  if (files['tokenizer.json'] ? isBpeJson(files) : spiece && readSentencePiece(spiece, where.spiece ?? name).isBpe)
    return readBpeFolder(files, rows, { json: where.json, spiece: where.spiece ?? name });
  // of a unigram model, the name is another one's for the same file
  const renamed = model && !files['spiece.model'] ? { ...others, 'spiece.model': model } : others;
  return readUnigramFolder(renamed, rows, { ...where, spiece: where.spiece ?? name });
}

function isBpeJson(files: TokenizerFiles): boolean {
  const { type, merges } = (readJsonFile(files, 'tokenizer.json')!.get('model') ?? {}) as Record<string, unknown>;
  return type === 'BPE' || (type === undefined && merges !== undefined);
}
