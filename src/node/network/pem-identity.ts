/**
 * Identities from PEM files, as `dfx identity export` and `icp identity export` write them: Ed25519, secp256k1 and
 * P-256.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DerEncodedPublicKey, type PublicKey, type Signature, SignIdentity } from '@dfinity/agent';

class KeyIdentity extends SignIdentity {
  readonly #key: KeyObject;
  readonly #publicKey: DerEncodedPublicKey;

  constructor(key: KeyObject) {
    super();
    this.#key = key;
    this.#publicKey = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
  }

  getPublicKey(): PublicKey {
    return { toDer: () => this.#publicKey, derKey: this.#publicKey };
  }

  async sign(blob: Uint8Array): Promise<Signature> {
    const isEd25519 = this.#key.asymmetricKeyType === 'ed25519';
    // The interface specification wants ECDSA over SHA-256, r and s side by side.
    const signature = isEd25519
      ? sign(null, blob, this.#key)
      : sign('sha256', blob, { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return new Uint8Array(signature) as Signature;
  }
}

/** @throws Error where the file is no private key of a kind that the Internet Computer takes */
export async function readPemIdentity(file: string): Promise<SignIdentity> {
  const pem = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Error(`identity: expected a PEM file, got ${file}: ${error.message}`);
  });
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Error(
      `identity: expected a private key in PEM without a password, got ${file}: ${(error as Error).message}`,
    );
  }
  const kind = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'unknown';
  if (!['ed25519', 'secp256k1', 'prime256v1'].includes(kind))
    throw new Error(`identity: expected an Ed25519, secp256k1 or P-256 key, got ${kind} in ${file}`);
  return new KeyIdentity(key);
}

/** The identity in `file`; made there first where there is no such file. */
export async function keptIdentity(file: string): Promise<SignIdentity> {
  const { privateKey } = generateKeyPairSync('ed25519');
  await mkdir(dirname(file), { recursive: true });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  await writeFile(file, pem, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return await readPemIdentity(file);
}
