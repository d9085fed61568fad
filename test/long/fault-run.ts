/**
 * The fault run: generations while everything goes wrong that may (test/canister/faults.ts), with the counts at the
 * end.
 *   npx tsx test/long/fault-run.ts --generations 3000 --seed 1
 */
import { program } from 'commander';
import { faultRun } from '../canister/faults.ts';

program
  .option('--generations <n>', 'how many to start', Number, 3000)
  .option('--seed <n>', 'another seed is another run', Number, 1)
  .parse();
const { generations, seed } = program.opts<{ generations: number; seed: number }>();
const report = await faultRun(seed, generations, (text) => process.stderr.write(`\r${text}   `));
process.stderr.write('\n');
console.log(JSON.stringify({ seed, ...report }, undefined, 2));
process.exitCode = report.wrong.length > 0 ? 1 : 0;
