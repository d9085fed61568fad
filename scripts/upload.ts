/**
 * `npm run upload`: makes a model folder the model of a canister, on any network. Says what it will cost and asks; goes
 * on where an upload that was broken off stood.
 */
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { packShape } from '../src/model/pack/pack.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { placesOf } from '../src/node/cost/places.ts';
import { placesText } from '../src/node/cost/table.ts';
import { uploadCycles } from '../src/node/cost/upload-cost.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { notAppliedLine, packFolder } from '../src/node/model/model-folder.ts';
import { uploadWithProgress } from '../src/node/model/upload-progress.ts';
import { addNetworkOptions, connectTo, type NetworkOptions } from '../src/node/network/network.ts';
import { stageIds, uploadStages } from '../src/node/network/upload-stages.ts';
import { weightsOption, wholeNumber } from '../src/node/terminal/arguments.ts';
import { runCommand } from '../src/node/terminal/command.ts';
import { cyclesText } from '../src/node/terminal/numbers.ts';
import { megabytes } from '../src/node/terminal/terminal.ts';

interface Options extends NetworkOptions {
  model?: string;
  weights: WeightsKind;
  stages?: string;
  retries: number;
  yes?: boolean;
}

const program = addNetworkOptions(
  new Command('npm run upload --').description("Uploads a model to a canister; for the canister's controllers."),
)
  .option(
    '--model <dir>',
    'folder of a model or GGUF file, or a model on the hub like google/flan-t5-small (default: models/little-flan)',
  )
  .addOption(weightsOption())
  .option('--stages <ids>', 'canisters that have a part of the model each, with commas between; the first one answers')
  .option('--retries <n>', 'how often a call that gets lost is tried again', wholeNumber(0, 1000), 5)
  .option('-y, --yes', 'do not ask')
  .action(upload);

async function upload(options: Options): Promise<void> {
  const ids = options.stages === undefined ? undefined : stageIds(options.stages);
  if (ids && options.canister !== undefined)
    throw new Error(`upload: expected --canister or --stages, got both; the first of --stages answers`);
  const pack = await packFolder(await findModel(options.model), options.weights);
  if (ids) return await uploadStages(pack, ids, options, async () => options.yes === true || (await agrees()));
  const { client, canisterId, host } = await connectTo(options);
  const { name, weights, generation } = pack.head;
  const notApplied = notAppliedLine(generation, name);
  if (notApplied) console.log(notApplied);
  const active = await client.modelInfo();
  if (active?.sha256 === pack.sha256) {
    console.log(`${name}, ${weights}, is the model of ${canisterId} already: SHA-256 ${pack.sha256}`);
    return;
  }
  console.log(`${name}, ${weights}, ${megabytes(pack.bytes)}, to ${canisterId} at ${host}`);
  if (active) console.log(`It takes the place of ${active.name}, SHA-256 ${active.sha256}`);
  console.log(
    `For the whole upload the canister pays ${cyclesText(uploadCycles(pack.bytes))}, on 13 nodes; on 34 it is 2.6 times that`,
  );
  const { arena_bytes } = await client.actor.settings();
  console.log(placesText(placesOf(packShape(pack.head), pack.head.tokenizerBytes, Number(arena_bytes))));
  if (!options.yes && !(await agrees())) return;
  await uploadWithProgress(client, pack, options.retries);
  console.log(`${name} answers now: SHA-256 ${pack.sha256}`);
}

/** @throws Error where there is nobody to ask */
async function agrees(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('upload: expected --yes where nobody can be asked, got no terminal');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question('Upload it? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}

await runCommand(program);
