/** The rooms of docs/design.md and the one way that imports go between them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** For each room of src: the rooms it may import from besides itself, and the packages. */
const ROOMS: Record<string, { rooms: string[]; packages: RegExp }> = {
  tensor: { rooms: [], packages: /^$/ },
  model: { rooms: ['tensor'], packages: /^$/ },
  canister: { rooms: ['model', 'tensor'], packages: /^(azle|@dfinity\/(candid|principal))$/ },
  client: { rooms: [], packages: /^@dfinity\/(agent|candid|principal)$/ },
  page: { rooms: ['client'], packages: /^$/ },
  replica: {
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

describe.each(Object.entries(ROOMS))('src/%s', (room, { rooms, packages }) => {
  const imports = filesOf(join('src', room)).flatMap(importsOf);

  it('imports from itself and the rooms below', () => {
    const wrong = imports
      .filter(({ from }) => from.startsWith('.'))
      .map(({ file, from }) => ({ file, to: normalize(join(dirname(file), from)) }))
      .filter(({ to }) => ![room, ...rooms].some((allowed) => to.startsWith(join('src', allowed))));
    expect(wrong).toEqual([]);
  });

  it('uses the packages it is meant to', () => {
    const wrong = imports.filter(({ from }) => !from.startsWith('.') && !packages.test(from));
    expect(wrong).toEqual([]);
  });
});

it('finds imports at all', () => {
  expect(importsOf('src/model/t5/t5.ts').map(({ from }) => from)).toContain('../../tensor/machine.ts');
});
