import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { jsonStrings } from '../../src/node/terminal/json-lines.ts';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const start = (...args: string[]): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, ['--import', 'tsx', path('scripts/tokenize.ts'), ...args]);

const run = (spiece: string, input: string) => runWith(['--spiece', spiece], input);

async function runWith(args: string[], input: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = start(...args);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (data) => (stdout += data));
  child.stderr.setEncoding('utf8').on('data', (data) => (stderr += data));
  child.stdin.on('error', () => {}).end(input);
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

/** What little-flan's normaliser makes of a prompt. */
const folded = (prompt: string): string =>
  prompt
    .toLowerCase()
    .replace(/[?!'"]/g, '')
    .replace(/[.,;:]/g, ' ')
    .replace(/×/g, '*')
    .replace(/÷/g, '/')
    .replace(/ +/g, ' ')
    .trim();

describe('npm run tokenize', () => {
  it('answers each line with ids and the text of them, in order', async () => {
    const { cases } = JSON.parse(readFileSync(path('models/little-flan/expected.json'), 'utf8'));
    const input = cases.map(({ prompt }: { prompt: string }) => `${JSON.stringify(prompt)}\n`).join('');
    const { code, stdout } = await run(path('models/little-flan/spiece.model'), input);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(cases.length);
    lines.forEach((line, i) => {
      expect(JSON.parse(line)).toEqual({ ids: cases[i].prompt_ids, decoded: folded(cases[i].prompt) });
    });
  });

  it('answers a line before the next one comes', async () => {
    const child = start('--spiece', path('models/little-flan/spiece.model'));
    child.stdin.write('"two"\n');
    expect(JSON.parse(String((await once(child.stdout, 'data'))[0])).decoded).toBe('two');
    child.stdin.end('"three"');
    expect(JSON.parse(String((await once(child.stdout, 'data'))[0])).decoded).toBe('three');
    await once(child, 'close');
  });

  it('reads a model folder of either kind; special tokens are what they are unless --plain', async () => {
    const flan = await runWith(['--model', path('models/little-flan')], '"hot</s>"\n');
    const [hot] = JSON.parse((await runWith(['--model', path('models/little-flan')], '"hot"\n')).stdout).ids;
    expect(JSON.parse(flan.stdout).ids).toEqual([hot, 1, 1]);
    const folder = await mkdtemp(join(tmpdir(), 'tokenize-'));
    const { files, cases } = JSON.parse(readFileSync(path('test/fixtures/bpe/llama3.json'), 'utf8'));
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(files['tokenizer.json']));
    const { text, bareIds, plainIds } = cases.find((c: { text: string }) => c.text === 'a<|end|>b');
    expect(bareIds).not.toEqual(plainIds);
    const input = `${JSON.stringify(text)}\n`;
    const special = await runWith(['--model', folder], input);
    expect(JSON.parse(special.stdout)).toEqual({ ids: bareIds, decoded: text });
    const plain = await runWith(['--model', folder, '--plain'], input);
    expect(JSON.parse(plain.stdout)).toEqual({ ids: plainIds, decoded: text });
    await rm(folder, { recursive: true });
  });

  it.each([
    [['--model', 'nowhere.gguf'], 'model: expected a folder or a GGUF file, got '],
    [['--model', 'docs'], 'expected a tokenizer in docs (tokenizer.json, tokenizer.model or spiece.model, or'],
    [['--model', 'LICENSE'], 'LICENSE: expected'],
    [[], 'tokenize: expected one of --model and --spiece, got neither'],
    [['--model', 'a', '--spiece', 'b'], 'tokenize: expected one of --model and --spiece, got both'],
    [['--model', 'a', '--special-tokens'], 'expected --special-tokens with --spiece only, got it with --model'],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, stderr } = await runWith(args, '');
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n').length).toBe(1);
    expect(code).toBe(1);
  });

  it.each([
    ['nowhere.model', '', 'tokenize: expected --spiece to be a file, got nowhere.model (ENOENT)\n'],
    [
      'models/little-flan/spiece.model',
      '"a"\n{}\n',
      'tokenize: line 2: expected a JSON string such as "hello", got {}\n',
    ],
    ['LICENSE', '', 'LICENSE, byte'],
    ['package.json', '', 'package.json: model: expected a JSON object, got nothing\n'],
  ])('says what is wrong: %s, %j', async (spiece, input, message) => {
    const { code, stderr } = await run(spiece.includes('nowhere') ? spiece : path(spiece), input);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n').length).toBe(1);
    expect(code).toBe(1);
  });
});

describe('lines of JSON strings', () => {
  const read = async (...chunks: (string | Uint8Array)[]) => {
    const texts: string[] = [];
    async function* stream() {
      yield* chunks;
    }
    for await (const text of jsonStrings(stream(), 'here')) texts.push(text);
    return texts;
  };

  it('may come in any pieces, and hold any separator but a line feed', async () => {
    expect(await read('"a', 'b"\n"c"', '\n', '"d\u2028e"\r\n"f"')).toEqual(['ab', 'c', 'd\u2028e', 'f']);
    const bytes = new TextEncoder().encode('"née"\n');
    expect(await read(bytes.slice(0, 3), bytes.slice(3))).toEqual(['née']);
    expect(await read()).toEqual([]);
  });

  it('are refused by number', async () => {
    await expect(read('"a"\n\n"b"')).rejects.toThrow(
      'here: line 2: expected a JSON string such as "hello", got an empty line',
    );
    await expect(read('"a"\nhello "you"')).rejects.toThrow(
      'here: line 2: expected a JSON string such as "hello", got hello \\"you\\", which is not JSON',
    );
    await expect(read('"a"\nnull')).rejects.toThrow('here: line 2: expected a JSON string such as "hello", got null');
    await expect(read('"a"\n7')).rejects.toThrow('here: line 2: expected a JSON string such as "hello", got 7');
  });
});
