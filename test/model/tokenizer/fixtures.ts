// Tokenizers for tests: of fixtures, of little-flan, and of the folder STEPWISE_TOKENIZERS, whose files are too large for here.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertTokenizer } from '../../../src/model/tokenizer/files/convert.ts';
import { decodeTokenizer, type Unigram } from '../../../src/model/tokenizer/unigram/tokenizer.ts';
import { decodeTokenizerData, type TokenizerData } from '../../../src/model/tokenizer/unigram/tokenizer-data.ts';
import { nodeUnit } from '../../../src/node/model/node-unit.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
export const fixturePath = (name: string): string => join(root, 'test/fixtures/tokenizer', name);
export const LITTLE_FLAN = join(root, 'models/little-flan/spiece.model');
/** 384 pieces, normalised by nmt_nfkc as flan-t5's are. */
export const NFKC = fixturePath('nfkc.model');

export const readBytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
export const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
export const unit = await nodeUnit();
export const tablesOf = (path: string): Uint8Array => convertTokenizer(readBytes(path), path);
export const openTokenizer = (path: string): Unigram => decodeTokenizer(tablesOf(path), unit);
export const dataOf = (path: string): TokenizerData => decodeTokenizerData(tablesOf(path));

/** The path of a file of STEPWISE_TOKENIZERS; undefined, with a word on the console, where that is not set. */
export function largeTokenizer(name: string): string | undefined {
  const folder = process.env['STEPWISE_TOKENIZERS'];
  const path = folder && join(folder, name);
  if (path && existsSync(path)) return path;
  console.warn(
    `skipped: ${name} (set STEPWISE_TOKENIZERS to a folder that has t5/spiece.model, t5/tokenizer.json, t5/goldens.json)`,
  );
  return undefined;
}

/** The ids of `text`, `</s>` left out. */
export const bareIds = (tokenizer: Unigram, text: string): number[] => tokenizer.encode(text).slice(0, -1);
