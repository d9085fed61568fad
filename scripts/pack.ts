/**
 * `npm run pack`: writes a model's pack, the one file that a canister takes, from a Hugging Face folder or a GGUF file.
 */
import { Command } from 'commander';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { notAppliedLine, packTo } from '../src/node/model/model-folder.ts';
import { weightsOption } from '../src/node/terminal/arguments.ts';
import { runCommand, userPath } from '../src/node/terminal/command.ts';
import { megabytes } from '../src/node/terminal/terminal.ts';

interface Options {
  model?: string;
  weights: WeightsKind;
  out: string;
}

/** Models of fewer bytes as int8 are small: int4 takes much of what they can. */
const SMALL_INT4 = 500e6;

const program = new Command('npm run pack --')
  .description("Writes a model's pack: one file, laid out as a canister wants it (docs/pack.md).")
  .option('--model <path>', 'model folder, GGUF file or hub id (default: models/little-flan)')
  .addOption(weightsOption())
  .requiredOption('--out <file>', 'where the pack is written')
  .showHelpAfterError('(npm run pack -- --help explains)')
  .action(pack);

async function pack({ model, weights, out }: Options): Promise<void> {
  const { head, bytes, sha256, path } = await packTo(await findModel(model), weights, userPath(out));
  const notApplied = notAppliedLine(head.generation, head.name);
  if (notApplied) console.error(notApplied);
  if (weights === 'int4' && bytes < SMALL_INT4) {
    console.error(
      `${head.name}: a small model loses much as int4: of SmolLM2-135M's choices a third changes (docs/quantisation.md); int8 is twice as large`,
    );
  }
  console.log(`${path}\n${head.name}, ${weights}, ${megabytes(bytes)}, SHA-256 ${sha256}`);
}

await runCommand(program);
