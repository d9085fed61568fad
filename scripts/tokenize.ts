/**
 * npm run --silent tokenize -- --spiece FILE: JSON strings in, one a line; {"ids":[…],"decoded":"…"} out, a line for each.
 * The same code as in the canister, with the tables made from the file first.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { convertTokenizer } from '../src/model/tokenizer/convert.ts';
import { decodeTokenizer } from '../src/model/tokenizer/tokenizer.ts';
import { runCommand, userPath } from './lib/command.ts';
import { jsonStrings } from './tokenize/json-lines.ts';

const program = new Command('npm run --silent tokenize --')
  .description('Reads JSON strings, one a line; prints {"ids":[…],"decoded":"…"} for each, </s> included.')
  .requiredOption('--spiece <file>', 'spiece.model, or a tokenizer.json of Unigram kind')
  .showHelpAfterError();

program.action(async ({ spiece }: { spiece: string }) => {
  const file = await readFile(userPath(spiece)).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`tokenize: expected --spiece to be a file, got ${spiece} (${error.code})`);
  });
  const tokenizer = decodeTokenizer(convertTokenizer(file, spiece));
  for await (const text of jsonStrings(process.stdin, 'tokenize')) {
    const ids = tokenizer.encode(text);
    const line = `${JSON.stringify({ ids, decoded: tokenizer.decode(ids) })}\n`;
    if (!process.stdout.write(line)) await once(process.stdout, 'drain');
  }
});

// Whoever reads may have seen enough, as `head` has.
process.stdout.on('error', () => process.exit(0));
await runCommand(program);
