/**
 * Signature schemes of users' keys: Ed25519, and ECDSA on P-256 and secp256k1 with SHA-256, keys in DER.
 * Not here: canister signatures and WebAuthn (COSE) keys, which are refused by name.
 * Source: interface specification, "Signatures".
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { Refused } from './refused.ts';

/** Object identifiers (DER) of the schemes the Internet Computer knows and this replica does not. */
const REFUSED: readonly [oid: string, name: string][] = [
  ['060a2b0601040183b8430102', 'a canister signature'],
  ['060a2b0601040183b8430101', 'a WebAuthn (COSE) key'],
];

/** Keys seen lately: reading one costs more than verifying with it, and a client signs every request with the same. */
const parsed = new Map<string, KeyObject>();
const MAX_PARSED = 1_000;

/**
 * Whether `signature` (Ed25519: 64 bytes; ECDSA: r and s, 32 bytes each) is the key's over `message`.
 * @throws {Refused} where the key is not one of the three schemes.
 */
export function verifySignature(publicKeyDer: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.from(publicKeyDer);
  const name = der.toString('latin1');
  const key = parsed.get(name) ?? parseKey(der);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(name, key);
  if (key.asymmetricKeyType === 'ed25519') return verify(null, message, key, signature);
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

function parseKey(der: Buffer): KeyObject {
  const expected = 'public key: expected Ed25519, P-256 or secp256k1 in DER';
  const refused = REFUSED.find(([oid]) => der.includes(oid, 0, 'hex'));
  if (refused) throw new Refused(`${expected}, got ${refused[1]}, which this replica does not verify`);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    throw new Refused(`${expected}, got ${der.length} bytes: ${der.toString('hex', 0, 48)}`);
  }
  const scheme = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType;
  if (scheme !== 'ed25519' && scheme !== 'prime256v1' && scheme !== 'secp256k1') {
    throw new Refused(`${expected}, got ${scheme}`);
  }
  return key;
}
