/**
 * The real core behind HTTP, at the edges: the same request many times at once, the last second of its life, the last
 * byte of its size.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encode } from '../../src/certification/cbor.ts';
import { type Server, serve } from '../../src/http/serve.ts';
import { Replica } from '../../src/index.ts';
import { callContent, envelope, newKey, post, without } from './raw.ts';
import { watCanister } from './wat-canister.ts';

const replica = new Replica();
const { canisterId } = replica.createCanister();
const key = newKey();
let server: Server;

beforeAll(async () => {
  await replica.installCode({ canisterId, wasm: watCanister() });
  server = await serve(replica, { port: 0, callTimeoutMilliseconds: 60_000 });
});
afterAll(async () => {
  await server.close();
  replica.close();
});

const request = (changes: object = {}) =>
  encode(
    envelope(key, without(callContent({ sender: undefined, canister_id: canisterId.toUint8Array(), ...changes }))),
  );
const send = (body: Uint8Array) => post(`${server.url}/api/v3/canister/${canisterId}/call`, body);
const executed = () => replica.messages.filter(({ method }) => method === 'echo').length;

test('the same request ten times at once is executed once, and answered ten times', async () => {
  const body = request({ nonce: Buffer.from('at once') });
  const before = executed();
  const answers = await Promise.all(Array.from({ length: 10 }, () => send(body)));
  expect(answers.map(({ cbor }) => cbor?.get('status'))).toEqual(answers.map(() => 'replied'));
  expect(executed() - before).toBe(1);
});

test('a request is taken a minute before it expires, and not a second after', async () => {
  const before = executed();
  expect((await send(request({ ingress_expiry: replica.time() + 60_000_000_000n }))).status).toBe(200);
  const late = await send(request({ ingress_expiry: replica.time() - 1_000_000_000n }));
  expect([late.status, late.text]).toEqual([400, expect.stringMatching(/^Invalid request expiry/)]);
  expect(executed() - before).toBe(1);
});

test('a request of 2 MiB to the byte is taken, one byte more is not', async () => {
  const limit = 2 * 1024 * 1024;
  const around = request({ arg: new Uint8Array(limit - 1_000) }).length - (limit - 1_000);
  const most = request({ arg: new Uint8Array(limit - around) });
  expect(most.length).toBe(limit);
  expect((await send(most)).status).toBe(200);
  expect((await send(request({ arg: new Uint8Array(limit - around + 1) }))).status).toBe(413);
});
