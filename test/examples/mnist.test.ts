/**
 * examples/mnist as somebody has it who copied the folder out: built with the packages that lie in it, and its own
 * tests run, on the replica and in Chromium. No network: what is not vendored is this project's own installation.
 */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copiedOut } from './copied.ts';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await copiedOut('mnist');
});
afterAll(() => rm(folder, { recursive: true }));

const node = async (...args: string[]): Promise<string> => {
  const { stdout } = await run(process.execPath, args, { cwd: folder, maxBuffer: 1 << 24 }).catch((error) => {
    throw new Error(`${args.join(' ')}\n${error.stdout}\n${error.stderr}`);
  });
  return stdout;
};

it('builds, checks its types, and passes its own tests', { timeout: 400_000 }, async () => {
  expect(await node('--import', 'tsx', 'build.js', 'mnist')).toContain('build/mnist.wasm.gz');
  await node('node_modules/typescript/bin/tsc');
  expect(await node('node_modules/vitest/vitest.mjs', 'run', '--maxWorkers=1')).toMatch(/Tests .*passed/);
});
