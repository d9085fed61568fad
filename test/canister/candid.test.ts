/**
 * The Candid file and what is made of it: it is what the canister does, and no change breaks who was built against what
 * was released. After a change of src/interface/llm.did: npm run interface; at a release, copy it to
 * test/canister/released.did.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { idlService as service } from '../../src/interface/llm.did.ts';
import { buildCanister } from '../../src/node/build/canister.ts';
import { parseDid } from '../../src/node/build/did.ts';
import { interfaceFiles } from '../../src/node/package/interface-files.ts';
import { breaks } from './candid-file.ts';

const committed = readFileSync('src/interface/llm.did', 'utf8');
const released = readFileSync('test/canister/released.did', 'utf8');
const did = (args: string, results: string): string => `service: () -> {\n    f: (${args}) -> (${results}) query;\n}`;

describe('the Candid file', () => {
  it('is what the canister does, and is in its module', async () => {
    const { did, wasm } = await buildCanister('llm');
    expect(did).toBe(committed);
    const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
    const [section] = WebAssembly.Module.customSections(module, 'icp:public candid:service');
    expect(new TextDecoder().decode(section)).toBe(committed);
  });

  it('has had made of it what is made of it', async () => {
    for (const [file, text] of Object.entries(await interfaceFiles(committed)))
      expect(readFileSync(file, 'utf8'), `${file} is not that of src/interface/llm.did: npm run interface`).toBe(text);
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
