/**
 * The answer to a prompt, by every way there is: generate, start and progress, generate_query, another canister, and
 * the model in this process. Counts how many of the prompts have the same text by all.
 *   npx tsx test/long/same-answers-run.ts --prompts 100
 */
import { readFileSync } from 'node:fs';
import { program } from 'commander';
import { sameAnswers } from '../canister/same-answers.ts';

program.option('--prompts <n>', 'how many of models/little-flan/questions.tsv', Number, 100).parse();
const { prompts } = program.opts<{ prompts: number }>();
const lines = readFileSync('models/little-flan/questions.tsv', 'utf8').trim().split('\n').slice(0, prompts);
const { same, different } = await sameAnswers(
  lines.map((line) => line.split('\t')[0]!),
  { onProgress: (n) => process.stderr.write(`\r${n} of ${prompts}`) },
);
console.log(`\n${same} of ${prompts} prompts have the same answer by all five ways`);
for (const answers of different) console.log(JSON.stringify(answers));
process.exit(different.length > 0 ? 1 : 0);
