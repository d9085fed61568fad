/** The replica's public face. Serving it over HTTP is http/serve.ts; checking a module alone is `validateModule`. */

export { RejectError } from './errors.ts';
export type { MessageKind, MessageRecord } from './messages.ts';
export type { Instructions } from './meter.ts';
export { type ProfileRow, profile } from './profile.ts';
export { type CanisterCall, type CodeInstallation, type MethodCall, Replica, type ReplicaOptions } from './replica.ts';
export type {
  CanisterInfo,
  Core,
  Ingress,
  QueryResponse,
  Reject,
  RejectCode,
  Request,
  RequestStatus,
} from './types.ts';
export type { PageRules } from './wasm/costs.ts';
export { ModuleError, validateModule } from './wasm/validate.ts';
