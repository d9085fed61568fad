/** `npx tsx scripts/transcript.ts`: runs `npm start` and puts what it prints into README.md, between the transcript's marks. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from './build/project.ts';

const { stdout, status } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/start.ts'], {
  cwd: projectRoot,
  encoding: 'utf8',
});
if (status !== 0) throw new Error(`transcript: expected npm start to end with 0, got ${status}`);
// progress, and what is only said where something is built for the first time
const lines = stdout.split('\n').filter((line) => !/^(Building|Converting|Uploading .* [0-9]{1,2}%)/.test(line));
const file = join(projectRoot, 'README.md');
const readme = await readFile(file, 'utf8');
const marks = /(<!-- transcript: npm start -->\n)[\s\S]*?(<!-- \/transcript -->)/;
await writeFile(
  file,
  readme.replace(marks, (_, begin, end) => `${begin}\n\`\`\`text\n${lines.join('\n').trim()}\n\`\`\`\n\n${end}`),
);
