/** `npm start` and `npm test` in a clone where nothing is installed yet. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectRoot } from '../../src/node/build/project.ts';

it.each([['start'], ['test']])('npm %s says to run npm ci first', async (command) => {
  const clone = await mkdtemp(join(tmpdir(), 'stepwise-'));
  await mkdir(join(clone, 'scripts'));
  for (const file of ['package.json', '.npmrc', 'scripts/about.js'])
    await cp(join(projectRoot, file), join(clone, file));
  const run = promisify(execFile)('npm', [command], { cwd: clone });
  await expect(run).rejects.toMatchObject({ stderr: expect.stringContaining('got none; run npm ci first\n') });
  await rm(clone, { recursive: true });
});
