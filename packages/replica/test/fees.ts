/** What tests add up of the Internet Computer's fees, in plain numbers. */
import { agentEnvelopeBytes } from '../src/envelope-size.ts';

/** Cycles for the ingress of a call that an agent signs, as those of `Replica.updateCall` count. */
export const agentCallFee = (call: Parameters<typeof agentEnvelopeBytes>[0]): number =>
  1_200_000 + 2_000 * agentEnvelopeBytes(call);
