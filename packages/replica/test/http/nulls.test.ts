/**
 * Fields of an envelope that are null, as Python's icp-py-core and ic-py send them: as if they were not there. Those
 * that must be there are missed by name.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, serve } from '../../src/http/serve.ts';
import { echoCore } from './echo.ts';
import { CANISTER_ID } from './fake-core.ts';
import { type Content, callContent, envelope, newKey, post, readStateContent, requestIdOf, without } from './raw.ts';

let server: Server;
beforeAll(async () => {
  server = await serve(echoCore(), { port: 0 });
});
afterAll(() => server.close());

const url = (endpoint: string) => `${server.url}/api/v2/canister/${CANISTER_ID}/${endpoint}`;
const optional = ['sender_pubkey', 'sender_sig', 'sender_delegation'];
const nulls = Object.fromEntries(optional.map((name) => [name, null]));
const contents: [endpoint: string, content: () => Content, status: number][] = [
  ['call', () => callContent(), 202],
  ['query', () => callContent({ request_type: 'query', method_name: 'echo_query' }), 200],
  ['read_state', () => readStateContent([['time']]), 200],
];

describe.each(contents)('%s', (endpoint, content, status) => {
  test.each([...optional.map((name) => ({ [name]: null })), nulls])('anonymous, with %j', async (fields) => {
    expect(await post(url(endpoint), { content: { ...content(), nonce: null }, ...fields })).toMatchObject({ status });
  });

  test('signed, without a nonce in the id and with null in its place', async () => {
    const signed = envelope(newKey(), without({ ...content(), sender: undefined }));
    const request = { ...signed, content: { ...(signed['content'] as Content), nonce: null }, sender_delegation: null };
    expect(await post(url(endpoint), request)).toMatchObject({ status });
  });

  test('a key that is null is none: nobody else becomes its owner', async () => {
    const request = { content: { ...content(), sender: newKey().principal.toUint8Array() }, ...nulls };
    const answer = await post(url(endpoint), request);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('expected sender_pubkey and sender_sig');
  });
});

test.each(['sender', 'canister_id', 'method_name', 'arg', 'ingress_expiry', 'request_type'])(
  '%s must be there: null is none',
  async (field) => {
    const answer = await post(url('call'), { content: { ...callContent(), [field]: null } });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(new RegExp(`^${field}: expected .*, got nothing`));
  },
);

test('a request is one, with nulls and without', async () => {
  const content = callContent();
  const id = requestIdOf(content);
  await post(url('call'), { content: { ...content, nonce: null } });
  const path = readStateContent([['request_status', id, 'status']]);
  expect((await post(url('read_state'), { content: path })).status).toBe(200);
});
