/**
 * The addresses of the HTTP interface, as the interface specification lists them, and how a request finds its endpoint.
 * Versions of an endpoint differ only in how they certify a delegation from a root subnet, which there is none of here.
 */
import { Principal } from '@dfinity/principal';
import { type Answer, RequestError } from './answer.ts';
import { asynchronousCall, synchronousCall } from './call.ts';
import type { Effective } from './canister-request.ts';
import type { Context } from './context.ts';
import { query } from './query.ts';
import { readState } from './read-state.ts';
import { status } from './status.ts';

type Endpoint = (context: Context, effective: Effective, body: Uint8Array) => Promise<Answer> | Answer;

export interface Route {
  method: 'GET' | 'POST';
  path: string;
  endpoint: Endpoint;
  /** The largest body it takes, in bytes. */
  maxBytes: number;
}

const MiB = 1024 * 1024;
/** An ingress message is limited to 2 MiB as a whole, other requests as the Internet Computer's nodes limit them. */
const get = (path: string, endpoint: Endpoint): Route => ({ method: 'GET', path, endpoint, maxBytes: 0 });
const call = (path: string, endpoint: Endpoint): Route => ({ method: 'POST', path, endpoint, maxBytes: 2 * MiB });
const read = (path: string, endpoint: Endpoint): Route => ({ method: 'POST', path, endpoint, maxBytes: 5 * MiB });

export const ROUTES: readonly Route[] = [
  get('/api/v2/status', status),

  call('/api/v2/canister/<canister>/call', asynchronousCall),
  call('/api/v3/canister/<canister>/call', synchronousCall),
  call('/api/v4/canister/<canister>/call', synchronousCall),
  call('/api/v4/subnet/<subnet>/call', synchronousCall),

  read('/api/v2/canister/<canister>/query', query),
  read('/api/v3/canister/<canister>/query', query),
  read('/api/v3/subnet/<subnet>/query', query),

  read('/api/v2/canister/<canister>/read_state', readState),
  read('/api/v3/canister/<canister>/read_state', readState),
  read('/api/v2/subnet/<subnet>/read_state', readState),
  read('/api/v3/subnet/<subnet>/read_state', readState),
];

/**
 * The route of a request, and the canister or subnet in its address.
 * @throws {RequestError} 404 where there is no such address, 405 where it takes another method, 400 for a malformed id
 */
export function findRoute(method: string, path: string): { route: Route; effective: Effective } {
  const steps = path.split('/');
  const route = ROUTES.find((candidate) => matches(candidate.path.split('/'), steps));
  if (route === undefined) {
    const version = /^\/api\/(v\d+)\//.exec(path)?.[1] ?? '';
    const known = ROUTES.filter((candidate) => candidate.path.includes(`/${version}/`)).map(({ path }) => path);
    throw new RequestError(404, `address: expected one of ${known.join(', ') || 'those below /api'}, got ${path}`);
  }
  if (method !== route.method) {
    const expected = `${route.method} at ${route.path}`;
    throw new RequestError(405, `method: expected ${expected}, got ${method}`, [['Allow', `${route.method}, OPTIONS`]]);
  }
  return { route, effective: effectiveId(route, steps) };
}

function matches(pattern: string[], steps: string[]): boolean {
  return pattern.length === steps.length && pattern.every((step, at) => step.startsWith('<') || step === steps[at]);
}

function effectiveId(route: Route, steps: string[]): Effective {
  const id = parsePrincipal(steps[4] ?? 'aaaaa-aa');
  return route.path.includes('<subnet>') ? { subnetId: id } : { canisterId: id };
}

function parsePrincipal(text: string): Principal {
  try {
    return Principal.fromText(text);
  } catch {
    throw new RequestError(400, `address: expected a principal as text, got ${JSON.stringify(text)}`);
  }
}
