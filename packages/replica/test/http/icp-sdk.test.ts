/**
 * @icp-sdk/core, the agent's successor, unmodified and with its default verification: it calls by v4, queries and reads
 * by v3, and reads from subnets. The same expectations as in agent.test.ts where that has them already.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, serve } from '../../src/http/serve.ts';
import { CANDID, echoCore, echoInterface } from './echo.ts';
import { CANISTER_ID } from './fake-core.ts';

/** Loaded by name, so that the project compiles without the package; without it these tests are skipped. */
// biome-ignore lint/suspicious/noExplicitAny: the package may not be there to give the types
const load = (path: string): Promise<any> => import(/* @vite-ignore */ `@icp-sdk/core/${path}`).catch(() => undefined);
const sdk = await load('agent');
if (!sdk) console.warn('icp-sdk.test.ts: skipped, as @icp-sdk/core is not installed');

describe.skipIf(!sdk)('@icp-sdk/core', async () => {
  const { Actor, CanisterStatus, HttpAgent, SubnetStatus } = sdk ?? {};
  const { Principal } = (await load('principal')) ?? {};
  const { Ed25519KeyIdentity, ECDSAKeyIdentity, DelegationChain, DelegationIdentity } = (await load('identity')) ?? {};
  const { Secp256k1KeyIdentity } = (await load('identity/secp256k1')) ?? {};
  const candid = new TextEncoder().encode(CANDID);
  const core = echoCore({
    controllers: [CANISTER_ID],
    metadata: new Map([['candid:service', { visibility: 'public', content: candid }]]),
  });
  let server: Server;
  let impatient: Server;
  beforeAll(async () => {
    server = await serve(core, { port: 0 });
    impatient = await serve(core, { port: 0, callTimeoutMilliseconds: 50 });
  });
  afterAll(() => Promise.all([server.close(), impatient.close()]));

  const connect = async (identity?: unknown, host = server.url) => {
    const agent = await HttpAgent.create({ host, shouldFetchRootKey: true, identity });
    const canisterId = Principal.fromText(CANISTER_ID.toText());
    return { agent, canisterId, actor: Actor.createActor(echoInterface, { agent, canisterId }) };
  };

  test.each<[string, () => unknown]>([
    ['anonymous', () => undefined],
    ['Ed25519', () => Ed25519KeyIdentity.generate()],
    ['secp256k1', () => Secp256k1KeyIdentity.generate()],
    ['P-256', () => ECDSAKeyIdentity.generate()],
    [
      'delegated',
      async () => {
        const [owner, session] = [Ed25519KeyIdentity.generate(), Ed25519KeyIdentity.generate()];
        const chain = await DelegationChain.create(owner, session.getPublicKey(), new Date(Date.now() + 60_000));
        return DelegationIdentity.fromDelegation(session, chain);
      },
    ],
  ])('calls and queries: %s', async (_, identity) => {
    const { actor } = await connect(await identity());
    expect([await actor.echo('call'), await actor.echo_query('query')]).toEqual(['call', 'query']);
    await expect(actor.fail('a call')).rejects.toThrow(/Reject code: 4[\s\S]*refused: a call[\s\S]*IC0406/);
    await expect(actor.fail_query('a query')).rejects.toThrow(/refused: a query/);
  });

  test('polls for a call that takes longer than the server waits', async () => {
    const { actor } = await connect(undefined, impatient.url);
    expect(await actor.slow('later')).toBe('later');
  });

  test('reads the status of the canister', async () => {
    const { agent, canisterId } = await connect();
    const status = await CanisterStatus.request({ canisterId, agent, paths: ['module_hash', 'controllers', 'candid'] });
    expect(status.get('module_hash')).toBe('07'.repeat(32));
    expect(status.get('controllers').map(String)).toEqual([CANISTER_ID.toText()]);
    expect(status.get('candid')).toBe(CANDID);
  });

  test('reads the status of the subnet', async () => {
    const { agent, canisterId } = await connect();
    const subnetId = Principal.fromText(server.authority.subnetId.toText());
    const paths = ['time', 'publicKey', 'nodeKeys', 'canisterRanges'];
    const status = await SubnetStatus.request({ subnetId, agent, paths });
    expect(status.get('publicKey')).toEqual(server.authority.rootKey);
    expect([...status.get('nodeKeys').keys()]).toEqual([server.authority.nodeId.toText()]);
    const [[first, last]] = status.get('canisterRanges');
    expect([first.ltEq(canisterId), last.gtEq(canisterId)]).toEqual([true, true]);
  });

  test('sets its clock by the replica', async () => {
    core.clockShift = 20n * 60n * 1_000_000_000n;
    try {
      const { agent, actor } = await connect(Ed25519KeyIdentity.generate());
      expect(await actor.echo('from the past')).toBe('from the past');
      expect(Math.round(agent.getTimeDiffMsecs() / 60_000)).toBe(20);
    } finally {
      core.clockShift = 0n;
    }
  });
});
