/**
 * Conversations as commands have them, in processes of their own: npm run local -- --chat, npm run chat here and with a
 * canister, npm run ask, npm start.
 */
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChatMessage, connect } from '../../src/client/index.ts';
import { projectRoot } from '../../src/node/build/project.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { LocalNetwork } from '../../src/node/network/local-network.ts';
import { run } from './command.ts';

const TEMPLATE =
  '{% for m in messages %}<|user|>{{ m.role }}: {{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|user|>assistant: {% endif %}';
const TOKENS = ['--max-new-tokens', '8'];

let folder: string;
let network: LocalNetwork;
let at: string[];
/** What the model says to conversations, by `npm run local -- --chat -`. */
const answers = new Map<string, string>();

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
async function local(conversations: unknown[]) {
  const input = conversations.map((messages) => JSON.stringify(messages)).join('\n');
  const { stdout, code } = await run('local', ['--model', folder, '--chat', '-', ...TOKENS], input).ended;
  return {
    code,
    lines: stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-'));
  await cp(join(projectRoot, 'test/fixtures/llama/llama-a'), folder, { recursive: true });
  const { files } = JSON.parse(readFileSync(join(projectRoot, 'test/fixtures/bpe/smollm.json'), 'utf8'));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(files['tokenizer.json']));
  await writeFile(join(folder, 'chat_template.jinja'), TEMPLATE);
  network = await LocalNetwork.start(0);
  const canister = (await network.install('llm')).canisterId.toText();
  const client = await connect({ host: network.url, canisterId: canister, identity: network.identity });
  await client.uploadPack(readFileSync((await packFolder(folder, 'int8')).path));
  at = ['--network', network.url, '--canister', canister];
  expect((await client.modelInfo())!.chats).toEqual([true]);
});
afterAll(async () => {
  await network.close();
  await rm(folder, { recursive: true });
});

describe('npm run local -- --chat', () => {
  it('answers a conversation a line; what is none has a line that says so', async () => {
    const { lines, code } = await local([
      [user('hi')],
      [user('hi'), { role: 'narrator', content: 'x' }],
      [user('<|end|>')],
    ]);
    expect(code).toBe(1);
    expect(lines.map((line) => Object.keys(line))).toEqual([
      ['promptIds', 'ids', 'text', 'finishReason'],
      ['error'],
      ['promptIds', 'ids', 'text', 'finishReason'],
    ]);
    // <|user|> is a special token, and so is <|end|> where the template writes it
    const specials = (ids: number[]) => ids.filter((id) => id === 640 || id === 641);
    for (const i of [0, 2]) expect(specials(lines[i].promptIds)).toEqual([640, 641, 640]);
    answers.set('hi', lines[0].text);
    const second = await local([[user('hi'), assistant(lines[0].text), user('and?')], [user('and?')]]);
    answers.set('and?', second.lines[0].text);
    answers.set('and? alone', second.lines[1].text);
    expect(second.lines[0].text).not.toBe(second.lines[1].text);
  });
});

describe.each([
  ['here', () => ['--model', folder]],
  ['with a canister', () => at],
])('npm run chat %s', (_, where) => {
  it('is a conversation, until it is begun anew', async () => {
    const { stdout, stderr, code } = await run('chat', [...where(), ...TOKENS], 'hi\nand?\n/reset\nand?\n\n').ended;
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const said = ['hi', 'and?', 'and? alone'].map((which) => answers.get(which));
    expect(stdout).toContain(`${said[0]}\n`);
    expect(
      stdout
        .split('> ')
        .filter((part) => part !== '')
        .map((part) => part.replace(/\n$/, '')),
    ).toEqual([said[0], said[1], said[2]]);
  });

  it('goes on after what cannot be answered, which is no part of it', async () => {
    const { stdout, stderr } = await run('chat', [...where(), ...TOKENS], `${'0'.repeat(700)}\nhi\n`).ended;
    expect(stderr).toMatch(/expected .*; ask again, or begin anew with \/reset\n$/);
    expect(stdout).toContain(`${answers.get('hi')}\n`);
  });
});

describe('a model with a template', () => {
  it('is asked by it, unless --raw is given', async () => {
    const ask = async (...args: string[]) => (await run('ask', [...at, ...TOKENS, ...args]).ended).stdout;
    expect(await ask('hi')).toBe(`${answers.get('hi')}\n`);
    const { stdout } = await run('local', ['--model', folder, ...TOKENS, 'hi']).ended;
    const raw = await ask('--raw', 'hi');
    expect(stdout.startsWith(raw)).toBe(true);
    expect(raw).not.toBe(`${answers.get('hi')}\n`);
  });

  it('is asked so by npm start', async () => {
    const { stdout } = await run('start', ['--model', folder, 'hi']).ended;
    expect(stdout).toContain(`\n> hi\n${answers.get('hi')}`);
    expect(stdout).toMatch(/^calls +\d+: start_chat from outside/m);
  });
});

it.each<[string[], string]>([
  [['--model', 'models/little-flan'], 'chat: expected a model with a chat template, got little-flan, which has none'],
  [
    ['--model', 'x', '--canister', 'y'],
    'chat: expected --model, or --network and --canister, got --model and --canister',
  ],
  [
    ['--weights', 'int4'],
    'chat: expected --weights with --model, as a canister holds its weights already, got it alone',
  ],
])('npm run chat %j says %s', async (args, message) => {
  const { code, stderr } = await run('chat', args, 'hi\n').ended;
  expect(stderr).toContain(message);
  expect(code).toBe(1);
});
