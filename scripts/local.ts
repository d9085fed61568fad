/**
 * `npm run local`: answers with a model folder's T5 without a canister, by the same code and kernels. For trying a
 * model, and for checking it against others: `--json` prints ids, and logits if wanted.
 */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { advance } from '../src/model/generation/generation.ts';
import { beginningOf } from '../src/model/generation/options.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { beginAnswer, type LocalModel, openLocalModel } from '../src/node/model/local-model.ts';
import { notAppliedLine } from '../src/node/model/model-folder.ts';
import { weightsOption } from '../src/node/terminal/arguments.ts';
import { runCommand, userPath } from '../src/node/terminal/command.ts';
import { addGenerationFlags, requestOf } from '../src/node/terminal/generation-flags.ts';
import { jsonChats, jsonStrings } from '../src/node/terminal/json-lines.ts';
import { exampleOf, NO_TEXT, promptFrom, promptOption } from '../src/node/terminal/prompt.ts';
import type { ChatMessage } from '../src/text/chat-template.ts';
import { shownText, stopStream } from '../src/text/stop-strings.ts';

interface Options {
  model?: string;
  prompt?: string;
  ids?: number[];
  prompts?: string;
  chat?: string;
  weights: WeightsKind;
  specialTokens?: boolean;
  decoderIds?: number[];
  logits?: boolean;
  json?: boolean;
}

interface Answer {
  promptIds: number[];
  /** Without the start token; the stop token included. */
  ids: number[];
  text: string;
  finishReason: 'stop' | 'length';
  /** One row for every decoder position; for every position of a decoder-only model's prompt. */
  logits?: number[][];
}

const integers = (text: string): number[] =>
  text.split(',').map((part) => {
    if (!/^\d+$/.test(part.trim())) throw new InvalidArgumentError(`expected token ids like 5,6,1, got ${text}`);
    return Number(part);
  });

const program = new Command('npm run local --')
  .description('Answers with a model from a Hugging Face folder or a GGUF file, without a canister.')
  .option(
    '--model <path>',
    'model folder, GGUF file, or a model on the hub like google/flan-t5-small (default: models/little-flan)',
  )
  .argument('[prompt...]', 'what to answer')
  .addOption(promptOption())
  .option('--ids <ids>', "the prompt as token ids, a T5's </s> included; needs no tokenizer", integers)
  .option(
    '--prompts <file>',
    'a file of prompts, one JSON string a line, or - for standard input; prints one JSON object a line',
  )
  .option(
    '--chat <file>',
    'a file of conversations, one JSON array of messages a line, or - for standard input; prints one JSON object a line',
  )
  .addOption(weightsOption())
  .option('--decoder-ids <ids>', 'run the decoder over these ids, the start token first, and write no answer', integers)
  .option(
    '--special-tokens',
    'read special tokens in the prompt, such as <extra_id_0>, as tokens; without it they are text',
  )
  .option(
    '--logits',
    "add logits to --json's object: of each decoder position; of each prompt position where there is no encoder",
  )
  .option('--json', 'print one JSON object')
  .showHelpAfterError('(npm run local -- --help explains)');
addGenerationFlags(program);

/** Nine digits are what a float32 needs to be read back as it was. */
const digits = (logits: Float32Array): number[] => Array.from(logits, (x) => Number(x.toPrecision(9)));

/** @param onText takes the answer's text as it comes; without a tokenizer, its ids */
function answer(
  model: LocalModel,
  promptIds: number[],
  options: Options,
  onText: (text: string) => void = () => {},
): Answer {
  const { model: lm, tokenizer } = model;
  let ids = options.decoderIds?.slice(1) ?? [];
  let inputs = options.decoderIds;
  let finishReason: Answer['finishReason'] = 'length';
  let stops: readonly string[] | undefined;
  if (inputs === undefined) {
    const { generation, decided } = beginAnswer(model, promptIds, requestOf(options));
    stops = decided.stopStrings;
    const stream = tokenizer && stopStream(tokenizer.stream(), stops);
    const onId = (id: number): void => onText(stream ? stream.push(id) : `${id} `);
    for (let shown = 0; generation.finishReason === undefined; ) {
      advance(lm, generation);
      // beams change their minds until the end
      if (decided.numBeams === 1) for (; shown < generation.tokenIds.length; shown++) onId(generation.tokenIds[shown]!);
    }
    generation.close();
    ids = [...generation.tokenIds];
    // what the model reads: an encoder-decoder's answer behind its start token, or a decoder-only model's prompt
    const read = lm.hasEncoder ? ids.slice(0, -1) : [];
    inputs = [...beginningOf(decided, promptIds), ...read];
    if (decided.numBeams > 1) ids.forEach(onId);
    onText(stream?.end() ?? '');
    finishReason = generation.finishReason;
  }
  const text = shownText(tokenizer?.decode(ids) ?? '', stops);
  const logits = options.logits ? { logits: logitsOf(model, promptIds, inputs) } : {};
  return { promptIds, ids, text, finishReason, ...logits };
}

