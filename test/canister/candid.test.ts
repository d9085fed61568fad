/**
 * The Candid file and the client's TypeScript: what is committed is what the canister does, and no change breaks who was built against what was released.
 * After a change of the interface: npm run candid; at a release, copy src/canister/llm.did to test/canister/released.did.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { idlService as service } from '../../src/client/llm.did.ts';
import { buildCanister } from '../../src/node/build/canister.ts';
import { parseDid } from '../../src/node/build/did.ts';
import { declarations } from '../../src/node/package/declarations.ts';
import { breaks } from './candid-file.ts';

const committed = readFileSync('src/canister/llm.did', 'utf8');
const released = readFileSync('test/canister/released.did', 'utf8');
const did = (args: string, results: string): string => `service: () -> {\n    f: (${args}) -> (${results}) query;\n}`;

describe('the Candid file', () => {
  it('is the one that the build makes, and the TypeScript too', async () => {
    const { did } = await buildCanister('llm');
    expect(committed, 'src/canister/llm.did is not what the canister does: npm run candid').toBe(did);
    const made = await declarations(did);
    const typescript = readFileSync('src/client/llm.did.ts', 'utf8');
    expect(typescript, 'src/client/llm.did.ts is not what the canister does: npm run candid').toBe(made);
  });

  it('is compatible with the one released', () => {
    expect(breaks(released, committed)).toEqual([]);
  });

  it('has no method that docs/canister.md does not have a line for, with its kind of call', () => {
    const rows = readFileSync('docs/canister.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    for (const [method, type] of service._fields) {
      const row = rows.find((line) => new RegExp(`^\\| [^|]*\`${method}(\\(|\`)`).test(line));
      expect(row, method).toBeDefined();
      expect(row!.split('|')[2], method).toContain(type.annotations.includes('query') ? 'query' : 'update');
    }
  });

  it('has the methods that clients see, by the same kind of call', () => {
    const methods = [...parseDid(committed)].map(([name, { mode }]) => `${name} ${mode}`);
    const seen = service._fields.map(([name, f]) => `${name} ${f.annotations.includes('query') ? 'query' : 'update'}`);
    expect(methods.sort()).toEqual(seen.sort());
  });
});

describe('compatible are', () => {
  it.each([
    ['an optional argument more', did('text', 'nat'), did('text, opt nat', 'nat')],
    ['an optional field more in an argument', did('record {a:text}', ''), did('record {a:text; b:opt nat}', '')],
    ['an optional argument fewer', did('text, opt nat', 'nat'), did('text', 'nat')],
    ['a field more in a result', did('', 'record {a:text}'), did('', 'record {a:text; b:nat}')],
    ['a case more in an argument', did('variant {a; b:nat}', ''), did('variant {a; b:nat; c}', '')],
    ['a case fewer in a result', did('', 'variant {a; b}'), did('', 'variant {a}')],
    ['a method more', did('', ''), 'service: {f: () -> () query; g: () -> ();}'],
  ])('%s', (_, before, after) => {
    expect(breaks(before, after)).toEqual([]);
  });
});

describe('not compatible are', () => {
  it.each([
    ['an argument more', did('text', ''), did('text, nat', ''), 'f argument.1: expected the field'],
    [
      'a field more in an argument',
      did('record {}', ''),
      did('record {a:nat}', ''),
      'f argument.0.a: expected the field',
    ],
    [
      'a case more in a result',
      did('', 'variant {a}'),
      did('', 'variant {a; b}'),
      'f result.0.b: expected no such case',
    ],
    [
      'a case fewer in an argument',
      did('variant {a; b}', ''),
      did('variant {a}', ''),
      'f argument.0.b: expected no such case',
    ],
    ['another type', did('', 'vec nat32'), did('', 'vec nat64'), 'f result.0[]: expected nat32, got nat64'],
    ['an update for a query', did('', ''), 'service: {f: () -> ();}', 'f: expected query, got update'],
    ['a method fewer', did('', ''), 'service: {}', 'f: is gone'],
  ])('%s', (_, before, after, message) => {
    expect(breaks(before, after)).toEqual([message]);
  });
});
