/**
 * Packs garbled at random, with the right hash (test/canister/bad-packs.ts): how many are refused, and that those that
 * are not answer.
 *   npx tsx test/long/bad-packs-run.ts --packs 1000 --seed 1
 */
import { program } from 'commander';
import { badPacks } from '../canister/bad-packs.ts';

program
  .option('--packs <n>', 'how many', Number, 1000)
  .option('--seed <n>', 'another seed is another run', Number, 1)
  .parse();
const { packs, seed } = program.opts<{ packs: number; seed: number }>();
const counts = await badPacks(seed, packs, (text) => process.stderr.write(`\r${text}   `));
process.stderr.write('\n');
console.log(JSON.stringify({ seed, packs, ...counts }, undefined, 2));
