/** From an HTTP request to its answer: the interface below /api, and canisters' own pages everywhere else. */
import type { IncomingMessage } from 'node:http';
import { type Answer, RequestError, textAnswer } from './answer.ts';
import { readBody } from './body.ts';
import type { Context } from './context.ts';
import { preflight, withCors } from './cors.ts';
import { gateway } from './gateway.ts';
import { findRoute } from './routes.ts';

/** Never throws: what goes wrong becomes an answer of one line. */
export async function handle(context: Context, request: IncomingMessage): Promise<Answer> {
  const target = request.url ?? '/';
  const path = target.split('?')[0]!;
  if (path !== '/api' && !path.startsWith('/api/')) return gateway(context, request).catch(errorAnswer);
  if (request.method === 'OPTIONS') return preflight(request);
  return withCors(await interfaceAnswer(context, request, path).catch(errorAnswer));
}

async function interfaceAnswer(context: Context, request: IncomingMessage, path: string): Promise<Answer> {
  const { route, effective } = findRoute(request.method ?? '', path);
  if (route.method === 'POST') checkContentType(request.headers['content-type']);
  return route.endpoint(context, effective, await readBody(request, route.maxBytes));
}

function checkContentType(type = 'nothing'): void {
  if (type.split(';')[0]!.trim().toLowerCase() === 'application/cbor') return;
  throw new RequestError(415, `Content-Type: expected application/cbor, got ${type}`);
}

function errorAnswer(error: unknown): Answer {
  if (error instanceof RequestError) return textAnswer(error.status, error.message, error.headers);
  console.error(error);
  return textAnswer(500, `replica: expected no error here, got ${error}; what it printed tells where`);
}
