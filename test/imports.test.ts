/** The rooms of docs/design.md and the one way that imports go between them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** For each room: the rooms it may import from besides itself, and the packages. The replica's users (scripts, bench, tests, examples) are no rooms. */
const ROOMS: Record<string, { rooms: string[]; packages: RegExp }> = {
  'src/tensor': { rooms: [], packages: /^$/ },
  'src/text': { rooms: ['src/tensor'], packages: /^@huggingface\/jinja$/ },
  // The head of a GGUF file is read at conversion; the canister's bundle has no part of it.
  'src/model': { rooms: ['src/text', 'src/tensor'], packages: /^@huggingface\/gguf$/ },
  'src/service': { rooms: ['src/model'], packages: /^$/ },
  'src/canister': {
    rooms: ['src/service', 'src/model', 'src/text', 'src/tensor', 'src/interface'],
    packages: /^(azle|@dfinity\/(candid|principal))$/,
  },
  'src/client': { rooms: [], packages: /^@dfinity\/(agent|candid|principal)$/ },
  // what canister and clients both have to know
  'src/interface': { rooms: [], packages: /^$/ },
  'src/page': { rooms: ['src/client', 'src/interface'], packages: /^$/ },
  'packages/replica/src': {
    rooms: [],
    packages: /^(node:[a-z0-9/]+|@noble\/.*|@dfinity\/(candid|principal|response-verification)|cborg.*)$/,
  },
};

interface Import {
  file: string;
  from: string;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('assembly/generated'))
    .map((name) => join(folder, name));
}

/** What a file imports; type-only imports count, a room that knows another's types knows the room. */
function importsOf(file: string): Import[] {
  const source = readFileSync(file, 'utf8');
  const matches = source.matchAll(
    /^(?:import|export)\s[^'"`;]*?\sfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return Array.from(matches, (m) => ({ file, from: (m[1] ?? m[2] ?? m[3])! }));
}

describe.each(Object.entries(ROOMS))('%s', (room, { rooms, packages }) => {
  const imports = filesOf(room).flatMap(importsOf);

  it('imports from itself and the rooms below', () => {
    const wrong = imports
      .filter(({ from }) => from.startsWith('.'))
      .map(({ file, from }) => ({ file, to: normalize(join(dirname(file), from)) }))
      .filter(({ to }) => ![room, ...rooms].some((allowed) => to.startsWith(`${allowed}/`)));
    expect(wrong).toEqual([]);
  });

  it('uses the packages it is meant to', () => {
    const wrong = imports.filter(({ from }) => !from.startsWith('.') && !packages.test(from));
    expect(wrong).toEqual([]);
  });
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

it('finds imports at all', () => {
  expect(importsOf('src/model/families/t5/t5.ts').map(({ from }) => from)).toContain('../../../tensor/machine.ts');
});
