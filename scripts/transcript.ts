/**
 * `npx tsx scripts/transcript.ts`: makes anew what README.md shows of `npm start` and `npm run cost`, between the marks
 * there. To be run after whatever changes what they print.
 */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../src/node/build/project.ts';
import type { Costs } from '../src/node/cost/measure.ts';
import { short } from '../src/node/terminal/numbers.ts';
import { megabytes } from '../src/node/terminal/terminal.ts';

function output(script: string, ...args: string[]): string {
  const command = ['--import', 'tsx', `scripts/${script}.ts`, ...args];
  const { stdout, status, stderr } = spawnSync(process.execPath, command, { cwd: projectRoot, encoding: 'utf8' });
  if (status !== 0) throw new Error(`transcript: expected ${script} to end with 0, got ${status}: ${stderr}`);
  return stdout;
}

function start(): string {
  // progress, and what is only said where something is built for the first time
  const lines = output('start')
    .split('\n')
    .filter((line) => !/^(Building|Converting|Uploading .* [0-9]{1,2}%)/.test(line));
  const printed = lines.join('\n').replace(/494\d \(port \d+ is taken\)/, '4943');
  return `\`\`\`text\n${printed.trim()}\n\`\`\``;
}

function costs(): string {
  const models = [
    ['--model', 'models/little-flan'],
    ['--shape', 'flan-t5-small'],
  ].map((model): Costs & { packBytes: number } => JSON.parse(output('cost', ...model, '--json')));
  const row = (what: string, of: (costs: Costs & { packBytes: number }) => string) =>
    `| ${what} | ${models.map(of).join(' | ')} |`;
  return [
    "| | little-flan, 4.2 M parameters | flan-t5-small's shape, 77 M |",
    '|---|---:|---:|',
    row('the pack, int8', ({ packBytes }) => megabytes(packBytes)),
    row('an answer, `generate`, one token a call', ({ generate }) => `${short(generate)} cycles`),
    row('an answer, `start`, one token a call', (costs) => short(costs.start)),
    row('an answer, as many tokens a call as fit', ({ auto }) => short(auto)),
    row('upload, once', ({ upload }) => short(upload)),
    row('storage, a day', ({ storageDay }) => short(storageDay)),
  ].join('\n');
}

const file = join(projectRoot, 'README.md');
let readme = await readFile(file, 'utf8');
for (const [mark, text] of [
  ['transcript: npm start', start()],
  ['costs', costs()],
] as const) {
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark.split(':')[0]} -->`];
  const [before, rest] = readme.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`transcript: expected ${begin} and ${end} in README.md, got none`);
  readme = `${before}${begin}\n\n${text}\n\n${end}${after}`;
}
await writeFile(file, readme);
