/**
 * What examples/caller, motoko and rust have of their own, as they are copied out, held against what this repository has. That they build and pass their
 * tests is tried by hand: npm ci && npm test in a copy (30 s, and packages from the registry).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const read = (file: string): string => readFileSync(join('examples', file), 'utf8');
const json = (file: string) => JSON.parse(read(file));
const own = JSON.parse(readFileSync('package.json', 'utf8'));
const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;

describe.each(['caller', 'motoko'])('examples/%s', (name) => {
  it('has a lock file that fits its package.json, and names no registry', () => {
    const { packages } = json(`${name}/package-lock.json`);
    const { dependencies, devDependencies } = json(`${name}/package.json`);
    expect(packages['']).toMatchObject({ ...(dependencies && { dependencies }), devDependencies });
    expect(read(`${name}/package-lock.json`)).not.toMatch(/"resolved": "http/);
  });

  it('keeps install scripts from running', () => expect(read(`${name}/.npmrc`)).toMatch(/^ignore-scripts=true$/m));

  it('names its canisters in dfx.json', () => expect(json(`${name}/dfx.json`).canisters).toHaveProperty('caller'));
});

it('examples/caller is built by the azle that this repository has', () => {
  expect(json('caller/package-lock.json').packages['node_modules/azle'].version).toBe(
    locked['node_modules/azle'].version,
  );
});

it('examples/caller brings the replica of this version along', () => {
  const { version } = JSON.parse(readFileSync('packages/replica/package.json', 'utf8'));
  const { 'stepwise-replica': replica } = json('caller/package.json').devDependencies;
  expect(replica).toBe(`file:vendor/stepwise-replica-${version}.tgz`);
  expect(readFileSync(join('examples/caller', replica.slice(5))).length).toBeGreaterThan(50_000);
});

it('examples/motoko has the Candid file of the model canister, and the compiler that tests compile it with', () => {
  expect(read('motoko/llm.did')).toBe(readFileSync('src/interface/llm.did', 'utf8'));
  expect(json('motoko/package.json').devDependencies.motoko).toBe(own.devDependencies.motoko);
});
