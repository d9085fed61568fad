/**
 * `npm run ask` against a network that is not the one of npm start: what it prints, and what it says to wrong input.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { buildCanister } from '../../src/node/build/canister.ts';
import { projectRoot } from '../../src/node/build/project.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { controllerPem, LocalNetwork } from '../../src/node/network/local-network.ts';
import { change } from '../canister/llm.ts';
import { run } from './command.ts';

const [apples] = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8')).cases;
const made = apples.ids.length;

let network: LocalNetwork;
let canister: string;
let at: string[];
const ask = (...args: string[]) => run('ask', args).ended;

beforeAll(async () => {
  network = await LocalNetwork.start(0);
  canister = (await network.install('llm')).canisterId.toText();
  const client = await connect({ host: network.url, canisterId: canister, identity: network.identity });
  await client.uploadPack(readFileSync((await packFolder('models/little-flan', 'int8')).path));
  at = ['--network', network.url, '--canister', canister];
});
afterAll(() => network.close());

describe('npm run ask', () => {
  it('writes the answer to stdout without colours, what it took to stderr', async () => {
    const { code, stdout, stderr } = await ask(...at, '--identity', controllerPem, apples.prompt);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${apples.text}\n` });
    expect(stderr).toMatch(
      new RegExp(
        `^${apples.prompt_ids.length} tokens in, ${made} out, ${made} calls, [\\d.]+ s, [\\d.]+ [MB] cycles = .* USD\nthe canister's bill: \\d+ messages .*; .* cache\n$`,
      ),
    );
  });

  const hasScript = spawnSync('script', ['--version']).status === 0;
  it.skipIf(!hasScript)('shows what it took in pale on a terminal, unless NO_COLOR is set', async () => {
    const onTerminal = async (env: object) => {
      const line = `${process.execPath} --import tsx scripts/ask.ts ${at.join(' ')} opposite of hot:`;
      const options = { cwd: projectRoot, env: { ...process.env, NO_COLOR: '', ...env } };
      return (await promisify(execFile)('script', ['-qec', line, '/dev/null'], options)).stdout;
    };
    expect(JSON.stringify(await onTerminal({}))).toMatch(
      /^"cold\\r\\n\\u001b\[2m\d+ tokens in, .* USD\\r\\n.* cache\\u001b\[22m\\r\\n"$/,
    );
    expect(await onTerminal({ NO_COLOR: '1' })).not.toContain('\x1b');
  });

  it('takes the prompt as --prompt too, and says where the answer came from', async () => {
    const keeper = await connect({ host: network.url, canisterId: canister, identity: network.identity });
    await keeper.actor.set_settings(change({ answer_cache: true }));
    await ask(...at, '--prompt', 'opposite of hot:');
    const again = await ask(...at, '--prompt', 'opposite of hot:');
    expect(again.stdout).toBe('cold\n');
    expect(again.stderr).toMatch(
      /^\d+ tokens in, \d+ out, from the cache, .*\nthe canister's bill: 1 message, ingress; /,
    );
    await keeper.actor.set_settings(change({ answer_cache: false }));
  });

  it('says so where the answer has no text', async () => {
    const atOnce = JSON.stringify({ forced_eos_token_id: [1], max_new_tokens: 1 });
    const { code, stdout } = await ask(...at, '--options', atOnce, apples.prompt);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '(no text)\n' });
  });

  it('takes all options of a generation, by their names', async () => {
    const given = JSON.stringify({
      do_sample: true,
      temperature: 5,
      seed: 7,
      max_new_tokens: 6,
      tokens_per_call: 'auto',
    });
    const answers = await Promise.all([1, 2].map(() => ask(...at, '--json', '--options', given, apples.prompt)));
    const [one, other] = answers.map(({ stdout }) => JSON.parse(stdout));
    expect(one).toMatchObject({ text: other.text, output_tokens: 6, finish_reason: 'length', calls: 1 });
    expect(apples.text.startsWith(one.text)).toBe(false);
  });
});

describe('wrong input is answered in one line, with exit code 1', () => {
  it.each<[string, () => string[], RegExp]>([
    ['no prompt', () => at, /^ask: expected a prompt, got none; npm run ask -- ".*"$/],
    ['an empty prompt', () => [...at, ''], /^ask: expected a prompt, got no text; npm run ask -- ".*"$/],
    ['a blank prompt', () => [...at, '--prompt', ' \t'], /^ask: expected a prompt, got no text; npm run ask -- ".*"$/],
    [
      'two prompts',
      () => [...at, '--prompt', 'hi', 'ho'],
      /^ask: expected the prompt once, got it as --prompt and as "ho"$/,
    ],
    [
      'nobody at the address',
      () => ['--network', 'http://127.0.0.1:49151', ...at.slice(2), 'hi'],
      /^--network: expected a network at http:\/\/127\.0\.0\.1:49151, got .*ECONNREFUSED/,
    ],
    ['no such host', () => ['--network', 'http://nowhere.invalid', ...at.slice(2), 'hi'], /nowhere\.invalid$/],
    [
      'no scheme',
      () => ['--network', 'localhost:4943', 'hi'],
      /^--network: expected a URL, ic or local, got "localhost:4943"$/,
    ],
    [
      'no canister named',
      () => [...at.slice(0, 2), 'hi'],
      /^--canister: expected the id of the model canister on http:\/\/127\.0\.0\.1:\d+, got none; icp deploy says it, and npm start/,
    ],
    ['no canister id', () => [...at.slice(0, 3), 'abc', 'hi'], /^--canister: expected an id like .*, got "abc"$/],
    [
      'no such canister',
      () => [...at.slice(0, 3), 'rrkah-fqaaa-aaaaa-aaaaq-cai', 'hi'],
      /rrkah-.* not found \(IC0301\)$/,
    ],
    [
      'no canister but the management',
      () => [...at.slice(0, 3), 'aaaaa-aa', 'hi'],
      /^the network answered HTTP 400: .+/,
    ],
    [
      'no PEM file',
      () => [...at, '--identity', '/no/such.pem', 'hi'],
      /^identity: expected a PEM file, got \/no\/such\.pem: ENOENT/,
    ],
    [
      'a PEM file that is none',
      () => [...at, '--identity', 'package.json', 'hi'],
      /^identity: expected a private key in PEM .*package\.json/,
    ],
    [
      'a root key not known',
      () => ['--network', network.url.replace('127.0.0.1', '0.0.0.0'), ...at.slice(2), 'hi'],
      /--fetch-root-key$/,
    ],
    [
      'an unknown option',
      () => [...at, '--options', '{ "temp": 1 }', 'hi'],
      /^stream: expected options among .*, got temp$/,
    ],
    [
      'another type',
      () => [...at, '--options', '{ "top_k": "x" }', 'hi'],
      /^stream: expected top_k to be opt nat32, got x$/,
    ],
    ['no JSON', () => [...at, '--options', 'top_k=5', 'hi'], /Expected a JSON object\.$/],
  ])('%s', async (_, args, line) => {
    const { code, stdout, stderr } = await ask(...args());
    expect({ code, stdout, lines: stderr.trimEnd().split('\n') }).toEqual({
      code: 1,
      stdout: '',
      lines: [expect.stringMatching(line)],
    });
  });

  it('a canister that has no such method', async () => {
    const { canisterId } = network.replica.createCanister({});
    const { gz } = await buildCanister('caller');
    await network.replica.installCode({
      canisterId,
      wasm: gz,
      arg: new TextEncoder().encode('DIDL\x01\x6e\x68\x01\x00\x00'),
    });
    const { stderr } = await ask(...at.slice(0, 3), canisterId.toText(), 'hi');
    expect(stderr).toMatch(/start.*\(IC0536\)\n$/);
  });

  it('an anonymous caller where none may ask, in JSON too', async () => {
    const keeper = await connect({ host: network.url, canisterId: canister, identity: network.identity });
    await keeper.actor.set_settings(change({ access: { signed_in: null } }));
    const { code, stdout, stderr } = await ask(...at, '--json', 'hi');
    expect(stderr).toBe('start: expected a caller who is signed in, got the anonymous one (IC0503)\n');
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 1, error: { message: stderr.trimEnd() } });
    expect((await ask(...at, '--identity', controllerPem, 'opposite of hot:')).stdout).toBe('cold\n');
  });
});
