/**
 * `npm run cost`: what a model costs on the Internet Computer, before anything is deployed there. Measured on the
 * replica, in cost/measure.ts.
 */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../src/model/limits.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { decodeTokenizer, type Unigram } from '../src/model/tokenizer/unigram/tokenizer.ts';
import { measureCosts } from '../src/node/cost/measure.ts';
import { type Asked, costTable } from '../src/node/cost/table.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { packFolder, withCheckpoint } from '../src/node/model/model-folder.ts';
import { nodeUnit } from '../src/node/model/node-unit.ts';
import { randomModel } from '../src/node/model/random-model.ts';
import { shapeNamed, shapeNames } from '../src/node/model/shapes.ts';
import { weightsOption, wholeNumber } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';

interface Options extends Asked {
  model?: string;
  weights: WeightsKind;
  shape?: string;
  json?: boolean;
}

const program = new Command('npm run cost --')
  .description(
    'Says what upload, storage and answers of a model cost on the Internet Computer. Does the work on the local replica, and reads the bill.',
  )
  .option(
    '--model <dir>',
    'folder of a T5, or a model on the hub like google/flan-t5-small (default: models/little-flan)',
  )
  .option('--shape <name>', `in place of a model, random weights of a known shape: ${shapeNames.join(', ')}`)
  .addOption(weightsOption())
  .option('--prompt-tokens <n>', 'tokens of a prompt', wholeNumber(2, MAX_SOURCE_LENGTH), 33)
  .option('--tokens <n>', 'tokens of an answer', wholeNumber(1, MAX_TARGET_LENGTH), 40)
  .option('--per-day <n>', 'answers a day', wholeNumber(0, 1e9), 1000)
  .option('--json', 'print one JSON object: cycles on 13 nodes')
  .action(cost);

async function cost(options: Options): Promise<void> {
  if (options.model !== undefined && options.shape !== undefined)
    throw new Error('cost: expected --model or --shape, got both');
  const { name, pack, tokenizer } =
    options.shape === undefined ? await ofFolder(options) : await ofShape(options.shape, options.weights);
  const { promptTokens, tokens } = options;
  const costs = await measureCosts({ pack, tokenizer, promptTokens, tokens, onProgress: showStep });
  showStep('');
  if (options.json)
    console.log(JSON.stringify({ model: name, packBytes: pack.length, promptTokens, tokens, ...costs }));
  else console.log(costTable(name, pack.length, costs, options));
}

interface Model {
  name: string;
  pack: Uint8Array;
  tokenizer: Unigram;
}

async function ofFolder({ model, weights }: Options): Promise<Model> {
  const folder = await findModel(model);
  const { path, head } = await packFolder(folder, weights, { onProgress: () => showStep('converting') });
  // a folder without a tokenizer makes no pack
  const { tables } = (await withCheckpoint(folder, (checkpoint) => checkpoint.readTokenizer()))!;
  const tokenizer = decodeTokenizer(tables, await nodeUnit());
  return { name: `${head.name}, ${head.weights}`, pack: new Uint8Array(await readFile(path)), tokenizer };
}

async function ofShape(shape: string, weights: WeightsKind): Promise<Model> {
  const wanted = shapeNamed(shape);
  showStep('making random weights');
  const { pack, tokenizer, head } = await randomModel(wanted, { weights });
  return { name: `${head.name}, ${head.weights}`, pack, tokenizer };
}

/** What is being done, on a terminal only, in a line that the next one takes the place of. */
function showStep(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${step === '' ? '' : `${step} …`}`);
}

await runCommand(program);
