/**
 * The messages between canisters, and the record of those executed.
 */
import type { Principal } from '@dfinity/principal';
import type { Canister, Origin, Response } from './canister.ts';
import type { Instructions } from './meter.ts';
import type { Reject } from './types.ts';

/** A call on its way to a canister, or to the management canister. */
export interface RequestMessage {
  kind: 'request';
  callee: Principal;
  method: string;
  arg: Uint8Array;
  caller: Principal;
  origin: Origin;
  cycles: bigint;
  deadline: bigint;
}

/** The answer to a call, on its way to the canister that made it. */
export interface ResponseMessage {
  kind: 'response';
  to: Canister;
  callbackId: number;
  response: Response;
  refund: bigint;
}

export interface TaskMessage {
  kind: 'task';
  to: Canister;
  task: 'timer' | 'heartbeat' | 'onLowWasmMemory';
}

export type Message = RequestMessage | ResponseMessage | TaskMessage;

export type MessageKind =
  | 'update'
  | 'query'
  | 'compositeQuery'
  | 'replyCallback'
  | 'rejectCallback'
  | 'cleanup'
  | 'timer'
  | 'heartbeat'
  | 'onLowWasmMemory'
  | 'inspectMessage'
  | 'start'
  | 'init'
  | 'preUpgrade'
  | 'postUpgrade';

/** What one executed message was and cost. */
export interface MessageRecord {
  canisterId: Principal;
  kind: MessageKind;
  /** Method of the call it belongs to; empty for system tasks. */
  method: string;
  caller: Principal;
  /** Nanoseconds since 1970, as the canister saw it. */
  time: bigint;
  instructions: Instructions;
  /** 64 KiB pages touched, and of these written. */
  pagesTouched: { heap: number; stable: number; heapWritten: number; stableWritten: number };
  /** Milliseconds of wall time. */
  wallMilliseconds: number;
  outcome: { status: 'ok' | 'replied' | 'rejected' } | ({ status: 'trapped' } & Reject);
}
