/**
 * The seam between the replica's execution (core) and its HTTP interface, and the types both share.
 * Names follow the Internet Computer interface specification.
 */
import type { Principal } from '@dfinity/principal';

/** Reject codes of the interface specification, section "Reject codes". */
export type RejectCode = 1 | 2 | 3 | 4 | 5 | 6;

/** A reject as a caller sees it. `errorCode` is the replica's finer code, like `IC0503`. */
export interface Reject {
  rejectCode: RejectCode;
  rejectMessage: string;
  errorCode: string;
}

/** Content of a `call` or `query` request after its envelope was checked. */
export interface Request {
  sender: Principal;
  canisterId: Principal;
  methodName: string;
  arg: Uint8Array;
}

/** An update request on its way in. */
export interface Ingress extends Request {
  /** Representation-independent hash of the request's content, 32 bytes. */
  requestId: Uint8Array;
  /** Nanoseconds since 1970 after which the request is no longer taken up. */
  ingressExpiry: bigint;
  /** Size of the envelope that it came in, which is charged for; absent: that of an agent's call, signed. */
  envelopeBytes?: number;
}

/** The state of an update request as `read_state` shows it under `/request_status/<id>`. */
export type RequestStatus =
  | { status: 'received' | 'processing' | 'done' }
  | { status: 'replied'; reply: Uint8Array }
  | ({ status: 'rejected' } & Reject);

export type QueryResponse = { status: 'replied'; reply: Uint8Array } | ({ status: 'rejected' } & Reject);

/** What `read_state` may show of a canister. */
export interface CanisterInfo {
  canisterId: Principal;
  controllers: Principal[];
  /** SHA-256 of the module as it was sent to install_code (gzip included); absent while the canister is empty. */
  moduleHash?: Uint8Array;
  /** Custom sections `icp:public <name>` and `icp:private <name>`. */
  metadata: Map<string, { visibility: 'public' | 'private'; content: Uint8Array }>;
  /** At most 32 bytes. */
  certifiedData: Uint8Array;
}

/**
 * What the HTTP interface needs of the core. What it hands out is read, never changed, and is not changed by the core
 * afterwards either: a status, a module hash, a metadata section that becomes another one is a new object or new bytes.
 * That lets the certified state be hashed once, not for each certificate.
 */
export interface Core {
  /** Nanoseconds since 1970, as canisters see it. */
  time(): bigint;
  canister(canisterId: Principal): CanisterInfo | undefined;
  canisters(): Iterable<CanisterInfo>;
  /**
   * Takes an update request up: runs `inspect_message` (or the management canister's own check), then queues it.
   * The same request id a second time is no new request, for as long as its `ingressExpiry` has not passed.
   * @returns a Reject where the request is refused before it is queued (the HTTP interface answers it as a
   * non-replicated rejection).
   */
  submit(ingress: Ingress): Promise<Reject | undefined>;
  requestStatus(requestId: Uint8Array): RequestStatus | undefined;
  /** Who sent the request and to which canister: `read_state` shows a status to that sender only. */
  requestOrigin(requestId: Uint8Array): { sender: Principal; canisterId: Principal } | undefined;
  requestStatuses(): Iterable<[requestId: Uint8Array, RequestStatus]>;
  /** Resolves when the request has ended (replied, rejected, done) or after `milliseconds`. */
  whenEnded(requestId: Uint8Array, milliseconds: number): Promise<void>;
  query(request: Request): Promise<QueryResponse>;
  /**
   * The certificate that `ic0.data_certificate_copy` gives to a query of the canister: over the state as it is now,
   * with `/canister/<id>/certified_data` and `/time` in it. `serve` sets it; while it is unset,
   * `data_certificate_present` is 0.
   */
  dataCertificate?: (canisterId: Principal) => Uint8Array;
  /** What `ic0.root_key_copy` and `ic0.subnet_self_copy` give: the keys that certify this core. `serve` sets them. */
  rootKey?: Uint8Array;
  subnetId?: Uint8Array;
}
