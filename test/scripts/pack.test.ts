/** `npm run pack` as it is called from a shell. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { packFolder } from '../../src/node/model/model-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'stepwise-pack-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pack = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'scripts/pack.ts', ...args], { encoding: 'utf8' });

it('writes the pack that uploads are made of, and says what a small model loses as int4', async () => {
  const out = join(folder, 'little-flan.pack');
  const { status, stdout, stderr } = pack('--model', 'models/little-flan', '--weights', 'int4', '--out', out);
  expect(status).toBe(0);
  const expected = await packFolder('models/little-flan', 'int4');
  expect(readFileSync(out).equals(readFileSync(expected.path))).toBe(true);
  expect(stdout).toContain(`little-flan, int4, 2.5 MB, SHA-256 ${expected.sha256}`);
  expect(stderr).toContain('a small model loses much as int4');
});

it.each([
  [['--model', 'models/little-flan'], "required option '--out <file>' not specified"],
  [
    ['--model', 'test/fixtures/t5/flan-a', '--out', join(folder, 'x')],
    'expected spiece.model or tokenizer.json in the folder, got none',
  ],
  [['--model', 'LICENSE', '--out', join(folder, 'x')], 'LICENSE: expected a GGUF file, which begins with GGUF'],
  [
    ['--model', './nowhere', '--out', join(folder, 'x')],
    'expected a folder with config.json and model.safetensors, or a GGUF',
  ],
])('says what is wrong with %j', (args, message) => {
  const { status, stderr } = pack(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(1);
});
