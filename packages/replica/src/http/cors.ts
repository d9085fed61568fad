/** Cross-origin access to /api: a web page calls the replica from its own origin, with a preflight for CBOR bodies. */
import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';

const ALLOWED: Answer['headers'] = [['Access-Control-Allow-Origin', '*']];

export function withCors(answer: Answer): Answer {
  return { ...answer, headers: [...answer.headers, ...ALLOWED] };
}

/** The answer to OPTIONS: any header a client wants to send is welcome. */
export function preflight(request: IncomingMessage): Answer {
  const requested = request.headers['access-control-request-headers'] ?? 'Content-Type';
  return withCors({
    status: 204,
    headers: [
      ['Access-Control-Allow-Methods', 'GET, POST, OPTIONS'],
      ['Access-Control-Allow-Headers', requested],
      ['Access-Control-Max-Age', '600'],
    ],
    body: new Uint8Array(),
  });
}
