/**
 * The Candid types of `http_request`, `http_request_update` and streaming callbacks. The token of a stream is of a type
 * of the canister's own: it is read as whatever it is and handed back as that.
 * Source: HTTP Gateway Protocol Specification, "Canister HTTP Interface".
 */
import { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';
import { RequestError } from './answer.ts';

export interface HttpRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: [name: string, value: string][];
  body: Uint8Array;
  /** The versions of certification the gateway knows, the highest one. */
  certificate_version: [] | [number];
}

export interface HttpResponse {
  status_code: number;
  headers: [name: string, value: string][];
  body: Uint8Array;
  /** The canister wants to be called by `http_request_update` with the same request. */
  upgrade: boolean;
  streaming?: StreamingCallback;
}

/** Where the next part of a streamed body comes from: a query and its argument in Candid. */
export interface StreamingCallback {
  canisterId: Principal;
  methodName: string;
  arg: Uint8Array;
}

const Header = IDL.Tuple(IDL.Text, IDL.Text);
const Blob = IDL.Vec(IDL.Nat8);

const Request = IDL.Record({
  method: IDL.Text,
  url: IDL.Text,
  headers: IDL.Vec(Header),
  body: Blob,
  certificate_version: IDL.Opt(IDL.Nat16),
});

const Response = IDL.Record({
  status_code: IDL.Nat16,
  headers: IDL.Vec(Header),
  body: Blob,
  upgrade: IDL.Opt(IDL.Bool),
  streaming_strategy: IDL.Opt(IDL.Variant({ Callback: IDL.Record({ callback: IDL.Unknown, token: IDL.Unknown }) })),
});

const StreamingPart = IDL.Record({ body: Blob, token: IDL.Opt(IDL.Unknown) });

/** A value of a type that came with it. */
type Unknown = { type(): IDL.Type };

export function encodeRequest(request: HttpRequest): Uint8Array {
  return IDL.encode([Request], [request]);
}

/** @throws {RequestError} 502 where the reply is not an HttpResponse */
export function decodeResponse(reply: Uint8Array): HttpResponse {
  const response = decode<{
    status_code: number;
    headers: [string, string][];
    body: Uint8Array;
    upgrade: [] | [boolean];
    streaming_strategy: [] | [{ Callback: { callback: [Principal, string]; token: Unknown } }];
  }>('http_request', Response, reply);
  const { status_code, headers, body, upgrade, streaming_strategy } = response;
  const stream = streaming_strategy[0]?.Callback;
  if (status_code < 200 || status_code > 599) {
    throw new RequestError(502, `http_request: expected a status code of 200 to 599, got ${status_code}`);
  }
  return {
    status_code,
    headers,
    body,
    upgrade: upgrade[0] ?? false,
    streaming: stream && {
      canisterId: stream.callback[0],
      methodName: stream.callback[1],
      arg: encodeAsItCame(stream.token),
    },
  };
}

/** @throws {RequestError} 502 where the reply is not a part of a stream */
export function decodeStreamingPart(
  reply: Uint8Array,
  callback: StreamingCallback,
): { body: Uint8Array; next?: StreamingCallback } {
  type Part = { body: Uint8Array; token: [] | [Unknown] };
  // The interface has the part as an option; some canisters leave that out, and Candid lets an option be read from it.
  const [part] = decode<[] | [Part]>(callback.methodName, IDL.Opt(StreamingPart), reply);
  if (part === undefined) return { body: new Uint8Array() };
  const token = part.token[0];
  return { body: part.body, next: token && { ...callback, arg: encodeAsItCame(token) } };
}

function decode<T>(methodName: string, type: IDL.Type, reply: Uint8Array): T {
  try {
    return IDL.decode([type], reply)[0] as T;
  } catch (error) {
    const got = `${reply.length} bytes: ${(error as Error).message}`;
    throw new RequestError(502, `${methodName}: expected ${type.name}, got ${got}`);
  }
}

/** Decoding a value of unknown type boxes text and numbers, so that they can carry their type. */
function encodeAsItCame(value: Unknown): Uint8Array {
  return IDL.encode([value.type()], [value.valueOf()]);
}
