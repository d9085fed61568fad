/** `npm run local` as it is called from a shell. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSpieceModel } from '../../src/model/tokenizer/files/spiece-model.ts';

function local(args: string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/local.ts', ...args], {
    encoding: 'utf8',
    input,
  });
  return { status, stdout, stderr };
}

const { cases } = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8'));
const flanA = JSON.parse(readFileSync('test/fixtures/t5/flan-a/expected.json', 'utf8')).cases[2];

describe('npm run local', () => {
  it('prints one object with --json', () => {
    const { stdout, status } = local(['--model', 'models/little-flan', '--prompt', cases[0].prompt, '--json']);
    const { prompt_ids: promptIds, ids, text } = cases[0];
    expect(JSON.parse(stdout)).toEqual({ promptIds, ids, text, finishReason: 'stop' });
    expect(status).toBe(0);
  });

  it('goes through --decoder-ids, and gives a row of logits for each, with no tokenizer at hand', () => {
    const [prompt, decoder] = [flanA.input_ids, flanA.decoder_input_ids];
    const args = ['--model', 'test/fixtures/t5/flan-a', '--ids', `${prompt}`, '--decoder-ids', `${decoder}`];
    const { stdout } = local([...args, '--weights', 'float32', '--logits', '--json']);
    const result = JSON.parse(stdout);
    expect(result.logits).toHaveLength(decoder.length);
    flanA.logits_positions.forEach((position: number, i: number) => {
      flanA.logits[i].forEach((x: number, j: number) => {
        expect(Math.abs(result.logits[position][j] - x)).toBeLessThan(2e-4);
      });
    });
  });

  it('gives a row of logits for every position of a decoder-only prompt, and refuses decoder inputs', () => {
    const { cases } = JSON.parse(readFileSync('test/fixtures/llama/odd-llama/expected.json', 'utf8'));
    const [, , { input_ids, logits, logits_positions, greedy_ids }] = cases;
    const args = [
      '--model',
      'test/fixtures/llama/odd-llama',
      '--ids',
      `${input_ids}`,
      '--weights',
      'float32',
      '--json',
    ];
    const result = JSON.parse(local([...args, '--logits', '--max-new-tokens', '24']).stdout);
    expect(result.ids).toEqual(greedy_ids);
    expect(result.logits).toHaveLength(input_ids.length);
    logits_positions.forEach((position: number, i: number) => {
      const difference = logits[i].map((x: number, j: number) => Math.abs(result.logits[position][j] - x));
      expect(Math.max(...difference)).toBeLessThan(2e-4);
    });
    expect(local([...args, '--decoder-ids', '0,1']).stderr).toContain('local: expected no --decoder-ids');
  });

  it('takes every option of a generation, and repeats a draw with its seed', () => {
    const flan = [
      '--model',
      'test/fixtures/t5/flan-a',
      '--ids',
      `${flanA.input_ids}`,
      '--weights',
      'float32',
      '--json',
    ];
    const ids = (args: string[]): number[] => JSON.parse(local([...flan, ...args]).stdout).ids;
    expect(ids(['--max-new-tokens', '16', '--num-beams', '4'])).toEqual(flanA.variants.num_beams_4.slice(1));
    const pairs = (list: number[]) => list.slice(1).map((id, i) => `${list[i]} ${id}`);
    const long = ids(['--max-new-tokens', '60']);
    expect(new Set(pairs(long)).size).toBeLessThan(pairs(long).length);
    const unlike = ids(['--max-new-tokens', '60', '--no-repeat-ngram-size', '2']);
    expect(new Set(pairs(unlike)).size).toBe(pairs(unlike).length);
    const draw = ['--do-sample', 'true', '--temperature', '1.5', '--seed', '7'];
    expect(ids(draw)).toEqual(ids(draw));
    expect(ids(draw)).not.toEqual(ids([...draw.slice(0, -1), '8']));
  });

  it('honours tokens that a folder adds, and says what of its files is not applied', () => {
    const dir = mkdtempSync(join(tmpdir(), 'stepwise-local-'));
    for (const file of ['spiece.model', 'model.safetensors', 'config.json']) {
      copyFileSync(`models/little-flan/${file}`, join(dir, file));
    }
    const put = (file: string, value: object) => writeFileSync(join(dir, file), JSON.stringify(value));
    const spiece = readSpieceModel(new Uint8Array(readFileSync(join(dir, 'spiece.model'))), 'spiece.model');
    const [hot, what, is] = ['hot', 'what', 'is'].map((word) =>
      spiece.pieces.findIndex(({ piece }) => piece === `\u2581${word}`),
    ) as [number, number, number];
    put('generation_config.json', { decoder_start_token_id: 0, eos_token_id: 1, typical_p: 0.5 });
    put('tokenizer_config.json', { added_tokens_decoder: { [what]: { content: '\u2581what', normalized: false } } });
    const args = ['--model', dir, '--max-new-tokens', '1', '--json', '--prompt', 'hot\u2581what is</s> hot'];
    const { stdout, stderr, status } = local(args);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).promptIds.slice(0, 3)).toEqual([hot, what, is]);
    expect(JSON.parse(stdout).promptIds.length).toBeGreaterThan(6);
    expect(stderr).toContain('its files ask for typical_p by default, which is not applied here');
    expect(JSON.parse(local([...args, '--special-tokens']).stdout).promptIds).toEqual([hot, what, is, 1, hot, 1]);
    put('added_tokens.json', { '<hl>': 1200 });
    expect(local(args).stderr).toContain(
      'added_tokens.json: expected "<hl>" to have an id below 1200, the rows of the',
    );
    rmSync(dir, { recursive: true });
  });

  it('answers many prompts, a line each, in order; one that is too long has its line', () => {
    const prompts = [
      ...cases.slice(1, 4).map((c: { prompt: string }) => c.prompt),
      'word '.repeat(600),
      'opposite of hot:',
    ];
    const { stdout, status } = local(['--prompts', '-'], prompts.map((p) => JSON.stringify(p)).join('\n'));
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(results.slice(0, 3).map((r) => r.text)).toEqual(cases.slice(1, 4).map((c: { text: string }) => c.text));
    expect(results[3].error).toContain('expected 1 to 512 prompt tokens');
    expect(results[4].text).toBe('cold');
    expect(status).toBe(1);
  });

  it('stops at a line that is no JSON string, and names it', () => {
    const { stdout, stderr, status } = local(['--prompts', '-'], '"opposite of hot:"\nhot\n');
    expect(JSON.parse(stdout).text).toBe('cold');
    expect(stderr).toContain('line 2: expected a JSON string such as "hello", got hot, which is not JSON');
    expect(status).toBe(1);
  });

  it.each([
    [['--prompt', 'hi', '--model', 'nowhere'], 'nowhere, which is not there'],
    [['--prompt', 'hi', '--model', 'package.json'], 'package.json: expected a GGUF file, which begins with GGUF'],
    [['--prompt', 'hi', '--model', 'src'], 'expected config.json in it, got none'],
    [['--prompt', 'hi', '--model', 'test/fixtures/t5/flan-a'], 'expected spiece.model or tokenizer.json in the folder'],
    [['--ids', '5,x'], 'expected token ids like 5,6,1, got 5,x'],
    [['--ids', '5,6,1,9999'], 'expected token ids from 0 to 1199, got 9999'],
    [
      ['--prompt', 'hi', '--max-new-tokens', '0'],
      'generate: expected "max_new_tokens" to be an integer from 1 to 512, got 0',
    ],
    [['--prompt', 'hi', '--weights', 'int3'], 'Allowed choices are int4, int8, float32'],
    [['--prompt', 'hi', '--ids', '5'], 'expected one of a prompt, --ids, --prompts and --chat, got 2'],
    [['--prompts', 'nowhere.txt'], 'expected to read nowhere.txt, got no such file; - reads standard input'],
    [[], 'expected one of a prompt, --ids, --prompts and --chat, got none; npm run local -- "'],
  ])('says what is wrong with %j', (args, message) => {
    const { status, stderr, stdout } = local(args);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    expect([status, stdout]).toEqual([1, '']);
  });
});
