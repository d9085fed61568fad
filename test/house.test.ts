/** What the house asks of its rooms and sentences: small folders, short functions, lines that a window shows whole. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { LONG } from './longest-first.ts';

const MOST_FILES = 15;
const MOST_LINES = 80;
const MOST_COLUMNS = 120;

/** Lists of one kind: a file for each op, and for each group of methods. */
const LISTS = ['src/tensor/assembly/ops', 'src/canister/methods'];
/** Tables in the form of a function: a case for each instruction of WebAssembly. */
const TABLES = ['packages/replica/src/wasm/instrument.ts run'];

// what a build makes or another project has written is no prose of ours
const SKIPPED = /node_modules|fixtures|\/(generated|target|dist|vendor)\/|\.azle|llm\.did\.ts$|page-data\.js$/;
const below = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
const files = ['src', 'packages', 'scripts', 'bench', 'test', 'examples']
  .flatMap(below)
  .filter((file) => /\.(ts|js|mjs)$/.test(file) && !SKIPPED.test(file));
const pages = [...readdirSync('.'), ...['docs', 'packages', 'examples', 'models', 'test'].flatMap(below)].filter(
  (file) => file.endsWith('.md') && !SKIPPED.test(file),
);
const parsed = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);

it('finds what it looks at', () => {
  expect(files).toContain('src/canister/index.ts');
  expect(pages).toContain('docs/design.md');
});

it(`a folder of src has at most ${MOST_FILES} files`, () => {
  const counts = new Map<string, number>();
  for (const file of below('src').filter((file) => /\.\w+$/.test(file) && !SKIPPED.test(file)))
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  expect([...counts].filter(([folder, count]) => count > MOST_FILES && !LISTS.includes(folder))).toEqual([]);
});

it(`a function has at most ${MOST_LINES} lines`, () => {
  const long = files
    .filter((file) => !/(^|\/)test\//.test(file))
    .flatMap((file) => longFunctions(parsed(file)).map((name) => `${file} ${name}`));
  expect(long.filter((name) => !TABLES.includes(name))).toEqual([]);
});

function longFunctions(source: ts.SourceFile): string[] {
  const lineOf = (at: number): number => source.getLineAndCharacterOfPosition(at).line;
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    const lines = lineOf(node.end) - lineOf(node.getStart()) + 1;
    if (ts.isFunctionLike(node) && lines > MOST_LINES) names.push(nameOf(node) ?? nameOf(node.parent) ?? '(unnamed)');
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

const nameOf = (node: ts.Node): string | undefined => (node as Partial<ts.NamedDeclaration>).name?.getText();

it('src/service keeps nothing between calls: its modules have constants alone', () => {
  const kept = files
    .filter((file) => file.startsWith('src/service/'))
    .flatMap((file) =>
      parsed(file)
        .statements.filter(isState)
        .map((statement) => `${file} ${statement.getText()}`),
    );
  expect(kept).toEqual([]);
});

/** A variable, or a constant that is a collection which something may be put into. */
function isState(statement: ts.Statement): boolean {
  if (!ts.isVariableStatement(statement)) return false;
  const { declarationList: list } = statement;
  if ((list.flags & ts.NodeFlags.Const) === 0) return true;
  return list.declarations.some(({ type, initializer }) => {
    if (initializer === undefined || type?.getText().startsWith('readonly ')) return false;
    if (type !== undefined && /^Readonly(Map|Set|Array)?</.test(type.getText())) return false;
    return ts.isNewExpression(initializer) || ts.isArrayLiteralExpression(initializer);
  });
}

describe(`a line of prose has at most ${MOST_COLUMNS} characters`, () => {
  it('in comments', () => expect(files.flatMap(longComments)).toEqual([]));
  it('in pages', () => expect(pages.flatMap(longParagraphs)).toEqual([]));
});

it('the test files that begin first are there', () => expect(LONG.filter((file) => !existsSync(file))).toEqual([]));

/** Those of a line's length that are words; a drawing, a table or an address cannot be broken. */
const isLong = (line: string): boolean =>
  line.length > MOST_COLUMNS && !/[│─├└┌┐┤▶]|\S {3,}\S|https?:\/\/\S{40}|biome-ignore/.test(line);

function longComments(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, i) =>
    /^\s*(\/\/|\/?\*)/.test(line) && isLong(line) ? [`${file}:${i + 1}: ${line}`] : [],
  );
}

function longParagraphs(page: string): string[] {
  let fenced = false;
  return readFileSync(page, 'utf8')
    .split('\n')
    .flatMap((line, i) => {
      if (/^\s*```/.test(line)) fenced = !fenced;
      return !fenced && !/^\s*(\||#)/.test(line) && isLong(line) ? [`${page}:${i + 1}: ${line}`] : [];
    });
}
