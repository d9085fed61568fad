/**
 * npm run --silent tokenize -- --model FILE.gguf|DIR: JSON strings in, one a line; {"ids":[…],"decoded":"…"} out, a
 * line for each. The same code as in the canister, with the tables made from the file first.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Command } from 'commander';
import { readFolderTokenizer } from '../src/model/tokenizer/files/folder-tokenizer.ts';
import { copyTokenizer, type PackTokenizer } from '../src/model/tokenizer/pack-tokenizer.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { readTokenizerFiles } from '../src/node/model/model-folder.ts';
import { nodeUnit } from '../src/node/model/node-unit.ts';
import { readModelTokenizer } from '../src/node/model/read-tokenizer.ts';
import { runCommand, userPath } from '../src/node/terminal/command.ts';
import { jsonStrings } from '../src/node/terminal/json-lines.ts';
import { Bpe } from '../src/text/bpe/bpe.ts';

interface Options {
  model?: string;
  spiece?: string;
  specialTokens?: boolean;
  plain?: boolean;
}

const EXAMPLE = `echo '"hello"' | npm run --silent tokenize -- --model models/little-flan`;

const program = new Command('npm run --silent tokenize --')
  .description(
    'Reads JSON strings from standard input, one a line; prints {"ids":[…],"decoded":"…"} for each. Of a T5, </s> is the last id; to the ids of other models, nothing is added.',
  )
  .option('--model <model>', 'model folder, GGUF file or hub id; reads special tokens in a text as tokens')
  .option('--plain', 'with --model: reads special tokens in a text as ordinary text, as the canister does')
  .option('--spiece <file>', 'a file of a tokenizer: spiece.model, tokenizer.model or tokenizer.json')
  .option('--special-tokens', 'with --spiece: reads special tokens, such as <extra_id_0>, as tokens')
  .addHelpText('after', `\nExample:\n  ${EXAMPLE}`)
  .showHelpAfterError();

const BESIDE = ['tokenizer_config.json', 'added_tokens.json', 'special_tokens_map.json'] as const;

async function readFileTokenizer(spiece: string): Promise<PackTokenizer> {
  const file = await readFile(userPath(spiece)).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`tokenize: expected --spiece to be a file, got ${spiece} (${error.code})`);
  });
  // what is beside it adds tokens to it; the other of the two files is another matter
  const name = basename(spiece) === 'tokenizer.json' || file[0] === 0x7b ? 'tokenizer.json' : 'spiece.model';
  const beside = await readTokenizerFiles(dirname(userPath(spiece)), BESIDE);
  const where = { spiece, json: spiece };
  return readFolderTokenizer({ ...beside, [name]: new Uint8Array(file) }, undefined, where)!;
}

async function readTokenizer({ model, spiece }: Options): Promise<PackTokenizer> {
  if ((model === undefined) === (spiece === undefined))
    throw new Error(
      `tokenize: expected one of --model and --spiece, got ${model === undefined ? 'neither' : 'both'}; ${EXAMPLE}`,
    );
  if (spiece !== undefined) return await readFileTokenizer(spiece);
  const found = await readModelTokenizer(await findModel(model));
  if (found) return found;
  const sought = 'tokenizer.json, tokenizer.model or spiece.model, or tokenizer.ggml.model of a GGUF file';
  throw new Error(`tokenize: expected a tokenizer in ${model} (${sought}), got none`);
}

program.action(async (options: Options) => {
  if (options.model !== undefined && options.specialTokens)
    throw new Error('tokenize: expected --special-tokens with --spiece only, got it with --model; leave it out');
  if (options.spiece !== undefined && options.plain)
    throw new Error('tokenize: expected --plain with --model only, got it with --spiece; leave it out');
  const tokenizer = copyTokenizer(await readTokenizer(options), await nodeUnit());
  const specialTokens = options.model === undefined ? options.specialTokens : !options.plain;
  const bare = tokenizer instanceof Bpe;
  if (process.stdin.isTTY) console.error('Type JSON strings such as "hello", one a line; Ctrl-D ends.');
  for await (const text of jsonStrings(process.stdin, 'tokenize')) {
    const ids = tokenizer.encode(text, { specialTokens, bare });
    const decoded = tokenizer.decode(ids, { specialTokens: true });
    if (!process.stdout.write(`${JSON.stringify({ ids, decoded })}\n`)) await once(process.stdout, 'drain');
  }
});

// Whoever reads may have seen enough, as `head` has.
process.stdout.on('error', () => process.exit(0));
await runCommand(program);
