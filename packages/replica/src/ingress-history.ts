/**
 * The update requests from outside and what became of them: kept for five minutes beyond their expiry, so that none
 * runs twice. Specification-like: interface specification, "Request status", and the ingress history of dfinity/ic.
 */
import type { Principal } from '@dfinity/principal';
import type { Response } from './canister.ts';
import type { Ingress, RequestStatus } from './types.ts';

interface Entry {
  sender: Principal;
  canisterId: Principal;
  status: RequestStatus;
  expiry: bigint;
  waiters: (() => void)[];
}

const keptAfterExpiry = 300_000_000_000n;
/** setTimeout takes at most 2^31 - 1 milliseconds. */
export const longestTimeout = 2 ** 31 - 1;
const key = (requestId: Uint8Array): string => Buffer.from(requestId).toString('hex');

export const ended = ({ status }: RequestStatus): boolean =>
  status === 'replied' || status === 'rejected' || status === 'done';

/** Statuses by request id; inside the replica request ids are in hexadecimal. */
export class IngressHistory {
  readonly #entries = new Map<string, Entry>();

  has(requestId: Uint8Array): boolean {
    return this.#entries.has(key(requestId));
  }

  /** Takes a request up. @returns its id in hexadecimal */
  add({ requestId, sender, canisterId, ingressExpiry }: Ingress): string {
    const id = key(requestId);
    this.#entries.set(id, { sender, canisterId, status: { status: 'received' }, expiry: ingressExpiry, waiters: [] });
    return id;
  }

  status(requestId: Uint8Array): RequestStatus | undefined {
    return this.#entries.get(key(requestId))?.status;
  }

  origin(requestId: Uint8Array): { sender: Principal; canisterId: Principal } | undefined {
    return this.#entries.get(key(requestId));
  }

  *statuses(): Iterable<[requestId: Uint8Array, RequestStatus]> {
    for (const [id, { status }] of this.#entries) yield [new Uint8Array(Buffer.from(id, 'hex')), status];
  }

  startProcessing(id: string): void {
    const entry = this.#entries.get(id);
    if (entry) entry.status = { status: 'processing' };
  }

  respond(id: string, response: Response): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.status =
      'reply' in response ? { status: 'replied', reply: response.reply } : { status: 'rejected', ...response.reject };
    for (const waiter of entry.waiters.splice(0)) waiter();
  }

  /** Forgets requests that ended and whose time is over; they stand in the order in which they came. */
  forgetOld(now: bigint): void {
    for (const [id, { status, expiry }] of this.#entries) {
      if (expiry + keptAfterExpiry > now) break;
      if (ended(status)) this.#entries.delete(id);
    }
  }

  /** Resolves when the request has ended or after `milliseconds`. */
  async whenEnded(requestId: Uint8Array, milliseconds: number): Promise<void> {
    const entry = this.#entries.get(key(requestId));
    if (!entry || ended(entry.status)) return;
    await new Promise<void>((resolve) => {
      const timeout = setTimeout(resolve, Math.min(milliseconds, longestTimeout));
      entry.waiters.push(() => {
        clearTimeout(timeout);
        resolve();
      });
    });
  }
}
