/** Requests made by hand, so that they can be made wrong. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Principal } from '@dfinity/principal';
import { decode, encode } from '../../src/certification/cbor.ts';
import { type Hashable, hashOfMap } from '../../src/certification/hash-of-map.ts';
import { CANISTER_ID } from './fake-core.ts';

export type Content = Record<string, unknown>;

/** An Ed25519 key and the principal it speaks for. */
export interface Key {
  secret: KeyObject;
  der: Uint8Array;
  principal: Principal;
}

export function newKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return { secret: privateKey, der, principal: Principal.selfAuthenticating(der) };
}

/** Nanoseconds from now, as expiries and expirations are. */
export const inMinutes = (minutes: number) => BigInt(Date.now() + minutes * 60_000) * 1_000_000n;

/** An anonymous call of `echo` with the given fields changed; `undefined` leaves one out. */
export function callContent(changes: Content = {}): Content {
  return {
    request_type: 'call',
    canister_id: CANISTER_ID.toUint8Array(),
    method_name: 'echo',
    arg: Uint8Array.of(1, 2, 3),
    sender: Principal.anonymous().toUint8Array(),
    ingress_expiry: inMinutes(3),
    ...changes,
  };
}

export function readStateContent(paths: (string | Uint8Array)[][], changes: Content = {}): Content {
  return {
    request_type: 'read_state',
    paths: paths.map((path) => path.map((label) => (typeof label === 'string' ? Buffer.from(label) : label))),
    sender: Principal.anonymous().toUint8Array(),
    ingress_expiry: inMinutes(3),
    ...changes,
  };
}

export function requestIdOf(content: Content): Uint8Array {
  return hashOfMap(new Map(Object.entries(content)) as ReadonlyMap<string, Hashable>);
}

/** Signs with the domain separator of requests, or another. */
export function signed(key: Key, hash: Uint8Array, domain = '\x0aic-request'): Uint8Array {
  return sign(null, Buffer.concat([Buffer.from(domain, 'latin1'), hash]), key.secret);
}

export function signedDelegation(by: Key, to: Key, changes: Content = {}) {
  const delegation = { pubkey: to.der, expiration: inMinutes(3), ...changes };
  return { delegation, signature: signed(by, requestIdOf(delegation), '\x1aic-request-auth-delegation') };
}

/** An envelope around content of the key's principal; `changes` are made after signing. */
export function envelope(key: Key, content: Content, changes: Content = {}): Content {
  const ofKey = { ...content, sender: content['sender'] ?? key.principal.toUint8Array() };
  return { content: ofKey, sender_pubkey: key.der, sender_sig: signed(key, requestIdOf(ofKey)), ...changes };
}

/** A map without the fields that are `undefined`. */
export const without = (content: Content): Content =>
  Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));

export interface RawAnswer {
  status: number;
  text: string;
  /** The decoded body, where it is CBOR. */
  cbor: Map<string, unknown> | undefined;
  headers: Headers;
}

export async function post(url: string, body: Content | Uint8Array, type = 'application/cbor'): Promise<RawAnswer> {
  const bytes = body instanceof Uint8Array ? body : encode(body);
  const response = await fetch(url, { method: 'POST', body: Buffer.from(bytes), headers: { 'Content-Type': type } });
  const answer = new Uint8Array(await response.arrayBuffer());
  const isCbor = response.headers.get('content-type') === 'application/cbor';
  return {
    status: response.status,
    text: isCbor ? '' : Buffer.from(answer).toString(),
    cbor: isCbor ? (decode(answer) as Map<string, unknown>) : undefined,
    headers: response.headers,
  };
}
