/** Answers changed on their way, as by a replica that lies: @dfinity/agent refuses them. */
import { Actor, Cbor, HttpAgent } from '@dfinity/agent';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authority } from '../../src/certification/authority.ts';
import { type Server, serve } from '../../src/http/serve.ts';
import { type Echo, echoCore, echoInterface } from './echo.ts';
import { CANISTER_ID } from './fake-core.ts';

let server: Server;
beforeAll(async () => {
  server = await serve(echoCore(), { port: 0 });
});
afterAll(() => server.close());

type Fields = Record<string, unknown>;

/** An actor that sees the answers at `address` as `change` leaves them. */
async function lied(address: RegExp, change: (fields: Fields) => void) {
  const liar: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (!address.test(String(input))) return response;
    const fields = Cbor.decode<Fields>(new Uint8Array(await response.arrayBuffer()));
    change(fields);
    return new Response(Buffer.from(Cbor.encode(fields)), { status: response.status, headers: response.headers });
  };
  const agent = await HttpAgent.create({ host: server.url, fetch: liar, shouldFetchRootKey: true, retryTimes: 0 });
  return Actor.createActor<Echo>(echoInterface, { agent, canisterId: CANISTER_ID });
}

function flip(bytes: unknown, at: number): Uint8Array {
  const changed = Uint8Array.from(bytes as Uint8Array);
  changed.set([changed.at(at)! ^ 1], at < 0 ? changed.length + at : at);
  return changed;
}

test('nothing changed: accepted', async () => {
  const actor = await lied(/./, () => {});
  expect(await actor.echo('x')).toBe('x');
  expect(await actor.echo_query('x')).toBe('x');
});

test.each([20, 100, -20])('a certificate with byte %i changed', async (at) => {
  const actor = await lied(/\/call$/, (answer) => {
    answer['certificate'] = flip(answer['certificate'], at);
  });
  await expect(actor.echo('x')).rejects.toThrow(/verif|decode|certificate/i);
});

test('a reply put into the certificate in place of the real one', async () => {
  const actor = await lied(/\/call$/, (answer) => {
    const certificate = Buffer.from(answer['certificate'] as Uint8Array);
    const at = certificate.indexOf('honest');
    certificate.write('forged', at);
    answer['certificate'] = new Uint8Array(certificate);
  });
  await expect(actor.echo('honest')).rejects.toThrow(/Signature verification failed/);
});

test('the signature of a query answer changed', async () => {
  const actor = await lied(/\/query$/, (answer) => {
    const [signature] = answer['signatures'] as Fields[];
    signature!['signature'] = flip(signature!['signature'], 5);
  });
  await expect(actor.echo_query('x')).rejects.toThrow(/Query signature.*verification failed|Invalid/i);
});

test('a query answer under the right signature of another', async () => {
  const actor = await lied(/\/query$/, (answer) => {
    const reply = answer['reply'] as Fields;
    reply['arg'] = flip(reply['arg'], -1);
  });
  await expect(actor.echo_query('x')).rejects.toThrow(/signature/i);
});

test('a query answer signed by a node that is not of the subnet', async () => {
  const actor = await lied(/\/query$/, (answer) => {
    const [signature] = answer['signatures'] as Fields[];
    signature!['identity'] = new Authority('elsewhere').nodeId.toUint8Array();
  });
  await expect(actor.echo_query('x')).rejects.toThrow(/public key/i);
});

test('another root key than the one the agent knows', async () => {
  const { rootKey } = new Authority('elsewhere');
  const agent = await HttpAgent.create({ host: server.url, rootKey, retryTimes: 0 });
  const actor = Actor.createActor<Echo>(echoInterface, { agent, canisterId: CANISTER_ID });
  await expect(actor.echo('x')).rejects.toThrow(/Signature verification failed/);
});
