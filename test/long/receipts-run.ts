/**
 * What a receipt costs an answer when there are many: the same answer over and over, with the instructions of the call
 * at some of them, and what of these the settings change.
 *   npx tsx test/long/receipts-run.ts --answers 10000
 */
import { readFileSync } from 'node:fs';
import { program } from 'commander';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { change, install, ok, options, upload } from '../canister/llm.ts';

program.option('--answers <n>', 'how many', Number, 10_000).parse();
const { answers } = program.opts<{ answers: number }>();
const installed = await install();
const llm = installed.as();
await upload(llm, readFileSync((await packFolder('models/little-flan', 'int8')).path));
ok(await llm.set_settings(change({ answer_cache: true, max_finished: 100 })));
const [asked] = options({ max_new_tokens: 1 });
for (let i = 1; i <= answers; i++) {
  const { instructions } = ok(await llm.generate_with('a', asked!));
  if (i <= 5 || Math.log10(i) % 1 === 0 || i % 1000 === 0)
    console.log(`answer ${i}: ${(Number(instructions) / 1e6).toFixed(3)} M instructions`);
}
