/**
 * A browser opens a canister's page, and the page calls back through @dfinity/agent from an origin of its own.
 * Debian's Chromium, headless; skipped, with a message, where there is none (apt-get install chromium).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IDL } from '@dfinity/candid';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { serve } from '../../src/http/serve.ts';
import { Replica } from '../../src/index.ts';
import { watCanister } from './wat-canister.ts';

const program = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
if (!program) console.warn('chromium.test.ts: skipped, as there is no Chromium');

/** What the page runs: each call's answer, verified by the agent, is the next call's argument. */
const SCRIPT = `
import { Actor, HttpAgent } from '@dfinity/agent';
const canisterId = location.hostname.split('.')[0];
const agent = await HttpAgent.create({ host: 'http://127.0.0.1:' + location.port, shouldFetchRootKey: true });
const actor = Actor.createActor(({ IDL }) => IDL.Service({
  echo: IDL.Func([IDL.Text], [IDL.Text], []),
  echo_query: IDL.Func([IDL.Text], [IDL.Text], ['query']),
}), { agent, canisterId });
try {
  await actor.echo('page: ' + await actor.echo(await actor.echo_query('asked, called, verified')));
} catch (error) {
  await actor.echo('page: ' + error);
}`;

async function pageHtml(): Promise<string> {
  const stdin = { contents: SCRIPT, resolveDir: import.meta.dirname };
  const bundle = await build({ stdin, bundle: true, format: 'esm', minify: true, write: false, target: 'es2022' });
  return `<!doctype html><title>canister</title><script type="module">${bundle.outputFiles[0]!.text.replaceAll('</script', '<\\/script')}</script>`;
}

test.skipIf(!program)('a page calls its canister', async () => {
  const replica = new Replica();
  const { canisterId } = replica.createCanister();
  await replica.installCode({ canisterId, wasm: watCanister(await pageHtml()) });
  const server = await serve(replica, { port: 0 });
  const said = new Promise<string>((resolve) => {
    const submit = replica.submit.bind(replica);
    replica.submit = (ingress) => {
      const [text] = IDL.decode([IDL.Text], ingress.arg) as unknown as [string];
      if (text.startsWith('page: ')) resolve(text);
      return submit(ingress);
    };
  });
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    `--user-data-dir=${profile}`,
  ];
  // what this canister serves is not certified
  const page = `http://${canisterId}.raw.localhost:${server.port}/`;
  const browser = spawn(program!, [...flags, '--remote-debugging-port=0', page], { detached: true });
  try {
    expect(await said).toBe('page: asked, called, verified');
  } finally {
    const ended = new Promise((resolve) => browser.once('close', resolve));
    // The browser is several processes: a group of its own.
    process.kill(-browser.pid!, 'SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    await server.close();
    replica.close();
  }
});
