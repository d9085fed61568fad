/**
 * Searches for the dearest arguments of each method (test/canister/dear-arguments.ts), with the table of
 * docs/security.md at the end.
 *   npx tsx test/long/dear-arguments-run.ts --rounds 400 --seed 1
 */
import { program } from 'commander';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { allowed, type Dearest, dearest, fromCanister, locked } from '../canister/dear-arguments.ts';
import { randomFrom } from '../random.ts';

program
  .option('--rounds <n>', 'steps for each method', Number, 400)
  .option('--seed <n>', 'another seed is another search', Number, 1)
  .option('--method <name...>', 'these methods only')
  .parse();
const { rounds, seed, method: only } = program.opts<{ rounds: number; seed: number; method?: string[] }>();
const random = randomFrom(seed);
const { cost } = await fromCanister(await locked());
const found: Dearest[] = [];
for (const [method] of service._fields) {
  if (only !== undefined && !only.includes(method)) continue;
  found.push(await dearest(method, rounds, random, cost));
  process.stderr.write(`\r${method}                    `);
}
process.stderr.write('\n');
const millions = (n: number): string => (n / 1e6).toFixed(1);
console.log(`seed ${seed}, ${rounds} rounds a method\n`);
console.log(
  '| method | bytes | instructions, M | of the bar, M | beyond the cheapest, a byte |\n|---|---:|---:|---:|---:|',
);
for (const { method, bytes, instructions, perByte } of found) {
  const cells = [bytes.toLocaleString('en'), millions(instructions), millions(allowed(bytes)), perByte.toFixed(1)];
  console.log(`| \`${method}\` | ${cells.join(' | ')} |`);
}
process.exitCode = found.every(({ bytes, instructions }) => instructions <= allowed(bytes)) ? 0 : 1;
