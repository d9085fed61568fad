/**
 * Canisters of the real network that clients expect to find, as far as development needs them: the cycles ledger and
 * the cycles minting canister. Everyone has as many cycles there as they ask for; nothing is kept of blocks, transfers
 * or approvals. Sources: dfinity/cycles-ledger `cycles-ledger.did`, dfinity/ic `rs/nns/cmc/cmc.did`.
 */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { principalKey, type Response } from './canister.ts';
import { reject, Trap } from './errors.ts';
import { settingsType } from './management/idl.ts';
import { settingsFrom } from './management/settings.ts';
import type { Subnet } from './subnet.ts';

// biome-ignore lint/suspicious/noExplicitAny: values of Candid have the types below, which TypeScript does not see
type Value = any;

interface Method {
  query: boolean;
  arg: IDL.Type[];
  result: IDL.Type;
  call(subnet: Subnet, caller: Principal, arg: Value): Value;
}

const subaccount = IDL.Opt(IDL.Vec(IDL.Nat8));
const account = IDL.Record({ owner: IDL.Principal, subaccount });
const created = IDL.Record({ block_id: IDL.Nat, canister_id: IDL.Principal });
const creation = IDL.Record({
  from_subaccount: subaccount,
  created_at_time: IDL.Opt(IDL.Nat64),
  amount: IDL.Nat,
  creation_args: IDL.Opt(IDL.Record({ settings: IDL.Opt(settingsType) })),
});
/** A quadrillion cycles. */
const balance = 10n ** 15n;

const query = (arg: IDL.Type[], result: IDL.Type, call: Method['call']): Method => ({ query: true, arg, result, call });

const cyclesLedger: Record<string, Method> = {
  icrc1_balance_of: query([account], IDL.Nat, () => balance),
  icrc1_decimals: query([], IDL.Nat8, () => 12),
  icrc1_symbol: query([], IDL.Text, () => 'TCYCLES'),
  icrc1_name: query([], IDL.Text, () => 'Trillion Cycles'),
  icrc1_fee: query([], IDL.Nat, () => 100_000_000n),
  create_canister: {
    query: false,
    arg: [creation],
    result: IDL.Variant({
      Ok: created,
      Err: IDL.Variant({ GenericError: IDL.Record({ error_code: IDL.Nat, message: IDL.Text }) }),
    }),
    call(subnet, caller, arg) {
      const settings = settingsFrom(arg.creation_args[0]?.settings[0], caller);
      const { canisterId } = subnet.createCanister({ settings, cycles: arg.amount });
      return { Ok: { block_id: 0n, canister_id: canisterId } };
    },
  },
};

const cyclesMinting: Record<string, Method> = {
  get_default_subnets: query([], IDL.Vec(IDL.Principal), ({ subnetId }) => [Principal.fromUint8Array(subnetId)]),
};

const natives = new Map(
  Object.entries({ 'um5iw-rqaaa-aaaaq-qaaba-cai': cyclesLedger, 'rkp4c-7iaaa-aaaaa-aaaca-cai': cyclesMinting }).map(
    ([id, methods]) => [principalKey(Principal.fromText(id)), methods],
  ),
);

/** Whether this is a canister that the replica plays itself; one that is installed under its id comes first. */
export function isNative(subnet: Subnet, canisterId: Principal): boolean {
  return natives.has(principalKey(canisterId)) && !subnet.canister(canisterId);
}

export interface NativeCall {
  canisterId: Principal;
  method: string;
  arg: Uint8Array;
  caller: Principal;
}

/** Answers a call to a native canister; a query call finds query methods only. */
export function callNative(
  subnet: Subnet,
  { canisterId, method: name, arg, caller }: NativeCall,
  asQuery: boolean,
): Response {
  const methods = natives.get(principalKey(canisterId))!;
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  const kind = asQuery ? 'query' : 'update';
  if (!method || (asQuery && !method.query))
    return {
      reject: reject('IC0536', `Error from Canister ${canisterId.toText()}: Canister has no ${kind} method '${name}'.`),
    };
  try {
    const [value] = method.arg.length > 0 ? decode(name, method.arg, arg) : [];
    return { reply: new Uint8Array(IDL.encode([method.result], [method.call(subnet, caller, value)])) };
  } catch (error) {
    if (error instanceof Trap) return { reject: reject(error.errorCode, error.message) };
    throw error;
  }
}

function decode(name: string, types: IDL.Type[], arg: Uint8Array): Value[] {
  try {
    return IDL.decode(types, arg as Uint8Array<ArrayBuffer>);
  } catch (error) {
    throw new Trap('IC0503', `Error decoding candid: ${name}: ${(error as Error).message}`);
  }
}
