/**
 * `npm run verify-receipt`: checks a receipt's certificate, then works the answer out again from the model's pack and
 * says whether it is the same.
 */
import { readFile } from 'node:fs/promises';
import { IC_ROOT_KEY } from '@dfinity/agent';
import { Command } from 'commander';
import { type Receipt, verifyReceipt } from '../src/client/certified/receipt.ts';
import type { WeightsKind } from '../src/model/tensor-table.ts';
import { answerAgain } from '../src/node/model/answer-again.ts';
import { findModel } from '../src/node/model/find-model.ts';
import { weightsOption } from '../src/node/terminal/arguments.ts';
import { runCommand, userPath } from '../src/node/terminal/command.ts';

interface Options {
  model?: string;
  weights: WeightsKind;
  rootKey: string;
}

const program = new Command('npm run verify-receipt --')
  .description('Checks a receipt, and that the model gives its answer.')
  .argument('<file>', 'the receipt, as `receipt` of the client gives it, in JSON')
  .option('--model <path>', 'model folder, GGUF file or hub id, as of npm start (default: models/little-flan)')
  .addOption(weightsOption())
  .option('--root-key <hex>', "the network's root key (default: the Internet Computer's)", IC_ROOT_KEY)
  .showHelpAfterError('(npm run verify-receipt -- --help explains)')
  .action(verify);

async function verify(file: string, { model, weights, rootKey }: Options): Promise<void> {
  const receipt = JSON.parse(await readFile(userPath(file), 'utf8')) as Receipt;
  const { certifiedBy, answer } = await verifyReceipt(receipt, Uint8Array.from(Buffer.from(rootKey, 'hex')));
  console.log(`The receipt holds: ${receipt.canister} had it by ${new Date(certifiedBy).toISOString()}.`);
  if (!answer) return console.log('It is a bare hash: there is no answer in it to work out again.');
  const { same, text } = await answerAgain(await findModel(model), weights, answer);
  if (!same) throw new Error('receipt: expected the answer that the model gives, got another one');
  console.log(`The model of the pack ${answer.model} gives this answer: ${JSON.stringify(text)}`);
}

await runCommand(program);
