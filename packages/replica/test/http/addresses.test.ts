/** Requests at the wrong address, and requests from web pages of other origins. */
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { describe, expect, test } from 'vitest';
import { echoCore } from './echo.ts';
import { CANISTER_ID } from './fake-core.ts';
import { type Content, callContent, post } from './raw.ts';
import { served } from './served.ts';

const core = echoCore();
const OTHER = Principal.fromHex('00000000000000020101');
const server = served(core);

describe('addresses', () => {
  const management = (methodName: string, arg: Uint8Array) => ({
    content: callContent({ canister_id: new Uint8Array(), method_name: methodName, arg }),
  });
  const record = (fields: Record<string, Principal>) =>
    IDL.encode([IDL.Record(Object.fromEntries(Object.keys(fields).map((name) => [name, IDL.Principal])))], [fields]);
  const at = (path: string) => `${server.at.url}${path}`;

  test.each<[string, string, Content, number, RegExp]>([
    [
      'another canister',
      `/api/v3/canister/${OTHER}/call`,
      { content: callContent() },
      400,
      new RegExp(`^address: expected ${CANISTER_ID}, the called canister, got ${OTHER}`),
    ],
    [
      'no canister id',
      '/api/v3/canister/nonsense/call',
      { content: callContent() },
      400,
      /^address: expected a principal as text, got "nonsense"/,
    ],
    [
      'a call at the query address',
      `/api/v3/canister/${CANISTER_ID}/query`,
      { content: callContent() },
      400,
      /^request_type: expected "query"/,
    ],
    [
      'no such version',
      `/api/v9/canister/${CANISTER_ID}/call`,
      { content: callContent() },
      404,
      /^address: expected one of .*, got \/api\/v9/,
    ],
    [
      'no such endpoint',
      `/api/v3/canister/${CANISTER_ID}/cal`,
      { content: callContent() },
      404,
      /^address: expected one of \/api\/v3\/canister\/<canister>\/call, .*, got/,
    ],
    ['POST to status', '/api/v2/status', {}, 405, /^method: expected GET at \/api\/v2\/status, got POST/],
    [
      'the management canister, for one canister at the address of another',
      `/api/v3/canister/${CANISTER_ID}/call`,
      management('start_canister', record({ canister_id: OTHER })),
      400,
      new RegExp(`^address: expected ${OTHER}, canister_id in the argument of start_canister, got ${CANISTER_ID}`),
    ],
    [
      'install_chunked_code goes by target_canister',
      `/api/v3/canister/${CANISTER_ID}/call`,
      management('install_chunked_code', record({ canister_id: CANISTER_ID, target_canister: OTHER })),
      400,
      new RegExp(`^address: expected ${OTHER}, target_canister in the argument`),
    ],
    [
      'the management canister without a canister id',
      `/api/v3/canister/${CANISTER_ID}/call`,
      management('start_canister', IDL.encode([], [])),
      400,
      /^start_canister: expected a Candid record with canister_id : principal, got 6 bytes/,
    ],
    [
      'another subnet',
      `/api/v4/subnet/${OTHER}/call`,
      management('create_canister', IDL.encode([], [])),
      400,
      /^address: expected .*, the only subnet here/,
    ],
  ])('%s', async (_, path, body, status, message) => {
    const answer = await post(at(path), body);
    expect(answer.text).toMatch(message);
    expect(answer.status).toBe(status);
  });

  test('a subnet takes nothing but the creation of canisters', async () => {
    const answer = await post(at(`/api/v4/subnet/${server.at.authority.subnetId}/call`), { content: callContent() });
    expect(answer.text).toMatch(/^subnet call: expected aaaaa-aa.create_canister or aaaaa-aa.provisional_create/);
    expect(answer.status).toBe(400);
  });

  test('any canister id will do for the creation of one', async () => {
    const answer = await post(
      at(`/api/v4/canister/${OTHER}/call`),
      management('provisional_create_canister_with_cycles', IDL.encode([], [])),
    );
    expect(answer.cbor!.get('reject_message'), 'by the fake core').toBe(
      'no update method provisional_create_canister_with_cycles',
    );
  });

  test('GET of a call', async () => {
    const answer = await fetch(server.calls);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST, OPTIONS');
  });
});

test('a web page of another origin may call', async () => {
  const preflight = await fetch(server.calls, {
    method: 'OPTIONS',
    headers: {
      Origin: 'http://example.com',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type,x-mine',
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type,x-mine');
  const refused = await post(server.calls, new Uint8Array());
  expect(refused.headers.get('access-control-allow-origin'), 'so that the page can read why').toBe('*');
});
