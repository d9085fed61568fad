/**
 * What an update request from outside must pass before it is queued: the canister exists, runs and pays, and lets it
 * in. Specification-like: interface specification, "API request submission" and "Ingress message inspection".
 */
import type { Canister } from './canister.ts';
import { ingressFee } from './cycles.ts';
import { agentEnvelopeBytes } from './envelope-size.ts';
import { asTrap, reject, Trap, trapReject } from './errors.ts';
import { instructionLimits, limits } from './limits.ts';
import type { ManagementHost } from './management/host.ts';
import { checkIngress, effectiveCanister, isManagement } from './management/methods.ts';
import { isNative } from './native-canisters.ts';
import type { Subnet } from './subnet.ts';
import type { Ingress, Reject, Request } from './types.ts';

const requestIdBytes = 32;

/** Why a request is not taken up, if it is not. */
export function refuse(subnet: Subnet, management: ManagementHost, request: Ingress): Reject | undefined {
  const { canisterId, methodName, arg, sender, envelopeBytes = agentEnvelopeBytes(request) } = request;
  try {
    if (envelopeBytes + requestIdBytes > limits.ingressBytes)
      throw new Trap(
        'IC0406',
        `expected an ingress message of at most ${limits.ingressBytes} bytes with its envelope and id, got ${envelopeBytes + requestIdBytes}`,
      );
    if (isManagement(canisterId)) checkIngress(management, methodName, arg, sender);
  } catch (error) {
    const { errorCode, message } = asTrap(error);
    return reject(errorCode, message);
  }
  const payer = payerOf(subnet, request);
  if (payer && payer.liquidCycles < ingressFee(envelopeBytes)) return outOfCycles(payer);
  if (isManagement(canisterId) || isNative(subnet, canisterId)) return undefined;
  const canister = subnet.canister(canisterId);
  return subnet.unfit(canisterId, canister) ?? inspect(subnet, canister!, request);
}

/** The canister that pays for a request: the one called, or that a call to the management canister is about. */
function payerOf(subnet: Subnet, { canisterId, methodName, arg }: Request): Canister | undefined {
  if (!isManagement(canisterId)) return subnet.canister(canisterId);
  // Topping up is how a canister that cannot pay comes to cycles.
  const id = methodName === 'provisional_top_up_canister' ? undefined : effectiveCanister(methodName, arg);
  return id && subnet.canister(id);
}

/** Charges for a request that is taken out of the queue. */
export function chargeIngress(subnet: Subnet, request: Request, envelopeBytes: number): void {
  payerOf(subnet, request)?.charge(ingressFee(envelopeBytes));
}

function inspect(subnet: Subnet, canister: Canister, { methodName, arg, sender }: Request): Reject | undefined {
  if (!canister.instance!.has('canister_inspect_message')) return undefined;
  const { execution, trap } = subnet.executor.run({
    kind: 'inspectMessage',
    context: 'F',
    canister,
    caller: sender,
    method: methodName,
    arg,
    limit: instructionLimits.inspect,
    changes: 'discard',
    enter: (instance) => instance.call('canister_inspect_message'),
  });
  if (trap) return trapReject(canister.text, trap);
  return execution.accepted ? undefined : reject('IC0406', 'Canister rejected the message');
}

export function outOfCycles({ text }: Canister): Reject {
  return reject('IC0207', `Canister ${text} is out of cycles. Top it up.`);
}
