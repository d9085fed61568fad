/** @dfinity/agent, unmodified and with its default verification, is the judge of the HTTP interface. */
import { Actor, AnonymousIdentity, CanisterStatus, HttpAgent, type Identity, polling } from '@dfinity/agent';
import { IDL } from '@dfinity/candid';
import { DelegationChain, DelegationIdentity, ECDSAKeyIdentity, Ed25519KeyIdentity } from '@dfinity/identity';
import { Principal } from '@dfinity/principal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, serve } from '../../src/http/serve.ts';
import { CANDID, type Echo, echoCore, echoInterface, Secp256k1Identity } from './echo.ts';
import { CANISTER_ID } from './fake-core.ts';

const controller = Ed25519KeyIdentity.generate();
const core = echoCore({
  controllers: [controller.getPrincipal(), CANISTER_ID],
  metadata: new Map([
    ['candid:service', { visibility: 'public', content: new TextEncoder().encode(CANDID) }],
    ['secret', { visibility: 'private', content: new TextEncoder().encode('for controllers') }],
  ]),
});
let server: Server;
let impatient: Server;

beforeAll(async () => {
  server = await serve(core, { port: 0 });
  impatient = await serve(core, { port: 0, callTimeoutMilliseconds: 50 });
});
afterAll(() => Promise.all([server.close(), impatient.close()]));

async function connect(identity: Identity = new AnonymousIdentity(), url = server.url) {
  const agent = await HttpAgent.create({ host: url, shouldFetchRootKey: true, identity });
  return { agent, actor: Actor.createActor<Echo>(echoInterface, { agent, canisterId: CANISTER_ID }) };
}

describe('calls', () => {
  test('an update call is answered with a certificate', async () => {
    const { actor } = await connect();
    expect(await actor.echo('hello')).toBe('hello');
  });

  test('a call that takes longer than the server waits is accepted, then polled', async () => {
    const { actor, agent } = await connect(controller, impatient.url);
    expect(await actor.slow('later')).toBe('later');
    const { response } = await agent.call(CANISTER_ID, { methodName: 'slow', arg: IDL.encode([IDL.Text], ['x']) });
    expect(response.status).toBe(202);
  });

  test('an asynchronous call (v2) is accepted, then polled', async () => {
    const { agent } = await connect(controller);
    const arg = IDL.encode([IDL.Text], ['polled']);
    const { requestId, response } = await agent.call(CANISTER_ID, { methodName: 'echo', arg, callSync: false });
    expect(response.status).toBe(202);
    const { reply } = await polling.pollForResponse(agent, CANISTER_ID, requestId);
    expect(IDL.decode([IDL.Text], reply)).toEqual(['polled']);
  });

  test('a reject of the canister arrives certified, with code, message and error code', async () => {
    const { actor } = await connect();
    await expect(actor.fail('why')).rejects.toThrow(/Reject code: 4[\s\S]*refused: why[\s\S]*IC0406/);
  });

  test('a refusal before the call is queued arrives uncertified', async () => {
    const { agent } = await connect();
    const nameless = Actor.createActor<{ nope: () => Promise<void> }>(
      ({ IDL }) => IDL.Service({ nope: IDL.Func([], [], []) }),
      {
        agent,
        canisterId: CANISTER_ID,
      },
    );
    await expect(nameless.nope()).rejects.toThrow(/no update method nope/);
  });

  test('a payload of nearly 2 MiB comes back whole', async () => {
    const { actor } = await connect();
    const large = 'ä'.repeat(1_000_000);
    expect(await actor.echo(large)).toBe(large);
  });
});

describe('queries', () => {
  test('a query is answered with a node signature that verifies', async () => {
    const { actor } = await connect();
    expect(await actor.echo_query('quick')).toBe('quick');
  });

  test('a rejected query carries a signature that verifies, too', async () => {
    const { actor } = await connect();
    await expect(actor.fail_query('no')).rejects.toThrow(/refused: no/);
  });
});

describe('identities', () => {
  test.each([
    ['anonymous', async () => new AnonymousIdentity()],
    ['Ed25519', async () => Ed25519KeyIdentity.generate()],
    ['P-256', async () => ECDSAKeyIdentity.generate()],
    ['secp256k1', async () => new Secp256k1Identity()],
  ])('%s', async (_, generate) => {
    const identity = await generate();
    const { actor } = await connect(identity);
    expect((await actor.who()).toText()).toBe(identity.getPrincipal().toText());
    expect(await actor.echo('signed')).toBe('signed');
  });

  test('a delegation chain over two keys speaks for the first', async () => {
    const [owner, middle, session] = [
      Ed25519KeyIdentity.generate(),
      new Secp256k1Identity(),
      Ed25519KeyIdentity.generate(),
    ];
    const soon = new Date(Date.now() + 60_000);
    const first = await DelegationChain.create(owner, middle.getPublicKey(), soon, { targets: [CANISTER_ID] });
    const chain = await DelegationChain.create(middle, session.getPublicKey(), soon, { previous: first });
    const { actor } = await connect(DelegationIdentity.fromDelegation(session, chain));
    expect((await actor.who()).toText()).toBe(owner.getPrincipal().toText());
    expect(await actor.echo('delegated')).toBe('delegated');
  });
});

describe('read_state', () => {
  test('canisterStatus gives time, module hash, controllers, candid and subnet', async () => {
    const { agent } = await connect();
    const paths: CanisterStatus.Path[] = ['time', 'module_hash', 'controllers', 'candid', 'subnet'];
    const status = await CanisterStatus.request({ canisterId: CANISTER_ID, agent, paths });
    expect(Math.abs((status.get('time') as Date).getTime() - Date.now())).toBeLessThan(5_000);
    expect(status.get('module_hash')).toBe('07'.repeat(32));
    expect((status.get('controllers') as Principal[]).map(String)).toEqual(core.info.controllers.map(String));
    expect(status.get('candid')).toBe(CANDID);
    const { subnetId, nodeKeys } = status.get('subnet') as CanisterStatus.SubnetStatus;
    expect(subnetId).toBe(Principal.selfAuthenticating(server.authority.rootKey).toText());
    expect([...nodeKeys.keys()]).toEqual([server.authority.nodeId.toText()]);
  });

  test('an agent whose clock is off sets it by the replica', async () => {
    core.clockShift = 20n * 60n * 1_000_000_000n;
    try {
      const { agent, actor } = await connect(controller);
      expect(await actor.echo('from the past')).toBe('from the past');
      expect(Math.round(agent.getTimeDiffMsecs() / 60_000)).toBe(20);
    } finally {
      core.clockShift = 0n;
    }
  });
});
