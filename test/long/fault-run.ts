/**
 * The fault run: generations while everything goes wrong that may (test/canister/faults.ts), with the counts at the
 * end.
 *   npx tsx test/long/fault-run.ts --generations 3000 --seed 1 --family llama
 *   npx tsx test/long/fault-run.ts --generations 1000 --stages 3
 */
import { Option, program } from 'commander';
import { faultRun } from '../canister/faults.ts';
import { FAMILIES, type Family } from '../canister/subjects.ts';

program
  .option('--generations <n>', 'how many to start', Number, 3000)
  .option('--stages <n>', 'canisters that the model is spread over', Number, 1)
  .option('--seed <n>', 'another seed is another run', Number, 1)
  .addOption(new Option('--family <name>', 'of the model').choices(FAMILIES).default('t5'))
  .parse();
const { generations, seed, family, stages } = program.opts<{
  generations: number;
  seed: number;
  family: Family;
  stages: number;
}>();
const onProgress = (text: string) => process.stderr.write(`\r${text}   `);
const report = await faultRun(seed, generations, { family, stages, onProgress });
process.stderr.write('\n');
console.log(JSON.stringify({ seed, family, ...report }, undefined, 2));
process.exitCode = report.wrong.length > 0 ? 1 : 0;
