/**
 * Who sent a request: the anonymous sender, or the owner of a key that signed it, directly or through delegations.
 * Source: interface specification, "Authentication".
 */
import { Principal } from '@dfinity/principal';
import { type Hashable, hashOfMap } from './hash-of-map.ts';
import { bytes } from './hash-tree.ts';
import { verifySignature } from './public-key.ts';
import { Refused } from './refused.ts';

const REQUEST = bytes('\x0aic-request');
const DELEGATION = bytes('\x1aic-request-auth-delegation');

const MAX_DELEGATIONS = 20;
const MAX_TARGETS = 1_000;

/** What lets its key's owner speak for the key that signed it; times in nanoseconds since 1970. */
export interface Delegation {
  pubkey: Uint8Array;
  expiration: bigint;
  targets?: Uint8Array[];
}

export interface Authentication {
  senderPubkey?: Uint8Array;
  senderSig?: Uint8Array;
  senderDelegation?: { delegation: Delegation; signature: Uint8Array }[];
}

/** The canisters a request may be for, where its delegations restrict them: ids as text. */
export type Targets = ReadonlySet<string> | undefined;

/**
 * Checks that `sender` signed the request.
 * @param time nanoseconds since 1970, against which delegations expire
 * @returns the canisters the request may be for
 * @throws {Refused} that says what is wrong with the signature, the key or a delegation.
 */
export function authenticate(
  sender: Principal,
  requestId: Uint8Array,
  { senderPubkey, senderSig, senderDelegation = [] }: Authentication,
  time: bigint,
): Targets {
  if (sender.isAnonymous()) {
    if (!senderPubkey && !senderSig && senderDelegation.length === 0) return undefined;
    throw new Refused('sender: expected no key and no signature of the anonymous sender, got some');
  }
  if (!senderPubkey || !senderSig) {
    const missing = senderPubkey ? 'sender_sig' : 'sender_pubkey';
    throw new Refused(`sender: expected sender_pubkey and sender_sig of ${sender}, got no ${missing}`);
  }
  const owner = Principal.selfAuthenticating(senderPubkey);
  if (owner.compareTo(sender) !== 'eq') {
    throw new Refused(`sender: expected ${owner}, whose sender_pubkey it is, got ${sender}`);
  }
  const { key, targets } = followDelegations(senderPubkey, senderDelegation, time);
  if (!verifySignature(key, Buffer.concat([REQUEST, requestId]), senderSig)) {
    throw new Refused('sender_sig: expected a signature of the request id, got one that does not verify');
  }
  return targets;
}

function followDelegations(
  senderPubkey: Uint8Array,
  chain: NonNullable<Authentication['senderDelegation']>,
  time: bigint,
): { key: Uint8Array; targets: Targets } {
  if (chain.length > MAX_DELEGATIONS) {
    throw new Refused(`sender_delegation: expected at most ${MAX_DELEGATIONS} delegations, got ${chain.length}`);
  }
  let key = senderPubkey;
  let targets: Targets;
  const seen = new Set([Buffer.from(key).toString('hex')]);
  for (const { delegation, signature } of chain) {
    const where = `sender_delegation ${seen.size}`;
    if (delegation.expiration < time) {
      throw new Refused(`${where}: expected an expiration after ${time}, got ${delegation.expiration}`);
    }
    if (!verifySignature(key, Buffer.concat([DELEGATION, hashOfDelegation(delegation)]), signature)) {
      throw new Refused(
        `${where}: expected a signature of the delegation by the key before it, got one that does not verify`,
      );
    }
    if (delegation.targets) targets = restrict(targets, delegation.targets, where);
    key = delegation.pubkey;
    const hex = Buffer.from(key).toString('hex');
    if (seen.has(hex)) throw new Refused(`${where}: expected each key once, got ${hex} again`);
    seen.add(hex);
  }
  return { key, targets };
}

function restrict(targets: Targets, further: Uint8Array[], where: string): Targets {
  if (further.length > MAX_TARGETS) {
    throw new Refused(`${where}: expected at most ${MAX_TARGETS} targets, got ${further.length}`);
  }
  const ids = further.map((id) => Principal.fromUint8Array(id).toText());
  return new Set(targets ? ids.filter((id) => targets.has(id)) : ids);
}

function hashOfDelegation({ pubkey, expiration, targets }: Delegation): Uint8Array {
  const fields: [string, Hashable][] = [
    ['pubkey', pubkey],
    ['expiration', expiration],
  ];
  if (targets) fields.push(['targets', targets]);
  return hashOfMap(new Map(fields));
}
