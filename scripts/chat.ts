/**
 * `npm run chat`: a conversation at the terminal, with a model in this process, by the same model code and template as
 * in the canister, or with a canister.
 */
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import type { ChatMessage } from '../src/client/index.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { canisterSpeaker, localSpeaker, type Speaker } from '../src/node/chat/speaker.ts';
import { addNetworkOptions, type NetworkOptions } from '../src/node/network/network.ts';
import { weightsOption } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { addGenerationFlags, requestOf } from '../src/node/terminal/generation-flags.ts';
import { NO_TEXT } from '../src/node/terminal/prompt.ts';

interface Options extends NetworkOptions {
  model?: string;
  weights: WeightsKind;
  system?: string;
}

const program = addNetworkOptions(new Command('npm run chat --'))
  .description(
    'A conversation: with a model of this machine (--model), else with a canister. /reset begins a new one, an empty line ends it, Ctrl-C stops an answer.',
  )
  .option('--model <path>', 'model folder, GGUF file or hub id, which answers without a canister')
  .option('--system <text>', 'what the model is told first')
  .addOption(weightsOption())
  .showHelpAfterError('(npm run chat -- --help explains)');
addGenerationFlags(program);

/** Options of one way that were given for the other. */
function checkWay({ model }: Options): void {
  const given = ['network', 'canister', 'identity', 'fetchRootKey'].filter(
    (name) => program.getOptionValueSource(name) === 'cli',
  );
  if (model !== undefined && given.length > 0)
    throw new Error(`chat: expected --model, or --network and --canister, got --model and --${given[0]}`);
  if (model === undefined && program.getOptionValueSource('weights') === 'cli')
    throw new Error('chat: expected --weights with --model, as a canister holds its weights already, got it alone');
}

/** Writes what the assistant says next as it comes. @returns all of it */
async function say(speaker: Speaker, messages: readonly ChatMessage[], signal: AbortSignal): Promise<string> {
  let text = '';
  try {
    for await (const more of speaker(messages, signal)) {
      text += more;
      process.stdout.write(more);
    }
  } finally {
    if (text !== '') process.stdout.write('\n');
  }
  if (text.trim() === '') process.stdout.write(`${NO_TEXT}\n`);
  return text;
}

program.action(async (options: Options) => {
  checkWay(options);
  const request = requestOf(options);
  const speaker =
    options.model === undefined
      ? await canisterSpeaker(options, request)
      : await localSpeaker(options.model, options.weights, request);
  const system: ChatMessage[] = options.system === undefined ? [] : [{ role: 'system', content: options.system }];
  let messages = [...system];
  let answering: AbortController | undefined;
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  const interrupt = (): void => {
    if (answering) answering.abort(new Error('stopped'));
    else lines.close();
  };
  lines.on('SIGINT', interrupt);
  process.on('SIGINT', interrupt);
  lines.prompt();
  for await (const line of lines) {
    const content = line.trim();
    if (content === '') break;
    if (content === '/reset') messages = [...system];
    else {
      const asked: ChatMessage[] = [...messages, { role: 'user', content }];
      answering = new AbortController();
      // what is not answered is not part of the conversation
      try {
        messages = [...asked, { role: 'assistant', content: await say(speaker, asked, answering.signal) }];
      } catch (error) {
        console.error(`${(error as Error).message}; ask again, or begin anew with /reset`);
      }
      answering = undefined;
    }
    lines.prompt();
  }
  lines.close();
  process.off('SIGINT', interrupt);
});
await runCommand(program);
