/**
 * Canisters' pages: turns a browser's request into a call of the canister's `http_request` and its answer into the
 * page. As on the Internet Computer, only what the canister has certified is shown, but under
 * `<canister>.raw.localhost`. Source: HTTP Gateway Protocol Specification.
 */
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http';
import { Principal } from '@dfinity/principal';
import type { QueryResponse, Request } from '../types.ts';
import { type Answer, RequestError } from './answer.ts';
import { readBody } from './body.ts';
import type { Context } from './context.ts';
import { asksForDirectory, directory } from './directory.ts';
import {
  decodeResponse,
  decodeStreamingPart,
  encodeRequest,
  type HttpRequest,
  type HttpResponse,
  type StreamingCallback,
} from './gateway-candid.ts';
import { verified } from './verified.ts';

const MAX_BODY_BYTES = 2 * 1024 * 1024;
const UPDATE_NANOSECONDS = 4n * 60n * 1_000_000_000n;
const UPDATE_MILLISECONDS = 4 * 60 * 1_000;
/** A canister that streams for ever is cut off here. */
const MAX_PARTS = 1_000;
const MAX_STREAMED_BYTES = 256 * 1024 * 1024;

/** What the server says itself and not the canister. */
const NOT_THE_CANISTERS = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'date']);

/**
 * @throws {RequestError} 400 where no canister is named, 404 where there is none, 502 where it does not answer, 503
 * where its certificate does not hold
 */
export async function gateway(context: Context, request: IncomingMessage): Promise<Answer> {
  const id = namedIn(request);
  if (id === undefined && asksForDirectory(request)) return directory(context, request);
  const { canisterId, raw } = addressOf(request, id);
  if (!context.core.canister(canisterId))
    throw new RequestError(404, `address: expected a canister, got ${canisterId}`);
  const httpRequest: HttpRequest = {
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    headers: pairs(request.rawHeaders),
    body: await readBody(request, MAX_BODY_BYTES),
    certificate_version: [2],
  };
  const arg = encodeRequest(httpRequest);
  const ask = { sender: Principal.anonymous(), canisterId, arg };
  let response = decodeResponse(replyOf(await context.core.query({ ...ask, methodName: 'http_request' })));
  const upgraded = response.upgrade;
  if (upgraded) {
    response = decodeResponse(replyOf(await update(context, { ...ask, methodName: 'http_request_update' })));
  }
  const answer = {
    status: response.status_code,
    headers: headersOf(response),
    body: await wholeBody(context, response),
  };
  // an update is certified by itself
  if (context.verifyPages && !raw && !upgraded) verified(context, canisterId, httpRequest, answer);
  return {
    ...answer,
    headers: [
      ...answer.headers.filter(([name]) => !NOT_THE_CANISTERS.has(name.toLowerCase())),
      ['X-Ic-Canister-Id', canisterId.toText()],
    ],
  };
}

const HOST = /^([a-z0-9-]+)(\.raw)?\.localhost(?::\d+)?$/i;

/**
 * What names the canister that a request is for: `<id>.localhost`, `?canisterId=<id>`, or a page opened in that way,
 * whose resource this is.
 */
const namedIn = ({ headers, url }: IncomingMessage): string | undefined =>
  HOST.exec(headers.host ?? '')?.[1] ?? inQuery(url) ?? inQuery(headers.referer);

function addressOf(request: IncomingMessage, id: string | undefined): { canisterId: Principal; raw: boolean } {
  const host = request.headers.host ?? '';
  if (id === undefined) {
    const port = /:\d+$/.exec(host)?.[0] ?? '';
    const ways = `http://<canister id>.localhost${port}/ or http://${host}/?canisterId=<canister id>`;
    throw new RequestError(400, `address: expected ${ways}, got ${request.url}`);
  }
  try {
    return { canisterId: Principal.fromText(id.toLowerCase()), raw: HOST.exec(host)?.[2] !== undefined };
  } catch {
    throw new RequestError(400, `address: expected a canister id, got ${JSON.stringify(id)}`);
  }
}

function inQuery(address = ''): string | undefined {
  const query = address.slice(address.indexOf('?') + 1 || address.length);
  return new URLSearchParams(query).get('canisterId') ?? undefined;
}

async function update(context: Context, request: Request): Promise<QueryResponse> {
  const requestId = new Uint8Array(randomBytes(32));
  const ingressExpiry = context.core.time() + UPDATE_NANOSECONDS;
  const reject = await context.core.submit({ ...request, requestId, ingressExpiry });
  if (reject) return { status: 'rejected', ...reject };
  await context.core.whenEnded(requestId, UPDATE_MILLISECONDS);
  const status = context.core.requestStatus(requestId);
  if (status?.status === 'replied' || status?.status === 'rejected') return status;
  const got = status?.status ?? 'no status';
  throw new RequestError(504, `http_request_update: expected an answer in ${UPDATE_MILLISECONDS} ms, got ${got}`);
}

function replyOf(response: QueryResponse): Uint8Array {
  if (response.status === 'replied') return response.reply;
  const { errorCode, rejectCode, rejectMessage } = response;
  throw new RequestError(502, `canister: expected a reply, got reject ${rejectCode} (${errorCode}): ${rejectMessage}`);
}

/** The body, and after it what the streaming callback gives, part by part. */
async function wholeBody(context: Context, response: HttpResponse): Promise<Uint8Array> {
  const parts = [response.body];
  let length = response.body.length;
  let next: StreamingCallback | undefined = response.streaming;
  while (next !== undefined) {
    const { canisterId, methodName, arg } = next;
    const request = { sender: Principal.anonymous(), canisterId, methodName, arg };
    const part = decodeStreamingPart(replyOf(await context.core.query(request)), next);
    parts.push(part.body);
    length += part.body.length;
    if (length > MAX_STREAMED_BYTES || parts.length > MAX_PARTS) {
      const expected = `at most ${MAX_PARTS} parts and ${MAX_STREAMED_BYTES} bytes`;
      throw new RequestError(502, `streaming: expected ${expected}, got ${parts.length} and ${length}, and more`);
    }
    next = part.next;
  }
  return Buffer.concat(parts);
}

function headersOf({ headers }: HttpResponse): Answer['headers'] {
  for (const [name, value] of headers) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new RequestError(502, `http_request: expected a valid header, got ${JSON.stringify(`${name}: ${value}`)}`);
    }
  }
  return headers;
}

function pairs(raw: string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at]!.toLowerCase(), raw[2 * at + 1]!]);
}
