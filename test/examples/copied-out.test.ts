/**
 * What examples/caller, motoko, rust and mnist have of their own, as they are copied out, held against what this
 * repository has. That the first three build and pass their tests is tried by hand: npm ci && npm test in a copy (30 s,
 * and packages from the registry).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packTensor } from '../../src/node/package/pack-tensor.ts';
import { contentsOf } from '../../src/node/package/vendored.ts';

const read = (file: string): string => readFileSync(join('examples', file), 'utf8');
const json = (file: string) => JSON.parse(read(file));
const own = JSON.parse(readFileSync('package.json', 'utf8'));
const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;

describe.each([
  ['caller', 'caller'],
  ['motoko', 'caller'],
  ['mnist', 'mnist'],
])('examples/%s', (name, canister) => {
  it('has a lock file that fits its package.json, and names no registry', () => {
    const { packages } = json(`${name}/package-lock.json`);
    const { dependencies, devDependencies } = json(`${name}/package.json`);
    expect(packages['']).toMatchObject({ ...(dependencies && { dependencies }), devDependencies });
    expect(read(`${name}/package-lock.json`)).not.toMatch(/"resolved": "http/);
  });

  it('keeps install scripts from running', () => expect(read(`${name}/.npmrc`)).toMatch(/^ignore-scripts=true$/m));

  it('names its canisters in dfx.json', () => expect(json(`${name}/dfx.json`).canisters).toHaveProperty(canister));
});

it.each(['caller', 'mnist'])('examples/%s is built by the azle that this repository has', (name) => {
  expect(json(`${name}/package-lock.json`).packages['node_modules/azle'].version).toBe(
    locked['node_modules/azle'].version,
  );
});

it.each([
  ['caller', 'replica'],
  ['mnist', 'replica'],
  ['mnist', 'tensor'],
])('examples/%s brings the %s of this version along, as its lock file has it', (name, of) => {
  const { version } = JSON.parse(readFileSync(`packages/${of}/package.json`, 'utf8'));
  const { dependencies, devDependencies } = json(`${name}/package.json`);
  const where: string = { ...dependencies, ...devDependencies }[`stepwise-${of}`];
  expect(where).toBe(`file:vendor/stepwise-${of}-${version}.tgz`);
  const bytes = readFileSync(join('examples', name, where.slice(5)));
  expect(bytes.length).toBeGreaterThan(50_000);
  const { resolved, integrity } = json(`${name}/package-lock.json`).packages[`node_modules/stepwise-${of}`];
  expect(resolved).toBe(where);
  expect(integrity).toBe(`sha512-${createHash('sha512').update(bytes).digest('base64')}`);
});

it('examples/mnist brings the tensor unit along as it is in this repository; if not: npm run packages -- --vendor', async () => {
  const packed = await packTensor();
  const [here, there] = [await contentsOf(packed), await contentsOf(join('examples/mnist/vendor', basename(packed)))];
  // declarations hold comments, which may change without the code
  const names = (contents: Map<string, string>) => [...contents.keys()].filter((name) => !name.endsWith('.d.ts'));
  expect(names(there)).toEqual(names(here));
  for (const name of names(here)) expect(there.get(name), `${name}; npm run packages -- --vendor`).toBe(here.get(name));
});

it('examples/motoko has the Candid file of the model canister, and the compiler that tests compile it with', () => {
  expect(read('motoko/llm.did')).toBe(readFileSync('src/interface/llm.did', 'utf8'));
  expect(json('motoko/package.json').devDependencies.motoko).toBe(own.devDependencies.motoko);
});
