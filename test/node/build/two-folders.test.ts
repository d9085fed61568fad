/**
 * The canister itself, built a second time in a folder of its own: whoever compares a deployed hash with the sources
 * builds in yet another one.
 */
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { buildCanister } from '../../../src/node/build/canister.ts';
import { projectRoot } from '../../../src/node/build/project.ts';

let folder = '';
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What git has of the sources: nothing that a build has written. */
const MADE = /page-data\.js$|\/generated(\/|$)/;

it('gives the same module hash from another folder, with a longer path', async () => {
  folder = await mkdtemp(join(tmpdir(), 'stepwise-'));
  const root = join(folder, 'somewhere/else/with a longer path');
  await mkdir(root, { recursive: true });
  for (const name of ['src', 'dfx.json', 'package.json', 'package-lock.json', 'tsconfig.json'])
    await cp(join(projectRoot, name), join(root, name), { recursive: true, filter: (file) => !MADE.test(file) });
  await symlink(join(projectRoot, 'node_modules'), join(root, 'node_modules'), 'junction');
  const here = await buildCanister('llm');
  const there = await buildCanister('llm', { root });
  expect(there.built).toBe(true);
  expect(there.moduleHash).toBe(here.moduleHash);
  expect(Buffer.compare(there.wasm, here.wasm)).toBe(0);
}, 900_000);
