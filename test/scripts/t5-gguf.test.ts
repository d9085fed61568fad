/** A T5 in one GGUF file, for the commands: what they do with its folder, they do with it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { t5AsGguf } from '../model/families/t5/gguf-t5.ts';

const folder = mkdtempSync(join(tmpdir(), 'stepwise-t5-gguf-'));
const [file, bare] = [join(folder, 'little-flan.gguf'), join(folder, 'bare.gguf')];
beforeAll(async () => {
  writeFileSync(file, await t5AsGguf('models/little-flan'));
  writeFileSync(bare, await t5AsGguf('test/fixtures/t5/flan-a'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (script: string, args: string[], input = '') =>
  spawnSync(process.execPath, ['--import', 'tsx', `scripts/${script}.ts`, ...args], { encoding: 'utf8', input });

interface Expected {
  cases: { prompt: string; prompt_ids: number[]; ids: number[]; text: string }[];
}
const { cases }: Expected = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8'));
const { prompt, prompt_ids, text } = cases[0]!;

it('tokenize', () => {
  const { stdout, stderr } = run('tokenize', ['--model', file], `${JSON.stringify(prompt)}\n`);
  expect(JSON.parse(stdout || stderr).ids).toEqual(prompt_ids);
});

it('local', () => {
  const { stdout, stderr } = run('local', ['--model', file, '--weights', 'float32', '--prompt', prompt, '--json']);
  expect(JSON.parse(stdout || stderr)).toMatchObject({ promptIds: prompt_ids, text });
});

it('pack', () => {
  const out = join(folder, 'x.pack');
  const { status, stdout } = run('pack', ['--model', file, '--out', out]);
  expect([status, stdout]).toEqual([0, expect.stringContaining('from gguf, int8, ')]);
  const none = run('pack', ['--model', bare, '--out', out]);
  expect([none.status, none.stderr]).toEqual([
    1,
    expect.stringContaining('bare.gguf: expected tokenizer.ggml.model in its metadata, got none'),
  ]);
});
