/**
 * A bill: what the canister was charged for some work. Instructions are cycles on a subnet of 13 nodes; fees are
 * everything else that the subnet takes for it: messages, calls of the canister to itself, ingress. Numbers only; what
 * is put on a bill, and when, is for the canister to say.
 */
import { CALL_BYTE_CYCLES, CALL_CYCLES, INGRESS_BYTE_CYCLES, INGRESS_CYCLES, MESSAGE_CYCLES } from './prices.ts';

export interface Bill {
  instructions: number;
  /** Messages that the canister executed: calls and replies. */
  messages: number;
  /** In cycles. */
  fees: number;
}

export const emptyBill = (): Bill => ({ instructions: 0, messages: 0, fees: 0 });

export const cyclesOf = ({ instructions, fees }: Pick<Bill, 'instructions' | 'fees'>): number => instructions + fees;

export function addBill(to: Bill, { instructions, messages, fees }: Bill): void {
  to.instructions += instructions;
  to.messages += messages;
  to.fees += fees;
}

/** A part of a bill out of so many, or several times it. */
export const partOf = ({ instructions, messages, fees }: Bill, part: number, parts = 1): Bill => ({
  instructions: (instructions * part) / parts,
  messages: (messages * part) / parts,
  fees: (fees * part) / parts,
});

/** Bytes of a call to ourselves: "generate" and its arguments. */
export const SELF_CALL_BYTES = 17;

/** Messages that the canister executed, with what they took together. */
export const executed = (instructions: number, messages = 1): Bill => ({
  instructions,
  messages,
  fees: messages * MESSAGE_CYCLES,
});

/**
 * What sending calls costs that carry so many bytes each, the method's name among them. The reply is paid for by its
 * bytes when it comes.
 */
export const callFees = (bytes: number, calls = 1): number => calls * (CALL_CYCLES + bytes * CALL_BYTE_CYCLES);

/**
 * Bytes of the envelope in which @dfinity/agent sends a call that it signs with an Ed25519 key: CBOR of content (type,
 * canister, method, argument, sender, expiry, nonce), public key and signature. All ingress is counted so; that of the
 * anonymous caller has 166 bytes less, other keys and delegations have more.
 */
export const envelopeBytes = (method: string, argBytes: number): number =>
  SIGNED_BYTES + method.length + cborHeadBytes(argBytes) + argBytes;

const SIGNED_BYTES = 293;

const cborHeadBytes = (length: number): number => (length < 24 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5);

export const ingressFees = (envelope: number): number => INGRESS_CYCLES + envelope * INGRESS_BYTE_CYCLES;
