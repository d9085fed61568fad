/**
 * What an upload costs, told beforehand. Fees as on a subnet of 13 nodes; what the canister works is measured on the
 * replica.
 */
import { fees, ingressFee } from '../../../packages/replica/src/cycles.ts';

/** Hashing twice (the chunk, the whole) takes 160, the rest is reading the argument, storing and checking. */
const INSTRUCTIONS_PER_BYTE = 187;
/** upload_start, the upload_commits, what each does besides, and the check of the tokenizer's tables. */
const INSTRUCTIONS_BESIDES = 240_000_000;
const CALLS_BESIDES = 3;
/** What a call's envelope has besides the chunk: key, signature, names, ids. */
const ENVELOPE_BYTES = 350;
const CHUNK_BYTES = 1 << 20;

/** Cycles for an upload of so many bytes from nothing; within 5% of what the replica charges. */
export function uploadCycles(bytes: number): bigint {
  const calls = BigInt(Math.ceil(bytes / CHUNK_BYTES) + CALLS_BESIDES);
  const instructions = BigInt(bytes * INSTRUCTIONS_PER_BYTE + INSTRUCTIONS_BESIDES);
  return (
    BigInt(bytes) * fees.ingressByte +
    calls * (ingressFee(ENVELOPE_BYTES) + fees.execution) +
    instructions * fees.perInstruction
  );
}
