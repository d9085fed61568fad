/** `npm run chat`: a conversation at the terminal, in this process: the same model code and template as in the canister, without one. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { advance } from '../src/model/generation/generation.ts';
import { openGeneration } from '../src/model/generation/open-generation.ts';
import { fitContext, generationOptions } from '../src/model/generation/options.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { type LocalModel, openLocalModel } from '../src/node/model/local-model.ts';
import { weightsOption } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { addGenerationFlags, requestOf } from '../src/node/terminal/generation-flags.ts';
import { NO_TEXT } from '../src/node/terminal/prompt.ts';
import type { ChatMessage } from '../src/text/chat-template.ts';

interface Options {
  model?: string;
  weights: WeightsKind;
  system?: string;
}

const program = new Command('npm run chat --')
  .description('A conversation with a model that has a chat template. /reset begins a new one, an empty line ends it.')
  .option('--model <path>', 'model folder, GGUF file or hub id')
  .option('--system <text>', 'what the model is told first')
  .addOption(weightsOption())
  .showHelpAfterError('(npm run chat -- --help explains)');
addGenerationFlags(program);

/** What the assistant says next, written as it comes. @throws TemplateError where the template takes no such messages */
function say(
  { model, tokenizer, chat, config, generation: defaults }: LocalModel,
  messages: ChatMessage[],
  options: Options,
): string {
  const promptIds = chat!.encodeUpTo(messages, Number.POSITIVE_INFINITY)!;
  const request = requestOf(options);
  const seed = (): bigint => randomBytes(8).readBigUInt64LE();
  const decided = fitContext(generationOptions(request, defaults, config, seed), request, promptIds.length, config);
  const generation = openGeneration(model, promptIds, decided);
  const stream = tokenizer!.stream();
  let text = '';
  const show = (more: string): void => {
    text += more;
    process.stdout.write(more);
  };
  // beams change their minds until the end
  const isCertain = decided.numBeams === 1;
  for (let shown = 0; generation.finishReason === undefined; ) {
    advance(model, generation);
    if (isCertain) for (; shown < generation.tokenIds.length; shown++) show(stream.push(generation.tokenIds[shown]!));
  }
  if (!isCertain) for (const id of generation.tokenIds) show(stream.push(id));
  generation.close();
  show(stream.end());
  process.stdout.write(text.trim() === '' ? `${NO_TEXT}\n` : '\n');
  return text;
}

program.action(async (options: Options) => {
  const path = await findModel(options.model);
  const model = await openLocalModel(path, options.weights);
  if (!model.chat)
    throw new Error(
      `chat: expected a model with a chat template, got ${basename(path)}, which has none; use npm run local`,
    );
  const system = options.system === undefined ? [] : [{ role: 'system', content: options.system }];
  let messages: ChatMessage[] = [...system];
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  lines.prompt();
  for await (const line of lines) {
    const content = line.trim();
    if (content === '') break;
    if (content === '/reset') messages = [...system];
    else {
      const asked = [...messages, { role: 'user', content }];
      // what cannot be answered is not part of the conversation
      try {
        messages = [...asked, { role: 'assistant', content: say(model, asked, options) }];
      } catch (error) {
        console.error(`${(error as Error).message}; /reset begins anew`);
      }
    }
    lines.prompt();
  }
  lines.close();
});
await runCommand(program);
