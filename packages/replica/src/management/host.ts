/**
 * What methods of the management canister are, what they need of the replica, and what they check alike. Plumbing.
 */
import type { Principal } from '@dfinity/principal';
import type { Canister, Response, Settings } from '../canister.ts';
import { type ErrorCode, Trap } from '../errors.ts';
import type { Installation } from '../install.ts';
import type { Snapshot } from '../snapshot.ts';

/** What the management canister needs of the replica. */
export interface ManagementHost {
  canister(id: Principal): Canister | undefined;
  createCanister(options: { settings: Settings; cycles: bigint; specifiedId?: Principal }): Canister;
  deleteCanister(canister: Canister): void;
  installCode(code: Installation): { trap?: Trap };
  /** Nanoseconds since 1970. */
  time(): bigint;
  /** @throws Trap */
  loadSnapshot(canister: Canister, snapshot: Snapshot): void;
  /** Told whether the controllers were set. */
  settingsChanged(canister: Canister, newControllers: boolean): void;
  uninstallCode(canister: Canister): void;
  /** Calls `stopped` when the canister has no open call contexts any more. */
  stopCanister(canister: Canister, stopped: (response: Response) => void): void;
  startCanister(canister: Canister): void;
  randomBytes(): Uint8Array;
}

/** A call to the management canister. `respond` is called once, at once or later. */
export interface ManagementCall {
  method: string;
  arg: Uint8Array;
  caller: Principal;
  /** Cycles that came with it. */
  cycles: bigint;
  respond(response: Response, cyclesAccepted?: bigint): void;
}

// biome-ignore lint/suspicious/noExplicitAny: Candid values have the types of idl.ts, which TypeScript does not see
export type Value = any;
export type Method = (
  host: ManagementHost,
  call: ManagementCall,
  arg: Value,
) => { result?: Value; accepted?: bigint } | 'later';

export function fail(code: ErrorCode, message: string): never {
  throw new Trap(code, message);
}

export function find(host: ManagementHost, id: Principal): Canister {
  return host.canister(id) ?? fail('IC0301', `Canister ${id.toText()} not found`);
}

export function checkController(canister: Canister, caller: Principal): void {
  if (canister.isController(caller)) return;
  const controllers = canister.controllers.map((controller) => controller.toText()).join(' ');
  fail(
    'IC0512',
    `Only controllers of canister ${canister.text} can call ic00 method: expected one of ${controllers}, got ${caller.toText()}`,
  );
}
