/**
 * The queue run: as many sessions as are asked for wait, of the longest texts, while the canister is upgraded, cleared,
 * and given other models (test/canister/queue.ts). Prints the most instructions of a message for each.
 *   npx tsx test/long/queue-run.ts --sessions 5000
 */
import { program } from 'commander';
import { queueRun } from '../canister/queue.ts';

program
  .option('--sessions <n>', 'how many wait', Number, 5_000)
  .option('--owners <n>', 'whose', Number, 1_000)
  .option('--every <n>', 'each so many-th has the longest text', Number, 1)
  .option('--worked <n>', 'how many are worked on', Number, 8)
  .parse();
const { sessions, owners, every, worked } = program.opts<Record<'sessions' | 'owners' | 'every' | 'worked', number>>();
const dearest = await queueRun(sessions, owners, every, worked, (text) => process.stderr.write(`\r${text}   `));
process.stderr.write('\n');
for (const [what, instructions] of Object.entries(dearest))
  console.log(`${what.padEnd(60)} ${(instructions / 1e6).toFixed(1).padStart(9)} M`);
process.exitCode = Math.max(...Object.values(dearest)) > 2e9 ? 1 : 0;
