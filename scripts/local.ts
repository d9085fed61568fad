/**
 * `npm run local`: answers with a model folder's T5 without a canister, by the same code and kernels. For trying a model, and for checking it
 * against others: `--json` prints ids, and logits if wanted.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError, Option } from 'commander';
import { MAX_TARGET_LENGTH, type WeightsKind } from '../src/model/pack/tensors.ts';
import { type LocalModel, openLocalModel } from './lib/local-model.ts';

interface Options {
  model: string;
  prompt?: string;
  ids?: number[];
  prompts?: string;
  maxNewTokens: number;
  weights: WeightsKind;
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
  /** One row for every decoder position. */
  logits?: number[][];
}

const integers = (text: string): number[] =>
  text.split(',').map((part) => {
    if (!/^\d+$/.test(part.trim())) throw new InvalidArgumentError(`expected token ids like 5,6,1, got ${text}`);
    return Number(part);
  });

function count(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1 || n > MAX_TARGET_LENGTH) {
    throw new InvalidArgumentError(`expected an integer from 1 to ${MAX_TARGET_LENGTH}, got ${text}`);
  }
  return n;
}

const program = new Command('npm run local --')
  .description('Answers with a T5 from a Hugging Face model folder, without a canister.')
  .option('--model <dir>', 'model folder: config.json, model.safetensors, spiece.model', 'models/little-flan')
  .option('--prompt <text>', 'what to answer')
  .option('--ids <ids>', 'the prompt as token ids, </s> included; needs no tokenizer', integers)
  .option('--prompts <file>', 'many prompts, a JSON string a line; - for standard input; prints a JSON object a line')
  .option('--max-new-tokens <n>', 'the longest answer in tokens', count, 128)
  .addOption(new Option('--weights <kind>', 'how weights are held').choices(['int8', 'float32']).default('int8'))
  .option(
    '--decoder-ids <ids>',
    'no answer is made; these decoder inputs, start token first, are gone through',
    integers,
  )
  .option('--logits', "add the logits of every decoder position to --json's object")
  .option('--json', 'print one JSON object')
  .showHelpAfterError('(npm run local -- --help explains)');

/** Nine digits are what a float32 needs to be read back as it was. */
const digits = (logits: Float32Array): number[] => Array.from(logits, (x) => Number(x.toPrecision(9)));

function answer(
  { t5, tokenizer, stopIds }: LocalModel,
  promptIds: number[],
  options: Options,
  onId: (id: number) => void,
): Answer {
  const forced = options.decoderIds;
  const most = forced?.length ?? options.maxNewTokens;
  const session = t5.open(promptIds, most, forced?.slice(0, 1));
  const logits: number[][] = [];
  let finishReason: Answer['finishReason'] = 'length';
  for (let position = 1; position <= most; position++) {
    t5.step(session);
    if (options.logits) logits.push(digits(t5.logits()));
    if (forced && position === most) break;
    const id = forced ? forced[position]! : t5.greedy();
    session.targetIds.push(id);
    onId(id);
    if (!forced && stopIds.includes(id)) {
      finishReason = 'stop';
      break;
    }
  }
  t5.close(session);
  const ids = session.targetIds.slice(1);
  const text = tokenizer?.decode(ids) ?? '';
  return { promptIds, ids, text, finishReason, ...(options.logits ? { logits } : {}) };
}

function encode({ tokenizer }: LocalModel, prompt: string): number[] {
  if (!tokenizer)
    throw new Error(
      'local: expected spiece.model or tokenizer.json in the folder, got neither; give the prompt as --ids',
    );
  return tokenizer.encode(prompt);
}

async function* lines(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  // createInterface does not pass on its input's errors
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (error) => reject(new Error(`local: expected to read ${file}, got ${error.message}`)));
  });
  failed.catch(() => {});
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([reader.next(), failed]);
    if (next.done) return;
    if (next.value.trim() !== '') yield next.value;
  }
}

async function run(options: Options): Promise<void> {
  const given = [options.prompt, options.ids, options.prompts].filter((x) => x !== undefined);
  if (given.length !== 1) throw new Error(`local: expected one of --prompt, --ids and --prompts, got ${given.length}`);
  if (options.logits && !options.json && !options.prompts) throw new Error('local: --logits goes with --json');
  const model = await openLocalModel(options.model, options.weights);
  if (options.prompts !== undefined) {
    let number = 0;
    for await (const line of lines(options.prompts)) {
      number += 1;
      // a prompt that cannot be answered has its line as well, so that lines out match lines in
      try {
        console.log(JSON.stringify(answer(model, encode(model, parsePrompt(line, number)), options, () => {})));
      } catch (error) {
        console.log(JSON.stringify({ error: (error as Error).message }));
        process.exitCode = 1;
      }
    }
    return;
  }
  const promptIds = options.ids ?? encode(model, options.prompt!);
  if (options.json) {
    console.log(JSON.stringify(answer(model, promptIds, options, () => {})));
    return;
  }
  const stream = model.tokenizer?.stream();
  const { ids } = answer(model, promptIds, options, (id) => process.stdout.write(stream?.push(id) ?? `${id} `));
  console.log(`${stream?.end() ?? ''}\n(${promptIds.length} prompt tokens, ${ids.length} tokens)`);
}

function parsePrompt(line: string, number: number): string {
  try {
    const prompt: unknown = JSON.parse(line);
    if (typeof prompt === 'string') return prompt;
  } catch {
    // said below
  }
  throw new Error(`local: expected a JSON string on line ${number}, got ${line.slice(0, 60)}`);
}

program.action(run);
try {
  await program.parseAsync();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
