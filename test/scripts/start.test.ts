/**
 * `npm start` as a newcomer runs it: in a process of its own, from the sources to an answer; and what it says to wrong
 * input.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCanister } from '../../src/node/build/canister.ts';
import { projectRoot } from '../../src/node/build/project.ts';
import { findServed, rememberServed } from '../../src/node/network/served.ts';
import { type Running, run } from './command.ts';

const littleFlan = join(projectRoot, 'models/little-flan');
const [apples] = JSON.parse(readFileSync(join(littleFlan, 'expected.json'), 'utf8')).cases;

// what is built once is not built by each process
beforeAll(async () => {
  await buildCanister('llm');
  await buildCanister('caller');
});

describe('npm start', () => {
  it('answers the apples question as transformers does, says what it took, and ends', async () => {
    const { code, stdout, stderr } = await run('start').ended;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain(`\n${apples.text}\n`);
    const made = apples.ids.length;
    expect(stdout).toMatch(/^Replica at http:\/\/127\.0\.0\.1:49\d\d/m);
    expect(stdout).toMatch(/^Uploading little-flan, int8 100% of 4\.4 MB$/m);
    expect(stdout).toMatch(new RegExp(`^prompt +${apples.prompt_ids.length} tokens$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^answer +${made} tokens, the stop token included$`, 'm'));
    expect(stdout).toMatch(
      new RegExp(`^calls +${made + 1}: start from outside, generate by the canister itself ${made} times$`, 'm'),
    );
    expect(stdout).toMatch(/^instructions +[\d.]+ [MB]: [\d.]+ [MB] to start, [\d.]+ M a token$/m);
    expect(stdout).toMatch(/^outside the unit +\d+% of all, \d+% of what the tokens took$/m);
    expect(stdout).toMatch(/^cost +[\d.]+ [MB] cycles = 0\.\d+ XDR, about 0\.\d+ USD if an XDR is 1\.35 USD$/m);
    // the canister's own bill is what the replica charged, nearly
    const [, charged, , billed] = /^cost +([\d.]+) ([MB]) cycles[\s\S]*the canister's own bill says ([\d.]+) \2$/m.exec(
      stdout,
    )!;
    expect(Math.abs(Number(billed) / Number(charged) - 1)).toBeLessThan(0.01);
    expect(stdout).toMatch(/^cache +nothing came from a cache$/m);
    expect(stdout).toMatch(/^time +[\d.]+ s here$/m);
    expect(stdout).toMatch(/^on the network +some 1 to 2 s on a quiet subnet: all messages fit one round$/m);
  });
});

describe('npm start -- --serve', () => {
  let served: Running;
  let url: string;

  beforeAll(async () => {
    served = run('start', [
      '--serve',
      '--weights',
      'int4',
      '--tokens-per-call',
      'auto',
      '--prompt',
      'opposite of hot:',
    ]);
    await served.says('until Ctrl-C');
    url = /Replica at (\S+?):? /.exec(served.said().replaceAll('\n', ' '))![1]!;
  });
  afterAll(() => void served.child.kill('SIGKILL'));

  it('answers the prompt given, here with as many tokens a call as a message holds', () => {
    expect(served.said()).toContain('> opposite of hot:\ncold\n');
    expect(served.said()).toMatch(/^calls +2: start from outside, generate by the canister itself once$/m);
  });

  it('prints a script for @dfinity/agent that works as it stands', async () => {
    const script = /^node --input-type=module <<'END'\n.*?^END$/ms.exec(served.said())![0];
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: projectRoot });
    expect(stdout).toContain('cold');
  });

  it('prints commands for ask, dfx and icp with address and canister', () => {
    const id = /Canister llm is (\S+),/.exec(served.said())![1]!;
    for (const line of [
      `npm run ask -- --network ${url} --canister ${id} '`,
      `npm run upload -- --network ${url} --canister ${id} --identity build/start/identity.pem --model `,
      `dfx canister call --network ${url} ${id} generate '("`,
      `icp canister call --network ${url} --root-key fetch ${id} generate '("`,
    ])
      expect(served.said()).toContain(line);
  });

  it('prints the question that it was asked', () => {
    expect(served.said()).toMatch(/npm run ask -- .* 'opposite of hot:'$/m);
    expect(served.said()).not.toContain('apples');
  });

  it('is found though one that was killed left its address', async () => {
    const dead = { url: 'http://127.0.0.1:9', canisterId: 'rwlgt-iiaaa-aaaaa-aaaaa-cai', caller: 'none' };
    await rememberServed(dead);
    const found = await findServed();
    expect(found.map((one) => one.url)).toContain(url);
    expect(found.map((one) => one.url)).not.toContain(dead.url);
  });

  it('holds its port: whoever wants the same one is told, in one line', async () => {
    const port = new URL(url).port;
    const { code, stderr } = await run('start', ['--port', port]).ended;
    const line = `serve: expected a free port, got 127.0.0.1:${port}, where a program is listening already; take another\n`;
    expect({ code, stderr }).toEqual({ code: 1, stderr: line });
  });

  it('is there for npm run ask without naming it', async () => {
    const { code, stdout, stderr } = await run('ask', ['what', 'is', 'the', 'capital', 'of', 'france']).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'paris\n' });
    expect((await findServed()).map((served) => served.url)).toContain(url);
    expect(stderr).toMatch(
      /^\d+ tokens in, (\d+) out, \1 calls, [\d.]+ s, [\d.]+ M cycles = .* USD\nthe canister's bill: .* cache\n$/,
    );
  });

  it('gives npm run ask -- --json one object, of errors too', async () => {
    const at = ['--network', url, '--canister', /Canister llm is (\S+),/.exec(served.said())![1]!, '--json'];
    const good = await run('ask', [...at, '--max-new-tokens', '5', apples.prompt]).ended;
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(good.stdout)).toMatchObject({
      finish_reason: 'length',
      output_tokens: 5,
      prompt_tokens: apples.prompt_ids.length,
    });
    const bad = await run('ask', [...at, ' ']).ended;
    expect(bad).toMatchObject({
      code: 1,
      stderr: 'ask: expected a prompt, got no text; npm run ask -- "what is 17 + 26?"\n',
    });
    expect(JSON.parse(bad.stdout)).toEqual({
      error: { code: 'EmptyPrompt', message: 'ask: expected a prompt, got no text; npm run ask -- "what is 17 + 26?"' },
    });
  });

  it('takes another model from npm run upload, which says what it costs and asks nobody who is not there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stepwise-'));
    const other = join(folder, 'little-flan-too');
    await cp(littleFlan, other, { recursive: true });
    await writeFile(join(other, 'generation_config.json'), '{ "max_new_tokens": 3, "eos_token_id": 1 }');
    const at = ['--model', other, '--network', url, '--identity', join(projectRoot, 'build/start/identity.pem')];
    try {
      const asked = await run('upload', at).ended;
      expect(asked).toMatchObject({
        code: 1,
        stderr: 'upload: expected --yes where nobody can be asked, got no terminal\n',
      });
      expect(asked.stdout).toMatch(/the canister pays [\d.]+ B cycles = /);
      const stranger = await run('upload', [...at.slice(0, 4), '--yes']).ended;
      expect(stranger.stderr).toMatch(
        /^upload_start: expected a controller of \S+ or an admin, got 2vxsx-fae \(IC0503\)\n$/,
      );
      expect(await run('upload', [...at, '--yes']).ended).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringMatching(/100% of 4\.4 MB\nlittle-flan-too answers now: SHA-256 [0-9a-f]{64}\n$/),
      });
      expect((await run('upload', [...at, '--yes']).ended).stdout).toMatch(/is the model of \S+ already/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('ends well on Ctrl-C', async () => {
    served.child.kill('SIGINT');
    expect(await served.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('wrong input is answered in one line, with exit code 1', () => {
  let folder: string;
  let busy: Server;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stepwise-'));
    for (const name of ['weights', 'config', 'tokenizer'])
      await cp(littleFlan, join(folder, name), { recursive: true });
    await truncate(join(folder, 'weights/model.safetensors'), 100_000);
    await writeFile(join(folder, 'config/config.json'), '{ "model_type": "t5", ');
    await writeFile(join(folder, 'tokenizer/spiece.model'), 'no protocol buffer');
    busy = createServer().listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    busy.close();
    await rm(folder, { recursive: true });
  });

  const port = () => String((busy.address() as { port: number }).port);
  it.each<[string, () => string[], RegExp]>([
    [
      'no such folder',
      () => ['--model', '/no/such'],
      /^model: expected a folder with .*, got \/no\/such, which is not there$/,
    ],
    [
      'a file for a folder',
      () => ['--model', 'package.json'],
      /^[^ ]+: expected a GGUF file, which begins with GGUF, got /,
    ],
    ['a folder without a model', () => ['--model', 'scripts'], /config\.json/],
    ['a truncated checkpoint', () => ['--model', join(folder, 'weights')], /model\.safetensors|safetensors/],
    ['a broken configuration', () => ['--model', join(folder, 'config')], /config\.json/],
    ['a broken tokenizer', () => ['--model', join(folder, 'tokenizer')], /spiece\.model/],
    [
      'a port that is taken',
      () => ['--port', port()],
      /^serve: expected a free port, got 127\.0\.0\.1:\d+, where .*; take another$/,
    ],
    [
      'a port that is none',
      () => ['--port', '70000'],
      /'70000' is invalid\. Expected a whole number from 1 to 65535\.$/,
    ],
    ['an empty prompt', () => [''], /^start: expected a prompt, got no text; npm start -- ".*"$/],
    ['a blank one', () => ['--prompt', '  '], /^start: expected a prompt, got no text; npm start -- ".*"$/],
    [
      'two prompts',
      () => ['--prompt', 'a', 'b', 'c'],
      /^start: expected the prompt once, got it as --prompt and as "b c"$/,
    ],
    ['no tokens a call', () => ['--tokens-per-call', '0'], /'0' is invalid\. Expected a whole number from 1 to/],
    ['an option that is not there', () => ['--modle', 'x'], /^error: unknown option '--modle'/],
  ])('%s', async (_, args, line) => {
    const { code, stdout, stderr } = await run('start', args()).ended;
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .filter((text) => !text.startsWith('(Did you mean')),
      stderr,
    ).toEqual([expect.stringMatching(line)]);
    expect(code).toBe(1);
    expect(stdout).not.toContain('Canister llm is');
    if (/prompt/.test(stderr)) expect(stdout).toBe('');
  });
});
