/**
 * The upgrades run: upgrades in a row with sessions under way and calls between, and what memory the canister has after
 * each.
 *   npx tsx test/long/upgrades-run.ts --upgrades 100 --family llama
 */
import { Option, program } from 'commander';
import { install, ok, options, upload } from '../canister/llm.ts';
import { FAMILIES, type Family, subjectOf } from '../canister/subjects.ts';

const MAX_NEW_TOKENS = 40;

program
  .option('--upgrades <n>', 'how many', Number, 100)
  .addOption(new Option('--family <name>', 'of the model').choices(FAMILIES).default('t5'))
  .parse();
const { upgrades, family } = program.opts<{ upgrades: number; family: Family }>();
const { pack, prompts, idsOf } = await subjectOf(family);
const llm = await install({ autoTick: false, keptMessages: 10 });
const owner = llm.as();
await upload(owner, pack);
const canister = llm.replica.canister(llm.canisterId)!;
const sizes: { heap: number; stable: number; arena: number }[] = [];
let wrong = 0;
for (let i = 0; i < upgrades; i++) {
  const prompt = prompts[i % Math.min(8, prompts.length)]!;
  const asked = { max_new_tokens: MAX_NEW_TOKENS, tokens_per_call: { fixed: 4 } };
  const session = ok(await owner.start(prompt, options(asked)));
  for (let j = 0; j < 3; j++) await llm.replica.tick();
  await llm.upgrade();
  if (Array.from(ok(await owner.resume(session)).token_ids).join() !== idsOf(prompt, MAX_NEW_TOKENS).join()) wrong += 1;
  sizes.push({
    heap: canister.instance!.memoryBytes,
    stable: canister.stable.size * 65_536,
    arena: Number((await owner.status()).arena_bytes),
  });
  process.stderr.write(`\r${i + 1} of ${upgrades}`);
}
const [first, last] = [sizes[Math.min(8, sizes.length - 1)]!, sizes.at(-1)!];
console.log(
  `\n${JSON.stringify({ family, upgrades, wrong, afterTheFirstOfAll: sizes[0], afterNine: first, afterTheLast: last })}`,
);
process.exit(
  wrong === 0 && last.heap <= first.heap && last.arena <= first.arena && last.stable <= first.stable ? 0 : 1,
);
