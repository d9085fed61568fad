/** PEM files of each kind: the principal, and signatures that another library verifies. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ed25519KeyIdentity } from '@dfinity/identity';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/p256.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptIdentity, readPemIdentity } from '../../../src/node/network/pem-identity.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stepwise-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function pemFile(pem: string | Buffer): Promise<string> {
  const file = join(folder, 'key.pem');
  await writeFile(file, pem);
  return file;
}

const message = new TextEncoder().encode('\x0aic-request and a request id');
const rawKey = (der: Uint8Array, bytes: number): Uint8Array => der.slice(der.length - bytes);

describe('readPemIdentity', () => {
  it('Ed25519: the same principal and signature as @dfinity/identity', async () => {
    const seed = new Uint8Array(32).fill(7);
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const pem = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`;
    const identity = await readPemIdentity(await pemFile(pem));
    const other = Ed25519KeyIdentity.generate(seed);
    expect(identity.getPrincipal().toText()).toBe(other.getPrincipal().toText());
    expect(Buffer.from(await identity.sign(message))).toEqual(Buffer.from(await other.sign(message)));
    const key = rawKey(identity.getPublicKey().toDer(), 32);
    expect(ed25519.verify(await identity.sign(message), message, key)).toBe(true);
  });

  it.each([
    ['secp256k1', 'secp256k1', secp256k1, 'sec1'],
    ['P-256', 'prime256v1', p256, 'pkcs8'],
  ] as const)('%s: r and s side by side over SHA-256', async (_, namedCurve, curve, type) => {
    const pem = generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'pem', type });
    const identity = await readPemIdentity(await pemFile(pem));
    const signature = await identity.sign(message);
    expect(signature).toHaveLength(64);
    const key = rawKey(identity.getPublicKey().toDer(), 65);
    expect(curve.verify(signature, sha256(message), key, { lowS: false })).toBe(true);
    signature[5]! ^= 1;
    expect(curve.verify(signature, sha256(message), key, { lowS: false })).toBe(false);
  });

  it('refuses what is none', async () => {
    await expect(readPemIdentity(join(folder, 'nothing'))).rejects.toThrow(
      /^identity: expected a PEM file, got .*nothing: ENOENT/,
    );
    await expect(readPemIdentity(await pemFile('hello'))).rejects.toThrow(/^identity: expected a private key in PEM/);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'pem', type: 'pkcs8' });
    await expect(readPemIdentity(await pemFile(rsa))).rejects.toThrow(
      /^identity: expected an Ed25519, .* key, got rsa in /,
    );
  });
});

it('keptIdentity makes a key once, for its owner only', async () => {
  const file = join(folder, 'new/key.pem');
  const first = await keptIdentity(file);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await keptIdentity(file)).getPrincipal().toText()).toBe(first.getPrincipal().toText());
});
