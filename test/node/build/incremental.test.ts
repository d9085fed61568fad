import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { exclusively, incrementally, reachable } from '../../../src/node/build/incremental.ts';

const folders: string[] = [];
let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'stepwise-incremental-'));
  folders.push(root);
});
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const write = async (name: string, content: string) => {
  await mkdir(join(root, name, '..'), { recursive: true });
  await writeFile(join(root, name), content);
  return join(root, name);
};

describe('reachable', () => {
  test('follows relative imports of TypeScript and AssemblyScript, through circles, and no packages', async () => {
    await write(
      'a.ts',
      `import { b } from './b.ts';\nimport type { D } from "./sub/d.ts";\nimport { IDL } from 'azle';\nimport json from './x.json' with { type: 'json' };`,
    );
    await write('b.ts', `export * from './c';\nawait import('./late.ts');`);
    await write('c.ts', `import './a.ts';\nimport { e } from '../${root.split('/').at(-1)}/sub';`);
    await write('late.ts', '');
    await write('sub/d.ts', '');
    await write('sub/index.ts', `// from './gone.ts' is no longer there`);
    await write('x.json', '{}');
    await write('unrelated.ts', '');
    const found = (await reachable(join(root, 'a.ts'))).map((file) => file.slice(root.length + 1));
    expect(found).toEqual(['a.ts', 'b.ts', 'c.ts', 'late.ts', 'sub/d.ts', 'sub/index.ts', 'x.json']);
  });
});

describe('incrementally', () => {
  /** Copies `in` to `out`; says whether it did. */
  const copy = async (more: { force?: boolean; settings?: string } = {}) => {
    const [input, output] = [join(root, 'in'), join(root, 'out')];
    return await incrementally(
      { root, inputs: [input], settings: '', outputs: [output], stamp: join(root, 'build/stamp'), ...more },
      async () => writeFile(output, await readFile(input)),
    );
  };

  test('runs when inputs, settings or outputs changed, or when forced; else not', async () => {
    await write('in', 'one');
    expect(await copy()).toBe(true);
    expect(await copy()).toBe(false);
    await write('in', 'one'); // a later date, the same content
    expect(await copy()).toBe(false);
    await write('in', 'two');
    expect(await copy()).toBe(true);
    expect(await readFile(join(root, 'out'), 'utf8')).toBe('two');
    expect(await copy({ settings: '-O3' })).toBe(true);
    expect(await copy({ settings: '-O3' })).toBe(false);
    await write('out', 'damaged');
    expect(await copy({ settings: '-O3' })).toBe(true);
    await rm(join(root, 'out'));
    expect(await copy({ settings: '-O3' })).toBe(true);
    expect(await copy({ settings: '-O3', force: true })).toBe(true);
  });

  test('work that failed is done again', async () => {
    const input = await write('in', 'one');
    const work = { root, inputs: [input], settings: '', outputs: [input], stamp: join(root, 'stamp') };
    expect(await incrementally(work, async () => {})).toBe(true);
    const failing = async () => {
      throw new Error('no');
    };
    await expect(incrementally({ ...work, force: true }, failing)).rejects.toThrow('no');
    expect(await incrementally(work, async () => {})).toBe(true);
  });

  test('of two at once, one works and the other finds it done', async () => {
    await write('in', 'one');
    expect((await Promise.all([copy(), copy()])).sort()).toEqual([false, true]);
    expect((await readdir(join(root, 'build'))).sort()).toEqual(['stamp']);
  });
});

describe('exclusively', () => {
  test('one after the other', async () => {
    const lock = join(root, 'lock');
    let inside = 0;
    const work = () =>
      exclusively(lock, async () => {
        expect(++inside).toBe(1);
        await sleep(20);
        inside--;
      });
    await Promise.all([work(), work(), work()]);
    expect(existsSync(lock)).toBe(false);
  });

  test('the lock of a process that is gone is taken over', async () => {
    const lock = await write('lock', String(2 ** 22 + 1)); // above the largest process id of Linux
    expect(await exclusively(lock, async () => 'done')).toBe('done');
    expect(existsSync(lock)).toBe(false);
  });
});
