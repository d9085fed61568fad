/** What tests add up of the Internet Computer's fees, in plain numbers. */
import { agentEnvelopeBytes } from '../src/envelope-size.ts';
import { compileCost } from '../src/wasm/compile-cost.ts';
import { parseModule } from '../src/wasm/module.ts';

/** Cycles for the ingress of a call that an agent signs, as those of `Replica.updateCall` count. */
export const agentCallFee = (call: Parameters<typeof agentEnvelopeBytes>[0]): number =>
  1_200_000 + 2_000 * agentEnvelopeBytes(call);

/**
 * Cycles for installing a module that was not installed before, but for what its entry points execute; by the rules
 * of 2026.
 */
export const installFee = (wasm: Uint8Array): bigint => BigInt(5_000_000 + 20_000_000 + compileCost(parseModule(wasm)));

/** The same, of a module that was installed before on another canister, or this one. */
export const installAgainFee = (wasm: Uint8Array): bigint =>
  BigInt(5_000_000 + 20_000_000 + compileCost(parseModule(wasm)) / 100);
