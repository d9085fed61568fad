/** The rooms of docs/design.md and the one way that imports go between them, in all of the project's code. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { circles } from './circles.ts';

/**
 * For each room, the rooms it may import from besides itself, and the packages. A room that is not here may not be.
 * The local replica is imported by the rooms that say so and by no others.
 */
const ROOMS: Record<string, { rooms: string[]; packages: RegExp }> = {
  'src/tensor': { rooms: [], packages: /^$/ },
  'src/text': { rooms: ['src/tensor'], packages: /^@huggingface\/jinja$/ },
  // The head of a GGUF file is read at conversion; the canister's bundle has no part of it.
  'src/model': { rooms: ['src/text', 'src/tensor'], packages: /^@huggingface\/gguf$/ },
  // what runs beside the interpreter and is no kernel: AssemblyScript, and the words that it shares with the canister
  'src/native': { rooms: ['src/text', 'src/tensor'], packages: /^$/ },
  'src/service': { rooms: ['src/model', 'src/text', 'src/interface'], packages: /^$/ },
  'src/canister': {
    rooms: ['src/service', 'src/model', 'src/native', 'src/text', 'src/tensor', 'src/interface'],
    // of the agent, a type
    packages: /^(azle|@dfinity\/(agent|candid|principal))$/,
  },
  'src/client': { rooms: ['src/interface'], packages: /^@dfinity\/(agent|candid|principal)$/ },
  // what canister and clients both have to know
  'src/interface': { rooms: [], packages: /^@dfinity\/(agent|candid|principal)$/ },
  'src/page': { rooms: ['src/client', 'src/interface'], packages: /^$/ },
  'packages/replica/src': {
    rooms: [],
    packages: /^(node:[a-z0-9/]+|@noble\/.*|@dfinity\/(candid|principal|response-verification)|cborg.*)$/,
  },
  'packages/replica/test': { rooms: ['packages/replica/src'], packages: /./ },
  'packages/replica': { rooms: [], packages: /./ },
  // the face of src/tensor for others, and the linker
  'packages/tensor/src': { rooms: ['src/tensor', 'src/node'], packages: /^node:fs$/ },
  'packages/text-encoding': { rooms: [], packages: /^$/ },
  'src/node': {
    rooms: [
      'src/page',
      'src/client',
      'src/canister',
      'src/service',
      'src/interface',
      'src/model',
      'src/text',
      'src/tensor',
      'packages/replica/src',
    ],
    packages: /./,
  },
  bench: { rooms: ['src/node', 'src/interface', 'src/model', 'src/tensor', 'packages/replica/src'], packages: /./ },
  scripts: { rooms: ['src/node', 'src/client', 'src/model', 'src/text', 'packages/replica/src'], packages: /./ },
  examples: { rooms: [], packages: /./ },
  test: {
    rooms: ['src', 'bench', 'packages', 'examples'],
    packages: /./,
  },
};

interface Import {
  file: string;
  /** As it stands in the file. */
  from: string;
  /** The file that is meant, where it is one of ours. */
  to?: string;
}

// what a build makes is no source
const SKIPPED = /node_modules|test\/fixtures|\.azle|\/(generated|target|dist)\//;

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => /\.(ts|js|mjs)$/.test(file) && !SKIPPED.test(file));
}

const folders = ['src', 'packages', 'scripts', 'bench', 'test', 'examples'];
const files = folders.flatMap(filesOf).sort();
const known = new Set(files);

/** What a file imports; type-only imports count, a room that knows another's types knows the room. */
function importsOf(file: string): Import[] {
  return ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map(({ fileName: from }) => {
    if (!from.startsWith('.')) return { file, from };
    const path = normalize(join(dirname(file), from));
    // AssemblyScript names files without their ending
    return { file, from, to: [path, `${path}.ts`, `${path}/index.ts`].find((one) => known.has(one)) ?? path };
  });
}

const imports = files.flatMap(importsOf);
const isBelow = (file: string, folder: string): boolean => file.startsWith(`${folder}/`);
const roomOf = (file: string): string | undefined =>
  Object.keys(ROOMS)
    .filter((room) => isBelow(file, room))
    .sort((a, b) => b.length - a.length)[0];

