/** Every command of package.json has --help, which says how it is used and does nothing. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../../src/node/build/project.ts';

const scripts: Record<string, string> = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).scripts;
const PATH = `${join(projectRoot, 'node_modules/.bin')}:${process.env.PATH}`;

/** What git sees of the project: nothing that it tracks may change. */
const state = (): string =>
  existsSync(join(projectRoot, '.git'))
    ? execFileSync('git', ['status', '--porcelain'], { cwd: projectRoot, encoding: 'utf8' }) +
      execFileSync('git', ['diff'], { cwd: projectRoot, encoding: 'utf8', maxBuffer: 1 << 28 })
    : '';

it('says how each is used at once, and leaves all files as they are', async () => {
  const before = state();
  const left = Object.entries(scripts);
  const wrong: string[] = [];
  const next = async (): Promise<void> => {
    for (let one = left.pop(); one; one = left.pop()) {
      const [name, line] = one;
      // as npm does: what stands behind -- goes to the end of the line
      const { stdout } = await promisify(execFile)('sh', ['-c', `${line} --help`], {
        cwd: projectRoot,
        env: { ...process.env, PATH, NO_COLOR: '1' },
        timeout: 60_000,
      }).catch((error: Error) => ({ stdout: error.message }));
      const head = stdout.split('\n').slice(0, 4).join('\n');
      if (!/usage/i.test(head)) wrong.push(`npm run ${name} -- --help: expected its usage first, got ${head}`);
    }
  };
  await Promise.all([next(), next()]);
  expect(wrong).toEqual([]);
  expect(state()).toBe(before);
});
