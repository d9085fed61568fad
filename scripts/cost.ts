/**
 * `npm run cost`: what a model costs on the Internet Computer, before anything is deployed there. Measured on the
 * replica, in cost/measure.ts.
 */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { ARENA_BYTES, MAX_SOURCE_LENGTH, MAX_TARGET_LENGTH } from '../src/model/limits.ts';
import { packBytes } from '../src/model/pack/pack.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { copyTokenizer } from '../src/model/tokenizer/pack-tokenizer.ts';
import { LARGEST_RUN, type LargeModel, packShapeOf, workOutCosts } from '../src/node/cost/large.ts';
import { measureCosts, type Work } from '../src/node/cost/measure.ts';
import { placesOf } from '../src/node/cost/places.ts';
import { type Asked, costTable } from '../src/node/cost/table.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { packFolder, withCheckpoint } from '../src/node/model/model-folder.ts';
import { nodeUnit } from '../src/node/model/node-unit.ts';
import { randomPack } from '../src/node/model/random-model.ts';
import { type Shape, shapeNamed, shapeNames } from '../src/node/model/shapes.ts';
import { weightsOption, wholeNumber } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';

interface Options extends Asked {
  model?: string;
  weights: WeightsKind;
  arenaBytes: number;
  shape?: string;
  json?: boolean;
}

const program = new Command('npm run cost --')
  .description(
    'Says what upload, storage and answers of a model cost on the Internet Computer. Does the work on the local replica, and reads the bill.',
  )
  .option(
    '--model <dir>',
    'folder of a model or GGUF file, or a model on the hub like google/flan-t5-small (default: models/little-flan)',
  )
  .option('--shape <name>', `in place of a model, random weights of a known shape: ${shapeNames.join(', ')}`)
  .addOption(weightsOption())
  .option('--prompt-tokens <n>', 'tokens of a prompt', wholeNumber(2, MAX_SOURCE_LENGTH), 33)
  .option('--tokens <n>', 'tokens of an answer', wholeNumber(1, MAX_TARGET_LENGTH), 40)
  .option('--per-day <n>', 'answers a day', wholeNumber(0, 1e9), 1000)
  .option('--arena-bytes <n>', 'the setting arena_bytes', wholeNumber(16 * 2 ** 20, 2_816 * 2 ** 20), ARENA_BYTES)
  .option('--json', 'print one JSON object: cycles on 13 nodes')
  .action(cost);

async function cost(options: Options): Promise<void> {
  if (options.model !== undefined && options.shape !== undefined)
    throw new Error('cost: expected --model or --shape, got both');
  const { promptTokens, tokens, weights, arenaBytes } = options;
  const model = options.shape === undefined ? await ofFolder(options) : await ofShape(options.shape, weights);
  const { name, shape, packBytes, tokenizerBytes } = model;
  const asked = { promptTokens, tokens, arenaBytes, onProgress: showStep };
  const isRun = packBytes <= LARGEST_RUN;
  const { costs, places } = isRun
    ? {
        costs: await measureCosts({ ...asked, ...(await model.open()) }),
        places: placesOf(packShapeOf(shape, weights), tokenizerBytes, arenaBytes),
      }
    : await workOutCosts({ shape, weights, packBytes, tokenizerBytes }, asked);
  showStep('');
  if (options.json)
    console.log(JSON.stringify({ model: name, packBytes, promptTokens, tokens, ...costs, ...places, isRun }));
  else console.log(costTable(name, packBytes, costs, options, { places, isRun }));
}

interface Model extends Omit<LargeModel, 'weights'> {
  name: string;
  open(): Promise<Pick<Work, 'pack' | 'tokenizer'>>;
}

async function ofFolder({ model, weights }: Options): Promise<Model> {
  const folder = await findModel(model);
  const { path, head } = await packFolder(folder, weights, { onProgress: () => showStep('converting') });
  const { family, json } = head;
  const shape = { name: head.name, family, json: json.config as Shape['json'], config: head.config };
  return {
    name: `${head.name}, ${weights}`,
    shape,
    packBytes: packBytes(head),
    tokenizerBytes: head.tokenizerBytes,
    open: async () => {
      // a folder without a tokenizer makes no pack
      const tokenizer = (await withCheckpoint(folder, (checkpoint) => checkpoint.readTokenizer()))!;
      return { pack: new Uint8Array(await readFile(path)), tokenizer: copyTokenizer(tokenizer, await nodeUnit()) };
    },
  };
}

async function ofShape(name: string, weights: WeightsKind): Promise<Model> {
  const shape = shapeNamed(name);
  showStep('making random weights');
  const pack = await randomPack(shape, { weights });
  return {
    name: `${pack.head.name}, ${weights}`,
    shape,
    packBytes: pack.bytes,
    tokenizerBytes: pack.head.tokenizerBytes,
    open: async () => ({ pack, tokenizer: pack.tokenizer }),
  };
}

/** What is being done, on a terminal only, in a line that the next one takes the place of. */
function showStep(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${step === '' ? '' : `${step} …`}`);
}

await runCommand(program);
