/**
 * Fuzzed calls of every method by strangers (test/canister/abuse.ts), with the counts at the end.
 *   npx tsx test/long/abuse-run.ts --calls 100000 --seed 1
 */
import { program } from 'commander';
import { abuse } from '../canister/abuse.ts';

program
  .option('--calls <n>', 'how many', Number, 100_000)
  .option('--seed <n>', 'another seed is another run', Number, 1)
  .parse();
const { calls, seed } = program.opts<{ calls: number; seed: number }>();
const report = await abuse(seed, calls, (text) => process.stderr.write(`\r${text}   `));
process.stderr.write('\n');
console.log(JSON.stringify({ seed, calls, ...report }, undefined, 2));
process.exitCode = report.unexpected.length > 0 ? 1 : 0;
