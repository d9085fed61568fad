/**
 * The upload run: a pack as large as flan-t5-small's over a network that loses, doubles and delays, broken off 50
 * times; and undisturbed, beside what `npm run upload` says beforehand that it costs.
 *   npx tsx test/long/upload-run.ts --shape flan-t5-small --interruptions 50
 */
import { program } from 'commander';
import { uploadCycles } from '../../src/node/cost/upload-cost.ts';
import { randomModel } from '../../src/node/model/random-model.ts';
import { shapeNamed } from '../../src/node/model/shapes.ts';
import { interruptedUpload } from '../canister/interrupted-upload.ts';
import { install, ok, sha256Of } from '../canister/llm.ts';

program
  .option('--shape <name>', 'of the model', 'flan-t5-small')
  .option('--interruptions <n>', 'how often it is broken off', Number, 50)
  .option('--seed <n>', 'another seed is another run', Number, 1)
  .parse();
const { shape, interruptions, seed } = program.opts<{ shape: string; interruptions: number; seed: number }>();
const { pack } = await randomModel(shapeNamed(shape));
const said = uploadCycles(pack.length);
let most = 0;
const onMessage = ({ kind, instructions }: { kind: string; instructions: { total: number } }): void => {
  if (kind !== 'query') most = Math.max(most, instructions.total);
};
const show = (what: string, value: unknown): void =>
  console.log(`${what}: ${JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? Number(v) : v))}`);

const quiet = await install({ keptMessages: 10, onMessage });
const plain = await interruptedUpload(quiet, pack, { seed, interruptions: 0 });
const ratio = Number(said) / Number(plain.cycles);
show('undisturbed', { ...plain, saidBeforehand: said, saidToCharged: ratio, mostInstructionsInAMessage: most });

const llm = await install({ keptMessages: 10, onMessage });
const onProgress = (text: string) => process.stderr.write(`\r${text}   `);
const report = await interruptedUpload(llm, pack, { seed, interruptions, onProgress });
process.stderr.write('\n');
const active = (await llm.as().model_info())[0]!.sha256;
show('disturbed', { ...report, rightHash: active === sha256Of(pack), mostInstructionsInAMessage: most });

// what taking it out again costs
most = 0;
const owner = llm.as();
const other = pack.slice();
other[other.length - 1000]! ^= 1;
await interruptedUpload(llm, other, { seed, interruptions: 0 });
most = 0;
ok(await owner.model_delete(active));
show('deleted', { mostInstructionsInAMessage: most });

process.exit(active === sha256Of(pack) && report.sentForNothing === 0 && Math.abs(ratio - 1) < 0.05 ? 0 : 1);
