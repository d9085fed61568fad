/**
 * The HTTP interface over the real core, through @dfinity/agent: from an empty replica to a canister that certifies.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { Actor, CanisterStatus, Certificate, HttpAgent } from '@dfinity/agent';
import { IDL } from '@dfinity/candid';
import { Ed25519KeyIdentity } from '@dfinity/identity';
import { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, serve } from '../../src/http/serve.ts';
import { Replica } from '../../src/index.ts';
import { CANDID, watCanister } from './wat-canister.ts';

const identity = Ed25519KeyIdentity.generate();
const replica = new Replica();
const wasm = watCanister();
let server: Server;
let agent: HttpAgent;
let canisterId: Principal;

beforeAll(async () => {
  server = await serve(replica, { port: 0 });
  agent = await HttpAgent.create({ host: server.url, shouldFetchRootKey: true, identity });
  canisterId = await create();
  await manage('install_code', canisterId, {
    mode: { install: null },
    canister_id: canisterId,
    wasm_module: wasm,
    arg: new Uint8Array(),
  });
});
afterAll(async () => {
  await server.close();
  replica.close();
});

const CanisterId = IDL.Record({ canister_id: IDL.Principal });
const Install = IDL.Record({
  mode: IDL.Variant({ install: IDL.Null, reinstall: IDL.Null }),
  canister_id: IDL.Principal,
  wasm_module: IDL.Vec(IDL.Nat8),
  arg: IDL.Vec(IDL.Nat8),
});
const Status = IDL.Record({ status: IDL.Variant({ running: IDL.Null, stopping: IDL.Null, stopped: IDL.Null }) });

/** The management canister's methods that these tests call. */
const Management: IDL.InterfaceFactory = ({ IDL }) =>
  IDL.Service({
    provisional_create_canister_with_cycles: IDL.Func([IDL.Record({ amount: IDL.Opt(IDL.Nat) })], [CanisterId], []),
    install_code: IDL.Func([Install], [], []),
    start_canister: IDL.Func([CanisterId], [], []),
    stop_canister: IDL.Func([CanisterId], [], []),
    canister_status: IDL.Func([CanisterId], [Status], []),
  });

/** Calls a management method at the address of a canister. */
function manage<T>(method: string, effectiveCanisterId: Principal, argument: object): Promise<T> {
  const actor = Actor.createActor(Management, { agent, canisterId: 'aaaaa-aa', effectiveCanisterId });
  return (actor[method] as (argument: object) => Promise<T>)(argument);
}

async function create(): Promise<Principal> {
  const anywhere = Principal.fromText('rwlgt-iiaaa-aaaaa-aaaaa-cai');
  const method = 'provisional_create_canister_with_cycles';
  return (await manage<{ canister_id: Principal }>(method, anywhere, { amount: [] })).canister_id;
}

const update = async (methodName: string, text: string): Promise<unknown> => {
  const Service: IDL.InterfaceFactory = ({ IDL }) =>
    IDL.Service({ [methodName]: IDL.Func([IDL.Text], [IDL.Text], []) });
  return (Actor.createActor(Service, { agent, canisterId })[methodName] as (text: string) => Promise<unknown>)(text);
};

describe('a canister installed over HTTP', () => {
  test('answers an update and a query', async () => {
    expect(await update('echo', 'hello')).toBe('hello');
    const arg = IDL.encode([IDL.Text], ['quick']);
    expect(await agent.query(canisterId, { methodName: 'echo_query', arg })).toMatchObject({
      status: 'replied',
      reply: { arg },
    });
  });

  test('rejects and traps with the words and codes of the Internet Computer', async () => {
    await expect(update('fail', 'no')).rejects.toThrow(/Reject code: 4[\s\S]*no[\s\S]*IC0406/);
    await expect(update('trap', 'oh')).rejects.toThrow(/Reject code: 5[\s\S]*oh[\s\S]*IC0503/);
  });

  test('has no method of another name: refused before it is queued or by the call, with code 5', async () => {
    await expect(update('nope', '')).rejects.toThrow(/Reject code: 5[\s\S]*IC0536/);
  });

  test('shows module hash, controllers and candid, and its secret to its controller', async () => {
    const secret = new CanisterStatus.CustomPath('secret', 'secret', 'utf-8');
    const paths: CanisterStatus.Path[] = ['module_hash', 'controllers', 'candid', secret];
    const status = await CanisterStatus.request({ canisterId, agent, paths });
    expect(status.get('module_hash')).toBe(createHash('sha256').update(wasm).digest('hex'));
    expect((status.get('controllers') as Principal[]).map(String)).toEqual([identity.getPrincipal().toText()]);
    expect(status.get('candid')).toBe(CANDID);
    expect(status.get('secret')).toBe('for controllers');
  });

  test('certifies data, and hands out a certificate of it in a query', async () => {
    const data = Buffer.from('32 bytes that a canister certify');
    await agent.call(canisterId, { methodName: 'certify', arg: data });
    const response = await agent.query(canisterId, { methodName: 'certificate', arg: new Uint8Array() });
    const certificate = (response as { reply: { arg: Uint8Array } }).reply.arg;
    const verified = await Certificate.create({ certificate, rootKey: server.authority.rootKey, canisterId });
    const found = verified.lookup_path(['canister', canisterId.toUint8Array(), 'certified_data']);
    expect(found).toMatchObject({ status: 'Found', value: Uint8Array.from(data) });
  });

  test('serves its page, which it does not certify, at its raw address only', async () => {
    const refused = await fetch(`${server.url}/?canisterId=${canisterId}`);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toMatch(
      /^certificate: expected one for \/\?canisterId=.*, got none that holds: .*; http:\/\/.*\.raw\.localhost shows it/,
    );
    const options = { port: server.port, headers: { host: `${canisterId}.raw.localhost:${server.port}` } };
    const [raw] = (await once(get({ host: '127.0.0.1', ...options }), 'response')) as [IncomingMessage];
    expect(raw.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-ic-canister-id': `${canisterId}`,
    });
    expect(await text(raw)).toContain('served by a canister');
  });

  test('refuses calls while it is stopped, and its status is its controllers alone', async () => {
    const stopped = await create();
    await manage('stop_canister', stopped, { canister_id: stopped });
    expect(await manage('canister_status', stopped, { canister_id: stopped })).toEqual({ status: { stopped: null } });
    const stranger = await HttpAgent.create({ host: server.url, shouldFetchRootKey: true });
    const actor = Actor.createActor(Management, {
      agent: stranger,
      canisterId: 'aaaaa-aa',
      effectiveCanisterId: stopped,
    });
    await expect(actor['canister_status']!({ canister_id: stopped })).rejects.toThrow(/Only controllers|IC0512/);
  });
});

test('a canister that is not there: calls and queries are rejected with code 3', async () => {
  const nowhere = Principal.fromHex('00000000000099990101');
  const arg = new Uint8Array();
  expect(await agent.query(nowhere, { methodName: 'x', arg })).toMatchObject({
    status: 'rejected',
    reject_code: 3,
    error_code: 'IC0301',
  });
  const { response } = await agent.call(nowhere, { methodName: 'x', arg });
  expect(response.body).toMatchObject({ status: 'non_replicated_rejection', reject_code: 3, error_code: 'IC0301' });
});

test('time moved on in the replica: agents follow, old calls are refused', async () => {
  replica.advanceTime(30 * 60_000);
  const { response } = await agent.call(canisterId, { methodName: 'echo', arg: IDL.encode([IDL.Text], ['later']) });
  expect(response.status).toBe(200);
  expect(Math.round(agent.getTimeDiffMsecs() / 60_000)).toBe(30);
});
