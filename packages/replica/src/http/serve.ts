/**
 * The replica's HTTP server on loopback: the Internet Computer's interface below /api, and canisters' pages elsewhere.
 * No TLS, no rate limits: a development server.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Authority } from '../certification/authority.ts';
import { Certifier } from '../certification/certifier.ts';
import type { Core } from '../types.ts';
import type { Context } from './context.ts';
import { handle } from './handle.ts';

export interface ServeOptions {
  /** Default: 127.0.0.1. */
  host?: string;
  /** Default: 4943; 0 takes any free port. */
  port?: number;
  /** The root and node keys; default: those of the development seed, the same at each start. */
  authority?: Authority;
  /** How long a synchronous call waits before it answers 202 and is polled, in milliseconds; default: 10,000. */
  callTimeoutMilliseconds?: number;
  /**
   * Whether canisters' pages are held against their certificates, but under `<canister>.raw.localhost`; default: true,
   * as on the Internet Computer.
   */
  verifyPages?: boolean;
}

export interface Server {
  readonly port: number;
  readonly url: string;
  readonly authority: Authority;
  /** Ends open connections, then resolves. */
  close(): Promise<void>;
}

/**
 * Serves `core` until closed.
 * @example const server = await serve(core, { port: 0 }); // server.url: http://127.0.0.1:…
 * @throws {Error} with `code` EADDRINUSE where the port is taken
 */
export async function serve(core: Core, options: ServeOptions = {}): Promise<Server> {
  const { host = '127.0.0.1', port = 4943, authority = new Authority() } = options;
  const { callTimeoutMilliseconds = 10_000, verifyPages = true } = options;
  const certifier = new Certifier(core, authority);
  const context: Context = { core, authority, certifier, callTimeoutMilliseconds, verifyPages };
  core.dataCertificate = (canisterId) => certifier.dataCertificate(canisterId);
  core.rootKey = authority.rootKey;
  core.subnetId = authority.subnetId.toUint8Array();

  const server = createServer(async (request, response) => {
    const { status, headers, body } = await handle(context, request);
    // 204 and 304 have no body, and say nothing of its length.
    const length = status === 204 || status === 304 ? [] : [['Content-Length', String(body.length)]];
    response.writeHead(status, [...headers, ...length].flat());
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `http://${host}:${bound}`,
    authority,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Says what to do about a port that is not to be had; keeps the `code`. */
export function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const why: Record<string, string> = {
    EADDRINUSE: `serve: expected a free port, got ${host}:${port}, where a program is listening already; take another`,
    EACCES: `serve: expected a port that this user may listen on, got ${host}:${port}; take one above 1023`,
    EADDRNOTAVAIL: `serve: expected an address of this machine, got ${host}; take 127.0.0.1`,
  };
  const message = why[error.code ?? ''];
  return message === undefined ? error : Object.assign(new Error(message), { code: error.code });
}
