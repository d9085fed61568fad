/**
 * One message while it is executed: what the system API reads, and what it will have done if the message does not trap.
 * Nothing here reaches the canister before `Replica` commits it. Specification-like: interface specification, "Entry
 * points", type `Params` and the return types of the Wasm functions.
 */
import type { Principal } from '@dfinity/principal';
import type { CallContext, Canister, Closure, Response } from './canister.ts';
import type { Instance } from './instance.ts';
import type { Meter } from './meter.ts';

/** The contexts of the specification's table of system calls. */
export type Context =
  | 'I'
  | 'G'
  | 'U'
  | 'RQ'
  | 'NRQ'
  | 'TQ'
  | 'CQ'
  | 'Ry'
  | 'Rt'
  | 'CRy'
  | 'CRt'
  | 'C'
  | 'CC'
  | 's'
  | 'F'
  | 'T';

/** What the replica is to its canisters. */
export interface Environment {
  time: bigint;
  subnetId: Uint8Array;
  rootKey: Uint8Array;
  /** The certificate that a query may read, where there is one. */
  dataCertificate(canister: Canister): Uint8Array | undefined;
  /** Whether a canister may open one more call to another. */
  queueHasRoom(from: Canister, to: Principal, opened: number): boolean;
}

/** A call under construction, then sent. */
export interface OutgoingCall {
  callee: Principal;
  method: string;
  onReply: Closure;
  onReject: Closure;
  onCleanup?: Closure;
  payload: Uint8Array[];
  payloadBytes: number;
  cycles: bigint;
  /** Seconds; absent in an unbounded call. */
  timeoutSeconds?: number;
  reserved: bigint;
}

export interface ExecutionParams {
  context: Context;
  canister: Canister;
  instance: Instance;
  meter: Meter;
  environment: Environment;
  caller: Principal;
  callContext?: CallContext;
  arg?: Uint8Array;
  methodName?: string;
  reject?: { code: number; message: string };
  cyclesRefunded?: bigint;
  /** There is a data certificate for this message. */
  certified?: boolean;
  /** Instructions used by the call context before this message. */
  instructionsBefore?: number;
}

export class Execution implements ExecutionParams {
  context: Context;
  readonly canister: Canister;
  readonly instance: Instance;
  readonly meter: Meter;
  readonly environment: Environment;
  readonly caller: Principal;
  readonly callContext?: CallContext;
  readonly arg: Uint8Array;
  readonly methodName: string;
  readonly reject?: { code: number; message: string };
  readonly cyclesRefunded: bigint;
  readonly certified: boolean;
  readonly instructionsBefore: number;

  /** The canister's balance as this message leaves it. */
  balance: bigint;
  cyclesAvailable: bigint;
  replyData: Uint8Array[] = [];
  replyBytes = 0;
  response?: Response;
  pendingCall?: OutgoingCall;
  calls: OutgoingCall[] = [];
  /** How many of them by callee. */
  callsTo = new Map<string, number>();
  certifiedData?: Uint8Array;
  globalTimer?: bigint;
  accepted = false;
  logs: Uint8Array[] = [];
  logBytes = 0;

  constructor(params: ExecutionParams) {
    this.context = params.context;
    this.canister = params.canister;
    this.instance = params.instance;
    this.meter = params.meter;
    this.environment = params.environment;
    this.caller = params.caller;
    this.callContext = params.callContext;
    this.arg = params.arg ?? new Uint8Array(0);
    this.methodName = params.methodName ?? '';
    this.reject = params.reject;
    this.cyclesRefunded = params.cyclesRefunded ?? 0n;
    this.certified = params.certified ?? false;
    this.instructionsBefore = params.instructionsBefore ?? params.callContext?.instructions ?? 0;
    this.balance = params.canister.cycles;
    this.cyclesAvailable = params.callContext?.cyclesAvailable ?? 0n;
  }

  get responded(): boolean {
    return this.response !== undefined || this.callContext?.responded === true;
  }

  /** Gives a call that was not sent its cycles back. */
  dropPendingCall(): void {
    if (this.pendingCall) this.balance += this.pendingCall.cycles;
    this.pendingCall = undefined;
  }
}
