/** Options that npm took for its own, because `--` was not before them. */
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import { runCommand } from '../../src/node/terminal/command.ts';

const ran = vi.fn();
const program = () =>
  new Command('npm run some --').option('--tokens-per-call <n>').option('--cache <folder>').action(ran);
const argv = process.argv;
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  ran.mockClear();
  process.argv = argv;
  process.exitCode = undefined;
});

it('are refused, with the way to give them', async () => {
  vi.stubEnv('npm_config_tokens_per_call', 'true');
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  process.argv = ['node', 'some'];
  await runCommand(program());
  expect(ran).not.toHaveBeenCalled();
  expect(process.exitCode).toBe(1);
  expect(said.mock.calls).toEqual([
    ['--tokens-per-call: expected it after --, as in npm run some -- --tokens-per-call; npm has kept it'],
  ]);
});

it('that npm has anyway say nothing', async () => {
  vi.stubEnv('npm_config_cache', '/home/me/.npm');
  process.argv = ['node', 'some'];
  await runCommand(program());
  expect(ran).toHaveBeenCalled();
});