/** Who imports whom, each file under the name that `nameOf` gives it; without one it is left out. */
function arrows(nameOf: (file: string) => string | undefined): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { file, to } of imports) {
    if (to === undefined || !known.has(to)) continue;
    const [a, b] = [nameOf(file), nameOf(to)];
    if (a !== b && a !== undefined && b !== undefined) graph.set(a, (graph.get(a) ?? new Set()).add(b));
  }
  return graph;
}

describe('circles', () => {
  it('are found where they are', () => {
    const graph = { a: ['b'], b: ['c'], c: ['b', 'd'], d: ['e'], e: ['f'], f: ['d'] };
    const sets = new Map(Object.entries(graph).map(([from, to]) => [from, new Set(to)]));
    expect(circles(sets)).toEqual([
      ['d', 'e', 'f'],
      ['b', 'c'],
    ]);
  });

  it('there are none among files', () => {
    expect(circles(arrows((file) => file))).toEqual([]);
  });

  it('there are none among rooms', () => {
    expect(circles(arrows((file) => roomOf(file) ?? file))).toEqual([]);
  });

  it('there are none among the files and folders of a folder', () => {
    const below = (parent: string) => (file: string) =>
      isBelow(file, parent) ? join(parent, file.slice(parent.length + 1).split('/')[0]!) : undefined;
    const parents = new Set(files.flatMap((file) => [dirname(file), dirname(dirname(file))]));
    expect([...parents].flatMap((parent) => circles(arrows(below(parent))))).toEqual([]);
  });
});

describe.each(Object.entries(ROOMS))('%s', (room, { rooms, packages }) => {
  const own = imports.filter(({ file }) => roomOf(file) === room);

  it('imports from itself and the rooms below', () => {
    const wrong = own.filter(
      ({ to }) => to !== undefined && roomOf(to) !== room && !rooms.some((allowed) => isBelow(to, allowed)),
    );
    expect(wrong).toEqual([]);
  });

  it('uses the packages it is meant to', () => {
    expect(own.filter(({ from, to }) => to === undefined && !packages.test(from))).toEqual([]);
  });
});

it('every file of code is in a room', () => {
  expect(files.filter((file) => roomOf(file) === undefined && dirname(file) !== 'test')).toEqual([]);
});

describe('packages/replica', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('packages/replica/package.json', 'utf8'));
  /** Of the packages imported below a folder, their names without a module's path. */
  const packagesOf = (folder: string) => {
    const names = filesOf(folder)
      .flatMap(importsOf)
      .map(({ from }) => /^(@[^/]+\/)?[^./][^/]*/.exec(from)?.[0])
      .filter((name) => name !== undefined && !name.startsWith('node:'));
    return [...new Set(names)].sort();
  };

  it('depends on what its sources import, no more and no less', () => {
    expect(packagesOf('packages/replica/src')).toEqual(Object.keys(dependencies).sort());
  });

  it('has the packages of its tests among its own, in versions that this project has', () => {
    const root = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(Object.keys({ ...dependencies, ...devDependencies })).toEqual(
      expect.arrayContaining(packagesOf('packages/replica/test')),
    );
    expect({ ...root.dependencies, ...root.devDependencies }).toMatchObject({ ...dependencies, ...devDependencies });
  });

  it('stays within its folder in its tests, too', () => {
    const wrong = filesOf('packages/replica/test')
      .flatMap(importsOf)
      .filter(({ file, from }) => from.startsWith('.') && !join(dirname(file), from).startsWith('packages/replica/'));
    expect(wrong).toEqual([]);
  });
});

it('finds imports at all, of every kind', () => {
  const found = importsOf('src/model/families/t5/t5.ts');
  expect(found.map(({ to }) => to)).toContain('src/tensor/machine.ts');
  expect(importsOf('src/tensor/assembly/index.ts').map(({ to }) => to)).toContain('src/tensor/assembly/machine.ts');
  expect(imports.length).toBeGreaterThan(2_000);
});
