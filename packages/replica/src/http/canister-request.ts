/**
 * The content of a call or a query, and whether it was sent to the right address.
 * Source: interface specification, "Request: Call", "Effective canister id", "Effective subnet id".
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import type { Request } from '../types.ts';
import { RequestError } from './answer.ts';
import type { Context } from './context.ts';
import { type Envelope, openEnvelope } from './envelope.ts';
import { asBlob, asPrincipal, asText } from './fields.ts';

/** Where a request was sent to: the id in its address. */
export type Effective = { canisterId: Principal } | { subnetId: Principal };

const MANAGEMENT_CANISTER = Principal.managementCanister();
const same = (a: Principal, b: Principal) => a.compareTo(b) === 'eq';

/** Management canister methods that name no canister, so that any canister id will do as the effective one. */
const ANY_CANISTER: Record<'call' | 'query', readonly string[]> = {
  call: ['create_canister', 'provisional_create_canister_with_cycles'],
  query: ['list_canisters'],
};

/**
 * Opens the envelope of a call or query and checks its address and its delegations' targets.
 * @throws {RequestError} 400, 403
 */
export function openCanisterRequest(
  context: Context,
  type: 'call' | 'query',
  effective: Effective,
  body: Uint8Array,
): Envelope & { request: Request } {
  const envelope = openEnvelope(body, type, context.core.time());
  const { content, sender, targets } = envelope;
  const request: Request = {
    sender,
    canisterId: asPrincipal(content.get('canister_id'), 'canister_id'),
    methodName: asText(content.get('method_name'), 'method_name'),
    arg: asBlob(content.get('arg'), 'arg'),
  };
  if (targets && !targets.has(request.canisterId.toText())) {
    throw new RequestError(
      403,
      `canister_id: expected a target of the sender's delegations, got ${request.canisterId}`,
    );
  }
  if ('subnetId' in effective) checkEffectiveSubnet(context, type, request, effective.subnetId);
  else checkEffectiveCanister(type, request, effective.canisterId);
  return { ...envelope, request };
}

function checkEffectiveCanister(type: 'call' | 'query', request: Request, effective: Principal): void {
  const { canisterId, methodName } = request;
  if (!same(canisterId, MANAGEMENT_CANISTER)) {
    mustBe(effective, canisterId, 'the called canister');
  } else if (!ANY_CANISTER[type].includes(methodName)) {
    const field = methodName === 'install_chunked_code' ? 'target_canister' : 'canister_id';
    mustBe(effective, principalIn(request, field), `${field} in the argument of ${methodName}`);
  }
}

function checkEffectiveSubnet(context: Context, type: 'call' | 'query', request: Request, effective: Principal): void {
  mustBe(effective, context.authority.subnetId, 'the only subnet here');
  if (same(request.canisterId, MANAGEMENT_CANISTER) && ANY_CANISTER[type].includes(request.methodName)) return;
  const expected = ANY_CANISTER[type].map((name) => `${MANAGEMENT_CANISTER}.${name}`).join(' or ');
  const got = `${request.canisterId}.${request.methodName}`;
  throw new RequestError(400, `subnet ${type}: expected ${expected} at a subnet's address, got ${got}`);
}

function mustBe(effective: Principal, expected: Principal, what: string): void {
  if (same(effective, expected)) return;
  throw new RequestError(400, `address: expected ${expected}, ${what}, got ${effective}`);
}

/** A principal that stands in the record a management canister method takes. */
function principalIn({ methodName, arg }: Request, field: string): Principal {
  try {
    const [record] = IDL.decode([IDL.Record({ [field]: IDL.Principal })], arg) as unknown as Record<
      string,
      Principal
    >[];
    return record![field]!;
  } catch (error) {
    const got = `${arg.length} bytes: ${(error as Error).message}`;
    throw new RequestError(400, `${methodName}: expected a Candid record with ${field} : principal, got ${got}`);
  }
}
