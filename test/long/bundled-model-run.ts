/**
 * What the model that comes with the project gets right, in int8 in the canister: 300 held-out questions of its
 * generator in three casings, 60 that were written by hand and that no template makes, and 30 from outside, to which it
 * has to say that it does not know. Prints what it gets wrong, and writes the table of models/little-flan/README.md.
 *   npx tsx test/long/bundled-model-run.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { install, ok, options, upload } from '../canister/llm.ts';

const MODEL = 'models/little-flan';
const DECLINED = "don't know";

const table = (file: string): [string, string][] =>
  readFileSync(`${MODEL}/${file}`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t') as [string, string]);

/** By hand, a number has to be the last one; yes and no the first word; any other answer has to be in it. */
function saysSo(text: string, wanted: string): boolean {
  const low = text.toLowerCase();
  if (/^\d+$/.test(wanted)) return low.replace(/\.+$/, '').split(/\s+/).at(-1) === wanted;
  return wanted === 'yes' || wanted === 'no' ? low.startsWith(wanted) : low.includes(wanted);
}

const llm = await install({ keptMessages: 10 });
const owner = llm.as();
await upload(owner, readFileSync((await packFolder(MODEL, 'int8')).path));
const asked = options({ max_new_tokens: 100, tokens_per_call: { auto: null } });
const answer = async (prompt: string) => ok(await owner.generate_query(prompt, asked)).text;

const rows: string[] = [];
async function count(what: string, questions: [string, string][], right: (text: string, wanted: string) => boolean) {
  const wrong: string[] = [];
  for (const [prompt, wanted] of questions) {
    const text = await answer(prompt);
    if (!right(text, wanted)) wrong.push(`  ${prompt} -> ${text} (expected: ${wanted})`);
  }
  const rights = questions.length - wrong.length;
  const share = `${((100 * rights) / questions.length).toFixed(1)}%`;
  console.log(`${what}: ${rights} of ${questions.length}, ${share}`);
  rows.push(`| ${what} | ${rights} of ${questions.length} | ${share} |`);
  console.log(wrong.join('\n'));
}

const heldOut = table('questions.tsv');
const same = (text: string, wanted: string) => text.trim() === wanted;
const casings: [string, (text: string) => string][] = [
  ['as they are', (text) => text],
  ['lower case, no end mark', (text) => text.toLowerCase().replace(/[?.!]+$/, '')],
  ['upper case', (text) => text.toUpperCase()],
];
for (const [name, change] of casings) {
  const questions = heldOut.map(([prompt, wanted]): [string, string] => [change(prompt), wanted]);
  await count(`held out, ${name}`, questions, same);
}
const byHand = table('training/by-hand.tsv');
await count(
  'written by hand, made by no template',
  byHand.filter(([, wanted]) => wanted !== DECLINED),
  saysSo,
);
await count(
  'from outside, declined',
  byHand.filter(([, wanted]) => wanted === DECLINED),
  saysSo,
);
llm.replica.close();
const readme = `${MODEL}/README.md`;
const [before, after] = readFileSync(readme, 'utf8').split(/<!-- right -->[\s\S]*<!-- \/right -->/);
const lines = ['| | right | |', '|---|---:|---:|', ...rows].join('\n');
writeFileSync(readme, `${before}<!-- right -->\n\n${lines}\n\n<!-- /right -->${after}`);
process.exit(0);