/** A row for each input, as the model gives them, before any penalty. */
function logitsOf({ model: lm }: LocalModel, promptIds: number[], inputs: number[]): number[][] {
  // a decoder-only model's first id is a prompt, to which the others are added
  const sequence = lm.open(lm.hasEncoder ? promptIds : inputs.slice(0, 1), inputs.length, inputs.slice(0, 1));
  const rows = inputs.map((_, i) => {
    if (i > 0) sequence.targetIds.push(inputs[i]!);
    lm.step([sequence]);
    return digits(lm.logits());
  });
  lm.close(sequence);
  return rows;
}

function encode({ tokenizer, tokenizerIn }: LocalModel, prompt: string, { specialTokens }: Options): number[] {
  if (!tokenizer) throw new Error(`local: expected ${tokenizerIn}, got none; give the prompt as --ids`);
  return tokenizer.encode(prompt, { specialTokens });
}

/** The ids of a conversation: by the model's template, or its last message, where the model has none. */
function encodeChat(model: LocalModel, messages: ChatMessage[], options: Options): number[] {
  const last = messages.at(-1);
  if (last === undefined) throw new Error('local: expected a message at least, got none');
  if (!model.chat) return encode(model, last.content, options);
  return model.chat.encodeUpTo(messages, Number.POSITIVE_INFINITY)!;
}

async function run(words: string[], options: Options): Promise<void> {
  const prompt = promptFrom('local', words, options.prompt);
  const given = [prompt, options.ids, options.prompts, options.chat].filter((x) => x !== undefined);
  if (given.length !== 1)
    throw new Error(
      `local: expected one of a prompt, --ids, --prompts and --chat, got ${given.length || 'none'}; ${exampleOf('local')}`,
    );
  if (options.logits && !options.json && !options.prompts && !options.chat)
    throw new Error('local: --logits goes with --json');
  const dir = await findModel(options.model);
  const model = await openLocalModel(dir, options.weights);
  if (options.decoderIds && !model.model.hasEncoder) {
    throw new Error(
      'local: expected no --decoder-ids, as this model has no encoder: its prompt, --ids, is what it reads',
    );
  }
  const notApplied = notAppliedLine(model.generation, basename(dir));
  if (notApplied) console.error(notApplied);
  // what cannot be answered has its line as well, so that lines out match lines in
  const printLine = (encode: () => number[]): void => {
    try {
      console.log(JSON.stringify(answer(model, encode(), options)));
    } catch (error) {
      console.log(JSON.stringify({ error: (error as Error).message }));
      process.exitCode = 1;
    }
  };
  const { prompts, chat } = options;
  if (prompts !== undefined)
    for await (const prompt of jsonStrings(input(prompts), prompts)) printLine(() => encode(model, prompt, options));
  if (chat !== undefined)
    for await (const messages of jsonChats(input(chat), chat)) printLine(() => encodeChat(model, messages, options));
  if (prompts !== undefined || chat !== undefined) return;
  const promptIds = options.ids ?? encode(model, prompt!, options);
  if (options.json) {
    console.log(JSON.stringify(answer(model, promptIds, options)));
    return;
  }
  const { ids, text } = answer(model, promptIds, options, (more) => process.stdout.write(more));
  const nothing = model.tokenizer && text.trim() === '' ? NO_TEXT : '';
  console.log(`${nothing}\n(${promptIds.length} prompt tokens, ${ids.length} tokens)`);
}

/** Lines of a file, or of standard input for `-`. */
async function* input(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file === '-' ? process.stdin : createReadStream(userPath(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const got = code === 'ENOENT' ? 'no such file' : message;
    throw new Error(`local: expected to read ${file}, got ${got}; - reads standard input, npm run chat talks with you`);
  }
}

program.action(run);
await runCommand(program);
