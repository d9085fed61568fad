/** Links between the project's files, in every Markdown file: what they point at is there, a heading's anchor too. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/node/build/project.ts';

const SKIPPED = /node_modules|test\/fixtures|\/target\//;
const folders = ['docs', 'src', 'packages', 'examples', 'models', 'test'];
const below = (folder: string): string[] =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
const pages = [...readdirSync(projectRoot), ...folders.flatMap(below)].filter(
  (page) => page.endsWith('.md') && !SKIPPED.test(page),
);

/** Without what stands in blocks of code. */
const textOf = (page: string): string =>
  readFileSync(join(projectRoot, page), 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');

/** As GitHub makes them of headings. */
const anchorsOf = (page: string): string[] =>
  Array.from(textOf(page).matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** What `page` points at that is not there. */
function brokenOf(page: string): string[] {
  return Array.from(textOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path, anchor] = link.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path!));
      if (!existsSync(join(projectRoot, file))) return true;
      return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor);
    });
}

describe('links', () => {
  it('are found', () => expect(pages).toContain('docs/design.md'));

  it.each(pages)('%s points at what is there', (page) => expect(brokenOf(page)).toEqual([]));
});
