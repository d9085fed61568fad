/**
 * The keys of a replica that is a subnet of one node and its own root: the root key (BLS12-381, signs certificates) and
 * the node's key (Ed25519, signs query answers). Both come from a seed, so anyone who knows the seed can sign: good for
 * development, worthless elsewhere. Source: interface specification, "Signatures" and "Certificate".
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { Principal } from '@dfinity/principal';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bytes } from './hash-tree.ts';

/** SubjectPublicKeyInfo up to the 96 bytes of a BLS12-381 key in G2, with signatures in G1. */
const BLS_DER_PREFIX = Buffer.from('308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100', 'hex');
/** PKCS#8 up to the 32 bytes of an Ed25519 secret. */
const ED25519_PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

const STATE_ROOT = bytes('\x0dic-state-root');
const RESPONSE = bytes('\x0bic-response');

const { shortSignatures } = bls12_381;

/** The seed of the root key where none is given: the same key at each start, which clients may remember. */
export const DEVELOPMENT_SEED = 'development replica';

export class Authority {
  /** The root key as `/api/v2/status` gives it: DER, 133 bytes. */
  readonly rootKey: Uint8Array;
  /** The self-authenticating id of the root key. */
  readonly subnetId: Principal;
  /** The node's key: DER, 44 bytes. */
  readonly nodeKey: Uint8Array;
  readonly nodeId: Principal;
  readonly #rootSecret: Uint8Array;
  readonly #nodeSecret: KeyObject;

  constructor(seed: string = DEVELOPMENT_SEED) {
    const material = (name: string) => createHash('sha512').update(`${name}\0${seed}`).digest();
    const { Fr } = bls12_381.fields;
    this.#rootSecret = Fr.toBytes(Fr.create(BigInt(`0x${material('root key').toString('hex')}`)));
    this.rootKey = Uint8Array.of(...BLS_DER_PREFIX, ...shortSignatures.getPublicKey(this.#rootSecret).toBytes());
    this.subnetId = Principal.selfAuthenticating(this.rootKey);

    const pkcs8 = Buffer.concat([ED25519_PKCS8_PREFIX, material('node key').subarray(0, 32)]);
    this.#nodeSecret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    this.nodeKey = Uint8Array.from(createPublicKey(this.#nodeSecret).export({ format: 'der', type: 'spki' }));
    this.nodeId = Principal.selfAuthenticating(this.nodeKey);
  }

  /** Signs the root hash of a state tree: 48 bytes, some 15 ms. */
  signStateRoot(rootHash: Uint8Array): Uint8Array {
    const message = shortSignatures.hash(Buffer.concat([STATE_ROOT, rootHash]));
    return shortSignatures.sign(message, this.#rootSecret).toBytes();
  }

  /** Signs the hash of a query answer: 64 bytes. */
  signResponse(hash: Uint8Array): Uint8Array {
    return sign(null, Buffer.concat([RESPONSE, hash]), this.#nodeSecret);
  }
}
