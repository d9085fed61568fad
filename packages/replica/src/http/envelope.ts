/**
 * The authentication envelope around a request's content: decoded, its expiry and its signature checked.
 * Source: interface specification, "Authentication" and "Request ids".
 */
import type { Principal } from '@dfinity/principal';
import { type Authentication, authenticate, type Delegation, type Targets } from '../certification/authentication.ts';
import { decode } from '../certification/cbor.ts';
import { type Hashable, hashOfMap } from '../certification/hash-of-map.ts';
import { Refused } from '../certification/refused.ts';
import { RequestError } from './answer.ts';
import {
  asArray,
  asBlob,
  asMap,
  asNat,
  asPrincipal,
  asText,
  describe,
  type Fields,
  optional,
  withoutNulls,
} from './fields.ts';

const MAX_NONCE_BYTES = 32;
const MINUTE = 60_000_000_000n;
/** Five minutes, and half a minute for clocks that differ, as on the Internet Computer. */
const MAX_INGRESS_TTL = 5n * MINUTE + MINUTE / 2n;

export interface Envelope {
  content: Fields;
  requestId: Uint8Array;
  sender: Principal;
  ingressExpiry: bigint;
  nonce?: Uint8Array;
  authentication: Authentication;
  targets: Targets;
}

/**
 * Opens an envelope of the given request type.
 * @param time nanoseconds since 1970, as the core has it
 * @throws {RequestError} 400 with what is wrong with it
 */
export function openEnvelope(body: Uint8Array, requestType: 'call' | 'query' | 'read_state', time: bigint): Envelope {
  const envelope = asMap(decodeBody(body), 'body');
  const content = withoutNulls(asMap(envelope.get('content'), 'content'));
  const type = asText(content.get('request_type'), 'request_type');
  if (type !== requestType) {
    throw new RequestError(400, `request_type: expected "${requestType}" at this address, got ${describe(type)}`);
  }
  const sender = asPrincipal(content.get('sender'), 'sender');
  const ingressExpiry = asNat(content.get('ingress_expiry'), 'ingress_expiry');
  const nonce = optional(content.get('nonce'), 'nonce', (value, where) => asBlob(value, where, MAX_NONCE_BYTES));
  if (content.has('sender_info')) {
    throw new RequestError(400, 'sender_info: expected none, as this replica does not verify canister signatures');
  }
  // A client whose clock is wrong reads the time anonymously to set it right, whatever it takes the time to be.
  if (requestType === 'call' || !sender.isAnonymous()) checkExpiry(ingressExpiry, time);
  try {
    const requestId = hashOfMap(content as ReadonlyMap<string, Hashable>);
    const authentication = signatures(envelope);
    const targets = authenticate(sender, requestId, authentication, time);
    return { content, requestId, sender, ingressExpiry, nonce, authentication, targets };
  } catch (error) {
    throw error instanceof Refused ? new RequestError(400, error.message) : error;
  }
}

function decodeBody(body: Uint8Array): unknown {
  try {
    return decode(body);
  } catch (error) {
    throw new RequestError(400, `body: expected CBOR, got ${body.length} bytes: ${(error as Error).message}`);
  }
}

/** The first words are those of the Internet Computer: by them, agents know to set their clock and try again. */
function checkExpiry(ingressExpiry: bigint, time: bigint): void {
  const latest = time + MAX_INGRESS_TTL;
  if (ingressExpiry >= time && ingressExpiry <= latest) return;
  throw new RequestError(
    400,
    'Invalid request expiry: Specified ingress_expiry not within expected range: ' +
      `expected ${time} to ${latest} (nanoseconds), got ${ingressExpiry}`,
  );
}

function signatures(envelope: Fields): Authentication {
  return {
    senderPubkey: optional(envelope.get('sender_pubkey'), 'sender_pubkey', asBlob),
    senderSig: optional(envelope.get('sender_sig'), 'sender_sig', asBlob),
    senderDelegation: optional(envelope.get('sender_delegation'), 'sender_delegation', asArray)?.map((value) => {
      const signed = asMap(value, 'sender_delegation');
      return {
        delegation: delegation(asMap(signed.get('delegation'), 'delegation')),
        signature: asBlob(signed.get('signature'), 'signature of a delegation'),
      };
    }),
  };
}

function delegation(fields: Fields): Delegation {
  return {
    pubkey: asBlob(fields.get('pubkey'), 'pubkey of a delegation'),
    expiration: asNat(fields.get('expiration'), 'expiration of a delegation'),
    targets: optional(fields.get('targets'), 'targets of a delegation', asArray)?.map((id) =>
      asPrincipal(id, 'target of a delegation').toUint8Array(),
    ),
  };
}
