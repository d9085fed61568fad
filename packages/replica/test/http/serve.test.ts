/** The server itself: its address, a port that is taken, its end. */
import { expect, test } from 'vitest';
import { Authority } from '../../src/certification/authority.ts';
import { decode } from '../../src/certification/cbor.ts';
import { serve } from '../../src/http/serve.ts';
import { echoCore } from './echo.ts';

test('listens on loopback and tells where', async () => {
  const server = await serve(echoCore(), { port: 0 });
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
  expect((await fetch(`${server.url}/api/v2/status`)).status).toBe(200);
  await server.close();
});

test('a port that is taken gives an error that says so, with a code to tell it by', async () => {
  const first = await serve(echoCore(), { port: 0 });
  await expect(serve(echoCore(), { port: first.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: `serve: expected a free port, got 127.0.0.1:${first.port}, where a program is listening already; take another`,
  });
  await first.close();
});

test('status gives the root key of the seed, and health', async () => {
  const server = await serve(echoCore(), { port: 0, authority: new Authority('mine') });
  const status = decode(new Uint8Array(await (await fetch(`${server.url}/api/v2/status`)).arrayBuffer())) as Map<
    string,
    unknown
  >;
  expect(status.get('root_key')).toEqual(new Authority('mine').rootKey);
  expect(status.get('replica_health_status')).toBe('healthy');
  await server.close();
});

test('close ends connections that are open', async () => {
  const core = echoCore();
  core.query = () => new Promise(() => {});
  const server = await serve(core, { port: 0 });
  const pending = fetch(`${server.url}/?canisterId=${core.info.canisterId}`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server.close();
  await expect(pending).rejects.toThrow('fetch failed');
});
