/** `about.json`: what a model is for, in words; through a checkpoint into a pack's head, and out of it again. */
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAbout } from '../../../src/model/checkpoint/about.ts';
import { packFolder } from '../../../src/node/model/model-folder.ts';

describe('parseAbout', () => {
  it.each([
    [{ description: 'sums' }, { description: 'sums', examples: [] }],
    [
      { description: 'sums', examples: ['1 + 1'] },
      { description: 'sums', examples: ['1 + 1'] },
    ],
  ])('reads %o', (json, about) => expect(parseAbout(json, 'about.json')).toEqual(about));

  it.each([
    [undefined, 'about.json: expected "description" to be a text, got nothing'],
    [{ description: '' }, 'about.json: expected "description" to be a text of 1 to 500 characters, got 0 characters'],
    [{ description: 'x'.repeat(501) }, /of 1 to 500 characters, got 501 characters$/],
    [{ description: 'x', examples: 'y' }, 'about.json: expected "examples" to be a list, got "y"'],
    [{ description: 'x', examples: [1] }, 'about.json: expected an example to be a text, got 1'],
    [{ description: 'x', examples: ['x'.repeat(301)] }, /an example to be a text of 1 to 300 characters, got 301/],
    [{ description: 'x', examples: Array(13).fill('y') }, 'about.json: expected at most 12 examples, got 13'],
  ])('refuses %o', (json, message) => expect(() => parseAbout(json, 'about.json')).toThrow(message));
});

describe('a pack', () => {
  let folder: string;
  const model = () => join(folder, 'little-flan');
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stepwise-'));
    await cp('models/little-flan', model(), { recursive: true });
  });
  afterAll(async () => rm(folder, { recursive: true }));

  it('has what the folder says', async () => {
    const { head } = await packFolder('models/little-flan', 'int8');
    expect(head.about).toEqual(JSON.parse(readFileSync('models/little-flan/about.json', 'utf8')));
  });

  it('has no such field where the folder says nothing, and is made anew when it does', async () => {
    await rm(join(model(), 'about.json'));
    const silent = await packFolder(model(), 'int8');
    expect(Object.keys(silent.head)).not.toContain('about');
    await writeFile(join(model(), 'about.json'), '{ "description": "sums — and “more”" }');
    const telling = await packFolder(model(), 'int8');
    expect(telling.head.about).toEqual({ description: 'sums — and “more”', examples: [] });
    // nothing that is computed with is another
    expect(telling.head.sha256).toBe(silent.head.sha256);
    await rm(silent.path);
    await rm(telling.path);
  });

  it('is not made where the file is wrong', async () => {
    await writeFile(join(model(), 'about.json'), '{ "description": 7 }');
    await expect(packFolder(model(), 'int8')).rejects.toThrow('about.json: expected "description" to be a text, got 7');
  });
});
