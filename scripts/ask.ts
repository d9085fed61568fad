/**
 * `npm run ask -- "prompt"`: asks a canister on any network. The answer goes to stdout as it comes, what it took to
 * stderr.
 */
import { AgentError, ErrorKindEnum } from '@dfinity/agent';
import { Command } from 'commander';
import { CanisterError, type GenerateOptions, type TextStream } from '../src/client/index.ts';
import { addNetworkOptions, connectTo, type NetworkOptions } from '../src/node/network/network.ts';
import { jsonRecord, tokensPerCall, wholeNumber } from '../src/node/terminal/arguments.ts';
import { askingOf, rawOption } from '../src/node/terminal/asking.ts';
import { messageOf, runCommand } from '../src/node/terminal/command.ts';
import { billedFor, cyclesText, fromCache } from '../src/node/terminal/numbers.ts';
import { exampleOf, NO_TEXT, promptFrom, promptOption } from '../src/node/terminal/prompt.ts';
import { dim } from '../src/node/terminal/terminal.ts';

interface Options extends NetworkOptions {
  prompt?: string;
  maxNewTokens?: number;
  tokensPerCall?: number | 'auto';
  options?: GenerateOptions;
  json?: boolean;
  raw?: boolean;
}

const program = addNetworkOptions(
  new Command('npm run ask --').description('Asks the model in a canister.').argument('[prompt...]', 'what to ask'),
)
  .addOption(promptOption())
  .option('--max-new-tokens <n>', 'tokens after which to stop at the latest', wholeNumber(1, 2 ** 32 - 1))
  .option('--tokens-per-call <n|auto>', 'tokens that a message makes; auto: as many as it holds', tokensPerCall)
  .option(
    '--options <json>',
    'further options by the canister\'s names, like \'{ "do_sample": true, "temperature": 0.8 }\'',
    jsonRecord,
  )
  .addOption(rawOption())
  .option('--json', 'print one JSON object at the end, { "error": … } where there is no answer')
  .action(async (prompt: string[], options: Options) => {
    try {
      const question = promptFrom('ask', prompt, options.prompt);
      if (question === undefined) throw new Error(`ask: expected a prompt, got none; ${exampleOf('ask')}`);
      await ask(question, options);
    } catch (error) {
      if (options.json) printJson({ error: { code: codeOf(error), message: messageOf(error) } });
      throw error;
    }
  });

async function ask(prompt: string, options: Options): Promise<void> {
  const { client, host } = await connectTo(options);
  const started = performance.now();
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Error('ask: stopped by Ctrl-C, the session is cancelled')));
  const { maxNewTokens: max_new_tokens, tokensPerCall: tokens_per_call } = options;
  const asking = await askingOf(client, prompt, options.raw);
  const answer = client.stream(asking, { max_new_tokens, tokens_per_call, ...options.options, signal: stop.signal });
  try {
    for await (const text of answer) if (!options.json) process.stdout.write(text);
    if (!options.json && answer.text.trim() === '') process.stdout.write(`${NO_TEXT}\n`);
  } catch (error) {
    throw unreachable(host, error);
  } finally {
    if (!options.json && answer.text.trim() !== '') process.stdout.write('\n');
  }
  const seconds = (performance.now() - started) / 1000;
  if (options.json) return printJson(asJson(answer, seconds));
  const { prompt_tokens, output_tokens, calls, messages, cycles } = answer.usage!;
  const cut = answer.finish_reason === 'length' ? ' (cut off there)' : '';
  const tokens = `${prompt_tokens} tokens in, ${output_tokens} out${cut}`;
  const work = calls === 0 ? 'from the cache' : `${calls} calls`;
  const took = `${tokens}, ${work}, ${seconds.toFixed(1)} s, ${cyclesText(cycles)}`;
  const counted = `the canister's bill: ${billedFor(messages)}; ${fromCache(answer.usage!)}`;
  console.error(dim(`${took}\n${counted}`, process.stderr));
}

/** What a network did not do, with the network that was tried; other errors as they are. */
const unreachable = (host: string, error: unknown): unknown =>
  error instanceof AgentError && error.kind === ErrorKindEnum.Transport
    ? new Error(`ask: expected an answer from ${host}, got ${messageOf(error)}`, { cause: error })
    : error;

const asJson = ({ session, text, finish_reason, usage }: TextStream, seconds: number) => ({
  session,
  text,
  finish_reason,
  ...usage,
  seconds,
});

/** Instructions stay far below 2^53. */
const printJson = (value: unknown): void =>
  console.log(JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? Number(field) : field)));

/** Of what is said in other words here, the name of what happened. */
function codeOf(error: unknown): string {
  const { cause } = error as Error;
  return error instanceof CanisterError ? error.code : ((cause ?? error) as Error).name;
}

await runCommand(program);
