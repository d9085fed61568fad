/** Canisters' pages over plain HTTP, as a browser asks for them. */
import { request as httpRequest } from 'node:http';
import { IDL } from '@dfinity/candid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explain, type Server, serve } from '../../src/http/serve.ts';
import type { Request } from '../../src/types.ts';
import { CANISTER_ID, FakeCore } from './fake-core.ts';

const Header = IDL.Tuple(IDL.Text, IDL.Text);
const HttpRequest = IDL.Record({
  method: IDL.Text,
  url: IDL.Text,
  headers: IDL.Vec(Header),
  body: IDL.Vec(IDL.Nat8),
});
/** A token of this canister's own making: nested, and with a number that has no fixed size. */
const Token = IDL.Record({ file: IDL.Text, part: IDL.Nat, extra: IDL.Opt(IDL.Vec(IDL.Nat64)) });
const Part = IDL.Record({ body: IDL.Vec(IDL.Nat8), token: IDL.Opt(Token) });
const PlainResponse = IDL.Record({ status_code: IDL.Nat16, headers: IDL.Vec(Header), body: IDL.Vec(IDL.Nat8) });

/** HttpResponse with a streaming token of the given type. */
const responseOf = (token: IDL.Type) =>
  IDL.Record({
    status_code: IDL.Nat16,
    headers: IDL.Vec(Header),
    body: IDL.Vec(IDL.Nat8),
    upgrade: IDL.Opt(IDL.Bool),
    streaming_strategy: IDL.Opt(
      IDL.Variant({
        Callback: IDL.Record({ callback: IDL.Func([token], [IDL.Opt(Part)], ['query']), token }),
      }),
    ),
  });

interface Asked {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array;
}

const asked = ({ arg }: Request) => IDL.decode([HttpRequest], arg)[0] as unknown as Asked;
const bytes = (text: string) => new TextEncoder().encode(text);
const page = (status_code: number, body: string, more: object = {}, token: IDL.Type = Token) =>
  IDL.encode(
    [responseOf(token)],
    [{ status_code, headers: [], body: bytes(body), upgrade: [], streaming_strategy: [], ...more }],
  );
const streaming = (callback: string, token: unknown) => ({
  streaming_strategy: [{ Callback: { callback: [CANISTER_ID, callback], token } }],
});

function answer(request: Request): Uint8Array {
  const { method, url, headers, body } = asked(request);
  switch (url.split('?')[0]) {
    case '/echo':
      return page(
        200,
        JSON.stringify({ method, url, headers: Object.fromEntries(headers), body: Buffer.from(body).toString() }),
      );
    case '/headers':
      return page(404, 'gone', {
        headers: [
          ['Content-Type', 'text/x-mine'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['Content-Length', '99'],
        ],
      });
    case '/plain':
      return IDL.encode([PlainResponse], [{ status_code: 200, headers: [], body: bytes('plain') }]);
    case '/upgrade':
      return page(200, 'not this', { upgrade: [true] });
    case '/stream':
      return page(200, '0', streaming('next', { file: 'f', part: 1n, extra: [[1n, 2n]] }));
    case '/stream-of-text':
      return page(200, 'a', streaming('next_text', 'token'), IDL.Text);
    case '/broken':
      return bytes('not Candid');
    case '/bad-header':
      return page(200, '', { headers: [['X-Bad', 'one\r\ntwo']] });
    case '/status-1':
      return page(1, '');
  }
  throw new Error(`no page ${url}`);
}

const core = new FakeCore(
  {
    http_request_update: (request) =>
      page(201, `updated by ${asked(request).method} ${Buffer.from(asked(request).body)}`),
  },
  {
    http_request: answer,
    next: ({ arg }) => {
      const token = IDL.decode([Token], arg)[0] as unknown as { file: string; part: bigint; extra: [bigint[]] };
      const further = token.part < 4n ? [{ ...token, part: token.part + 1n }] : [];
      return IDL.encode([IDL.Opt(Part)], [[{ body: bytes(`,${token.file}${token.part}`), token: further }]]);
    },
    next_text: ({ arg }) => IDL.encode([Part], [{ body: bytes(` ${IDL.decode([IDL.Text], arg)[0]}`), token: [] }]),
  },
);
let server: Server;
beforeAll(async () => {
  server = await serve(core, { port: 0, verifyPages: false });
});
afterAll(() => server.close());

/** GETs a path with the canister's own host name, as a browser that resolves *.localhost itself. */
function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const host = `${CANISTER_ID}.localhost:${server.port}`;
    const sent = httpRequest(
      { host: '127.0.0.1', port: server.port, path, headers: { host, ...headers } },
      (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode!, body }));
      },
    );
    sent.on('error', reject).end();
  });
}

const inQuery = (path: string) => `${server.url}${path}?canisterId=${CANISTER_ID}`;

