/**
 * What a choice costs beside a plain answer to the same prompt, with little-flan; and a receipt, by answers that a
 * cache gives.
 *   npx tsx test/long/choose-run.ts
 */
import { readFileSync } from 'node:fs';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { install, ok, options, upload } from '../canister/llm.ts';

const QUESTION = 'what is the opposite of hot?';
const LISTS = [['cold', 'warm'], ['warm', 'cold', 'open', 'blue', 'wet'], Array.from({ length: 64 }, (_, i) => `${i}`)];

const installed = await install();
const llm = installed.as();
await upload(llm, readFileSync((await packFolder('models/little-flan', 'int8')).path));
const show = (
  what: string,
  { instructions, unit_instructions: unit, cycles, calls }: Record<string, bigint | number>,
) =>
  console.log(
    what.padEnd(24),
    `${Number(instructions) / 1e6} M, ${Number(unit) / 1e6} M in the unit, ${Number(cycles) / 1e6} M cycles, ${calls} calls`,
  );
for (let round = 0; round < 2; round++) {
  show('generate', ok(await llm.generate(QUESTION)) as never);
  show('generate, one token', ok(await llm.generate_with(QUESTION, options({ max_new_tokens: 1 })[0]!)) as never);
  for (const texts of LISTS) show(`choose, ${texts.length} texts`, ok(await llm.choose(QUESTION, texts, [])) as never);
  for (const texts of LISTS)
    show(`choose_query, ${texts.length} texts`, ok(await llm.choose_query(QUESTION, texts, [])) as never);
}
