/**
 * The upgrades run: upgrades in a row with sessions under way and calls between, and what memory the canister has after
 * each.
 *   npx tsx test/long/upgrades-run.ts --upgrades 100
 */
import { readFileSync } from 'node:fs';
import { program } from 'commander';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { install, ok, options, upload } from '../canister/llm.ts';

program.option('--upgrades <n>', 'how many', Number, 100).parse();
const { upgrades } = program.opts<{ upgrades: number }>();
const llm = await install({ autoTick: false, keptMessages: 10 });
const owner = llm.as();
await upload(owner, readFileSync((await packFolder('models/little-flan', 'int8')).path));
const { cases }: { cases: { prompt: string; text: string }[] } = JSON.parse(
  readFileSync('models/little-flan/expected.json', 'utf8'),
);
const canister = llm.replica.canister(llm.canisterId)!;
const sizes: { heap: number; stable: number; arena: number }[] = [];
let wrong = 0;
for (let i = 0; i < upgrades; i++) {
  const { prompt, text } = cases[i % 8]!;
  const session = ok(await owner.start(prompt, options({ tokens_per_call: { fixed: 4 } })));
  for (let j = 0; j < 3; j++) await llm.replica.tick();
  await llm.upgrade();
  if (ok(await owner.resume(session)).text !== text) wrong += 1;
  sizes.push({
    heap: canister.instance!.memoryBytes,
    stable: canister.stable.size * 65_536,
    arena: Number((await owner.status()).arena_bytes),
  });
  process.stderr.write(`\r${i + 1} of ${upgrades}`);
}
const [first, last] = [sizes[Math.min(8, sizes.length - 1)]!, sizes.at(-1)!];
console.log(
  `\n${JSON.stringify({ upgrades, wrong, afterTheFirstOfAll: sizes[0], afterNine: first, afterTheLast: last })}`,
);
process.exit(
  wrong === 0 && last.heap <= first.heap && last.arena <= first.arena && last.stable <= first.stable ? 0 : 1,
);
