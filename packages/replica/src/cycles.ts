/**
 * What things cost in cycles on a 13-node application subnet, and what a canister must keep. Specification-like:
 * dfinity/ic `rs/config/src/subnet_config.rs` (CyclesAccountManagerConfig), `rs/cycles_account_manager`.
 */

import { instructionLimits, limits } from './limits.ts';
import type { PageRules } from './wasm/costs.ts';

export const fees = {
  perInstruction: 1n,
  execution: 5_000_000n,
  ingress: 1_200_000n,
  ingressByte: 2_000n,
  call: 260_000n,
  callByte: 1_000n,
  canisterCreation: 500_000_000_000n,
  computePercentSecond: 10_000_000n,
} as const;

/** What being there costs by the second. It went up in May of 2026, when the base fee came (dfinity/ic#10292). */
export const storageFees: Record<PageRules, { gibSecond: bigint; baseSecond: bigint }> = {
  '2026': { gibSecond: 317_500n, baseSecond: 10_000n },
  '2025': { gibSecond: 127_000n, baseSecond: 0n },
};

/** How often a canister is charged for being there, in nanoseconds. */
export const storageChargeInterval = 10_000_000_000n;

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

/**
 * Set aside until the response arrives: its transmission at the largest size, and a callback with all its instructions.
 */
export const responseReservation: bigint =
  BigInt(limits.replyBytes) * fees.callByte + executionFee(instructionLimits.update);

/** What takes a canister's place on the subnet. */
export interface Resources {
  /** Memories, code, history; or what is allocated, if that is more. */
  bytes: number;
  /** Room kept for the responses of open calls. */
  messageBytes: number;
  computeAllocation: number;
}

/** Storage and compute allocation over a time, of which whole seconds count. */
export function idleFee(
  rules: PageRules,
  { bytes, messageBytes, computeAllocation }: Resources,
  seconds: bigint,
): bigint {
  const { gibSecond, baseSecond } = storageFees[rules];
  const memory = (size: number): bigint => (BigInt(size) * gibSecond * seconds) / GiB;
  const base = bytes > 0 ? baseSecond * seconds : 0n;
  return memory(bytes) + base + memory(messageBytes) + BigInt(computeAllocation) * fees.computePercentSecond * seconds;
}
