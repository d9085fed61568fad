/**
 * npm run --silent tokenize -- --spiece FILE: JSON strings in, one a line; {"ids":[…],"decoded":"…"} out, a line for each.
 * The same code as in the canister, with the tables made from the file first.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Command } from 'commander';
import { readFolderTokenizer } from '../src/model/tokenizer/folder-tokenizer.ts';
import { PromptTokenizer } from '../src/model/tokenizer/prompt-tokenizer.ts';
import { decodeTokenizer } from '../src/model/tokenizer/tokenizer.ts';
import { readTokenizerFiles } from '../src/node/model/model-folder.ts';
import { nodeUnit } from '../src/node/model/node-unit.ts';
import { runCommand, userPath } from '../src/node/terminal/command.ts';
import { jsonStrings } from '../src/node/terminal/json-lines.ts';

const program = new Command('npm run --silent tokenize --')
  .description('Reads JSON strings, one a line; prints {"ids":[…],"decoded":"…"} for each, </s> included.')
  .requiredOption('--spiece <file>', 'spiece.model, or a tokenizer.json of Unigram kind')
  .option('--special-tokens', 'special tokens in a text, such as <extra_id_0>, are taken for what they are')
  .showHelpAfterError();

const BESIDE = ['tokenizer_config.json', 'added_tokens.json', 'special_tokens_map.json'] as const;

program.action(async ({ spiece, specialTokens }: { spiece: string; specialTokens?: boolean }) => {
  const file = await readFile(userPath(spiece)).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`tokenize: expected --spiece to be a file, got ${spiece} (${error.code})`);
  });
  // what is beside it adds tokens to it; the other of the two files is another matter
  const name = basename(spiece) === 'tokenizer.json' || file[0] === 0x7b ? 'tokenizer.json' : 'spiece.model';
  const beside = await readTokenizerFiles(dirname(userPath(spiece)), BESIDE);
  const { tables, addedTokens } = readFolderTokenizer({ ...beside, [name]: new Uint8Array(file) }, undefined, {
    spiece,
    json: spiece,
  })!;
  const tokenizer = new PromptTokenizer(decodeTokenizer(tables, await nodeUnit()), addedTokens);
  for await (const text of jsonStrings(process.stdin, 'tokenize')) {
    const ids = tokenizer.encode(text, { specialTokens });
    const line = `${JSON.stringify({ ids, decoded: tokenizer.decode(ids) })}\n`;
    if (!process.stdout.write(line)) await once(process.stdout, 'drain');
  }
});

// Whoever reads may have seen enough, as `head` has.
process.stdout.on('error', () => process.exit(0));
await runCommand(program);
