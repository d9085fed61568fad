/**
 * A core of a few canisters whose methods are functions of this file: enough to test the HTTP interface by itself.
 * No Wasm, no metering; calls run one after another, each in a turn of the event loop.
 */
import { Principal } from '@dfinity/principal';
import type { CanisterInfo, Core, Ingress, QueryResponse, Reject, Request, RequestStatus } from '../../src/types.ts';

export type Method = (request: Request, core: FakeCore) => Uint8Array | Promise<Uint8Array>;

export const CANISTER_ID = Principal.fromHex('00000000000000010101');

export class FakeCore implements Core {
  dataCertificate?: (canisterId: Principal) => Uint8Array;
  rootKey?: Uint8Array;
  subnetId?: Uint8Array;
  /** Added to the clock, nanoseconds. */
  clockShift = 0n;
  /** Request ids in the order in which they were executed. */
  readonly executed: string[] = [];
  readonly info: CanisterInfo;
  readonly #updates: Map<string, Method>;
  readonly #queries: Map<string, Method>;
  readonly #requests = new Map<string, { ingress: Ingress; status: RequestStatus; ended: Promise<void> }>();
  #last: Promise<void> = Promise.resolve();

  constructor(updates: Record<string, Method>, queries: Record<string, Method>, info: Partial<CanisterInfo> = {}) {
    this.#updates = new Map(Object.entries(updates));
    this.#queries = new Map(Object.entries(queries));
    this.info = {
      canisterId: CANISTER_ID,
      controllers: [],
      moduleHash: new Uint8Array(32).fill(7),
      metadata: new Map(),
      certifiedData: new Uint8Array(),
      ...info,
    };
  }

  time(): bigint {
    return BigInt(Date.now()) * 1_000_000n + this.clockShift;
  }

  canister(canisterId: Principal): CanisterInfo | undefined {
    return canisterId.toText() === this.info.canisterId.toText() ? this.info : undefined;
  }

  canisters(): Iterable<CanisterInfo> {
    return [this.info];
  }

  async submit(ingress: Ingress): Promise<Reject | undefined> {
    const id = hex(ingress.requestId);
    const method = this.#updates.get(ingress.methodName);
    if (!method) return { rejectCode: 3, rejectMessage: `no update method ${ingress.methodName}`, errorCode: 'IC0536' };
    if (this.#requests.has(id)) return undefined;
    const request = { ingress, status: { status: 'received' } as RequestStatus, ended: Promise.resolve() };
    this.#requests.set(id, request);
    this.#last = this.#last.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      this.executed.push(id);
      request.status = await answer(method, ingress, this);
    });
    request.ended = this.#last;
    return undefined;
  }

  requestStatus(requestId: Uint8Array): RequestStatus | undefined {
    return this.#requests.get(hex(requestId))?.status;
  }

  requestOrigin(requestId: Uint8Array): { sender: Principal; canisterId: Principal } | undefined {
    return this.#requests.get(hex(requestId))?.ingress;
  }

  *requestStatuses(): Iterable<[Uint8Array, RequestStatus]> {
    for (const { ingress, status } of this.#requests.values()) yield [ingress.requestId, status];
  }

  async whenEnded(requestId: Uint8Array, milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([this.#requests.get(hex(requestId))?.ended, timeout]);
    clearTimeout(timer);
  }

  async query(request: Request): Promise<QueryResponse> {
    const method = this.#queries.get(request.methodName);
    const missing = {
      rejectCode: 3,
      rejectMessage: `no query method ${request.methodName}`,
      errorCode: 'IC0536',
    } as const;
    return method ? answer(method, request, this) : { status: 'rejected', ...missing };
  }
}

async function answer(method: Method, request: Request, core: FakeCore): Promise<QueryResponse> {
  try {
    return { status: 'replied', reply: await method(request, core) };
  } catch (error) {
    return { status: 'rejected', rejectCode: 4, rejectMessage: (error as Error).message, errorCode: 'IC0406' };
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
