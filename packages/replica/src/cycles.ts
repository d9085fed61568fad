/**
 * What things cost in cycles on a 13-node application subnet, and what a canister must keep.
 * Specification-like: dfinity/ic `rs/config/src/subnet_config.rs` (CyclesAccountManagerConfig), `rs/cycles_account_manager`.
 */
import { instructionLimits, limits } from './limits.ts';

export const fees = {
  perInstruction: 1n,
  execution: 5_000_000n,
  ingress: 1_200_000n,
  ingressByte: 2_000n,
  call: 260_000n,
  callByte: 1_000n,
  canisterCreation: 500_000_000_000n,
  storageGibSecond: 127_000n,
  computePercentSecond: 10_000_000n,
} as const;

/** Nodes of the subnet that `fees` are those of. */
const FEES_NODES = 13;

/** What costs so many cycles here, on a subnet of another size: every fee grows with the number of nodes. */
export const onNodes = (cycles: number, nodes: number): number => (cycles * nodes) / FEES_NODES;

const GiB = 1024n ** 3n;

export const executionFee = (instructions: number): bigint =>
  fees.execution + BigInt(instructions) * fees.perInstruction;

export const ingressFee = (bytes: number): bigint => fees.ingress + BigInt(bytes) * fees.ingressByte;

/** What sending a call costs: the request itself; its response is prepaid with `responseReservation`. */
export const callFee = (bytes: number): bigint => fees.call + BigInt(bytes) * fees.callByte;

/** Set aside until the response arrives: its transmission at the largest size, and a callback with all its instructions. */
export const responseReservation: bigint =
  BigInt(limits.replyBytes) * fees.callByte + executionFee(instructionLimits.update);

/** Storage and compute allocation over a time. */
export function idleFee(storageBytes: number, computeAllocation: number, nanoseconds: bigint): bigint {
  const storage = (BigInt(storageBytes) * fees.storageGibSecond * nanoseconds) / GiB;
  return (storage + BigInt(computeAllocation) * fees.computePercentSecond * nanoseconds) / 1_000_000_000n;
}