describe('a page', () => {
  test('at the host <canister>.localhost: the canister sees method, path, query and headers', async () => {
    const { status, body } = await get('/echo?q=1', { 'X-Mine': 'yes' });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ method: 'GET', url: '/echo?q=1', headers: { 'x-mine': 'yes' } });
  });

  test('at ?canisterId=<canister>, with a body', async () => {
    const response = await fetch(inQuery('/echo'), { method: 'POST', body: 'sent' });
    expect(await response.json()).toMatchObject({ method: 'POST', body: 'sent' });
  });

  test('and its resources, which come with that page as their referrer', async () => {
    const { body } = await get('/echo', { host: `127.0.0.1:${server.port}`, referer: inQuery('/page') });
    expect(JSON.parse(body)).toMatchObject({ url: '/echo' });
  });

  test('has the status and the headers the canister gave, repeated ones too, and its true length', async () => {
    const response = await fetch(inQuery('/headers'));
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('text/x-mine');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('content-length')).toBe('4');
    expect(await response.text()).toBe('gone');
  });

  test('from a canister that knows neither upgrade nor streaming', async () => {
    expect(await (await fetch(inQuery('/plain'))).text()).toBe('plain');
  });

  test('asked for by HEAD comes without its body', async () => {
    const response = await fetch(inQuery('/plain'), { method: 'HEAD' });
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['5', '']);
  });

  test('by upgrade to an update call', async () => {
    const response = await fetch(inQuery('/upgrade'), { method: 'PUT', body: 'this' });
    expect([response.status, await response.text()]).toEqual([201, 'updated by PUT this']);
  });

  test('streamed in parts, with a token of a type of its own', async () => {
    expect(await (await fetch(inQuery('/stream'))).text()).toBe('0,f1,f2,f3,f4');
    expect(await (await fetch(inQuery('/stream-of-text'))).text()).toBe('a token');
  });
});

describe('no page', () => {
  test.each<[string, () => string, number, RegExp]>([
    [
      'without a canister',
      () => `${server.url}/page`,
      400,
      /^address: expected http:\/\/<canister id>\.localhost:\d+\/ or http:\/\/127/,
    ],
    [
      'of something that is no canister id',
      () => `${server.url}/?canisterId=mine`,
      400,
      /^address: expected a canister id, got "mine"/,
    ],
    [
      'of a canister that is not there',
      () => `${server.url}/?canisterId=aaaaa-aa`,
      404,
      /^address: expected a canister, got aaaaa-aa/,
    ],
    [
      'where the canister traps',
      () => inQuery('/nope'),
      502,
      /^canister: expected a reply, got reject 4 \(IC0406\): no page \/nope/,
    ],
    [
      'where the reply is not an HttpResponse',
      () => inQuery('/broken'),
      502,
      /^http_request: expected record {.*}, got 10 bytes: /,
    ],
    [
      'with a header that is none',
      () => inQuery('/bad-header'),
      502,
      /^http_request: expected a valid header, got "X-Bad: one\\r\\ntwo"/,
    ],
    [
      'with a status code that is none',
      () => inQuery('/status-1'),
      502,
      /^http_request: expected a status code of 200 to 599, got 1/,
    ],
  ])('%s', async (_, url, status, message) => {
    const response = await fetch(url());
    expect(await response.text()).toMatch(message);
    expect(response.status).toBe(status);
  });
});

describe("at the replica's own address", () => {
  test('there is a list of the canisters, with links to their pages', async () => {
    const response = await fetch(`${server.url}/`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const text = await response.text();
    const links = Array.from(text.matchAll(/href="([^"]+)"/g), ([, link]) => link);
    const id = CANISTER_ID.toText();
    expect(links).toEqual([`http://${id}.localhost:${server.port}/`, `/?canisterId=${id}`]);
    expect(await (await fetch(`${server.url}/plain?canisterId=${id}`)).text()).toBe('plain');
  });

  test('nothing is listed for a canister that is named wrongly', async () => {
    const response = await fetch(`${server.url}/`, { method: 'POST' });
    expect([response.status, await response.text()]).toEqual([400, expect.stringMatching(/^address: expected/)]);
  });
});

describe('a port that is not to be had', () => {
  test.each([
    ['EADDRINUSE', /^serve: expected a free port, got 127\.0\.0\.1:80, where .*; take another$/],
    ['EACCES', /^serve: expected a port that this user may listen on, got 127\.0\.0\.1:80; take one above 1023$/],
    ['EADDRNOTAVAIL', /^serve: expected an address of this machine, got 127\.0\.0\.1; /],
  ])('%s', (code, line) => {
    const told = explain(Object.assign(new Error('as node says it'), { code }), '127.0.0.1', 80);
    expect(told).toMatchObject({ code, message: expect.stringMatching(line) });
  });
});
