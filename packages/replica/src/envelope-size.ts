/**
 * How many bytes an update request takes as CBOR, envelope and all: that is what its canister pays for.
 * Specification-like: dfinity/ic `ingress_induction_cost`, which counts the envelope as a replica writes it anew: with
 * the self-describing tag, and without the fields that are absent, null or unknown.
 */
import type { Request } from './types.ts';

/** The optional parts of an envelope. */
export interface EnvelopeParts {
  nonce?: Uint8Array;
  senderPubkey?: Uint8Array;
  senderSig?: Uint8Array;
  senderDelegation?: readonly {
    delegation: { pubkey: Uint8Array; expiration: bigint; targets?: readonly Uint8Array[] };
    signature: Uint8Array;
  }[];
}

type Encodable =
  | Uint8Array
  | string
  | bigint
  | readonly Encodable[]
  | { readonly [name: string]: Encodable | undefined };

const tagBytes = 3;
/** Of an agent's call: an Ed25519 key in DER, its signature, the sender that comes of it, and a nonce. */
const signed = { senderPubkey: new Uint8Array(44), senderSig: new Uint8Array(64), nonce: new Uint8Array(16) };
const signedSenderBytes = 29;
/** Nanoseconds since 1970 take nine bytes, whichever they are. */
const someTime = 1n << 60n;

/** Bytes of the head of a CBOR item with this length or value. */
function headBytes(value: bigint | number): number {
  if (value < 24) return 1;
  if (value < 1 << 8) return 2;
  if (value < 1 << 16) return 3;
  return value < 2 ** 32 ? 5 : 9;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function cborBytes(value: Encodable): number {
  if (typeof value === 'bigint') return headBytes(value);
  if (typeof value === 'string') value = new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return headBytes(value.length) + value.length;
  if (Array.isArray(value)) return headBytes(value.length) + sum(value.map(cborBytes));
  const fields = Object.entries(value).filter((field): field is [string, Encodable] => field[1] !== undefined);
  return headBytes(fields.length) + sum(fields.map(([name, field]) => cborBytes(name) + cborBytes(field)));
}

/** Size of the envelope that an update request came in. */
export function envelopeBytes({ canisterId, methodName, arg, sender }: Request, parts: EnvelopeParts): number {
  const content = {
    request_type: 'call',
    canister_id: canisterId.toUint8Array(),
    method_name: methodName,
    arg,
    sender: sender.toUint8Array(),
    ingress_expiry: someTime,
    nonce: parts.nonce,
  };
  const delegations = parts.senderDelegation?.map(({ delegation: { pubkey, expiration, targets }, signature }) => ({
    delegation: { pubkey, expiration, targets },
    signature,
  }));
  const { senderPubkey: sender_pubkey, senderSig: sender_sig } = parts;
  return tagBytes + cborBytes({ content, sender_pubkey, sender_sig, sender_delegation: delegations });
}

/**
 * Size of the envelope that an agent with an Ed25519 key makes of a call, without delegations: what a call counts as
 * that came in none, through the verbs of `Replica`, whoever is named as its sender.
 */
export function agentEnvelopeBytes(request: Pick<Request, 'canisterId' | 'methodName' | 'arg'>): number {
  const sender = { toUint8Array: () => new Uint8Array(signedSenderBytes) } as Request['sender'];
  return envelopeBytes({ ...request, sender }, signed);
}
