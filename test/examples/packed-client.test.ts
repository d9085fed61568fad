/**
 * The client as others have it: packed, installed by npm in copies of the two example projects outside the tree, a Node
 * script and a page built with Vite. Both get the text that `generate` gives. The page is opened in Chromium; that part
 * is skipped, with a message, where there is none.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { LocalNetwork } from '../../src/node/network/local-network.ts';
import { installed } from './installed.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const [apples] = JSON.parse(readFileSync('models/little-flan/expected.json', 'utf8')).cases;
const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
if (!chromium) console.warn('packed-client.test.ts: the page is built but not opened, as there is no Chromium');

let folder: string;
let network: LocalNetwork;
let canisterId: string;

beforeAll(async () => {
  network = await LocalNetwork.start(0);
  const llm = await network.install('llm');
  canisterId = llm.canisterId.toText();
  const client = await connect({ host: network.url, canisterId, identity: network.identity });
  await client.uploadPack(readFileSync((await packFolder('models/little-flan', 'int8')).path));
  expect((await client.generate(apples.prompt)).text).toBe(apples.text);
  folder = await installed(['node-client', 'vite-client']);
});
afterAll(async () => {
  await network.close();
  await rm(folder, { recursive: true });
});

describe('the package', () => {
  it('is installed from its file, with types and modules only', async () => {
    const { files } = JSON.parse(
      await readFile(join(folder, 'node-client/node_modules/stepwise-client/package.json'), 'utf8'),
    );
    expect(files).toEqual(['client', 'interface']);
    const { dependencies } = JSON.parse(await readFile(join(folder, 'node-client/package.json'), 'utf8'));
    expect(dependencies['stepwise-client']).toMatch(/^file:.*stepwise-client-\d+\.\d+\.\d+\.tgz$/);
  });

  it('wants the versions of @dfinity that this project has', () => {
    const own = JSON.parse(readFileSync('package.json', 'utf8'));
    const packed = JSON.parse(readFileSync('src/client/package.json', 'utf8'));
    expect(own.dependencies).toMatchObject(packed.peerDependencies);
    expect(packed.version).toBe(own.version);
  });
});

describe('examples/node-client', () => {
  const ask = (prompt: string, canister = canisterId) =>
    run(process.execPath, ['ask.js', prompt], {
      cwd: join(folder, 'node-client'),
      env: { PATH: process.env.PATH, HOST: network.url, CANISTER: canister },
    });

  it('prints the answer', async () => {
    const { stdout, stderr } = await ask(apples.prompt);
    expect(stdout).toBe(`${apples.text}\n`);
    expect(stderr).toMatch(new RegExp(`^${apples.ids.length} tokens, \\d+ cycles\n$`));
  });

  it('says which error the canister has', async () => {
    await expect(ask(' ')).rejects.toMatchObject({
      code: 1,
      stderr: 'EmptyPrompt: start: expected a prompt, got no text\n',
    });
  });
});

describe('examples/vite-client', () => {
  let dist: string;

  beforeAll(async () => {
    const cwd = join(folder, 'vite-client');
    dist = join(cwd, 'dist');
    await run(process.execPath, [require.resolve('typescript/bin/tsc')], { cwd });
    const vite = dirname(createRequire(require.resolve('vitest/package.json')).resolve('vite/package.json'));
    await run(process.execPath, [join(vite, 'bin/vite.js'), 'build'], { cwd });
  });

  it('is built, types checked, to a page of less than 200 kB, nearly all of it the agent', async () => {
    const page = await readFile(join(dist, 'index.html'), 'utf8');
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(page)!;
    expect((await stat(join(dist, script!))).size).toBeLessThan(200_000);
  });

  it.skipIf(!chromium)('shows the answer in a browser', async () => {
    const { said, address, close } = await servePage(dist);
    const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--remote-debugging-port=0',
    ];
    const query = new URLSearchParams({ host: network.url, canister: canisterId });
    const browser = spawn(chromium!, [...flags, `--user-data-dir=${profile}`, `${address}/?${query}`], {
      detached: true,
    });
    try {
      const { answer, status } = await said;
      expect(answer).toBe(apples.text);
      expect(status).toMatch(new RegExp(`^${apples.ids.length} tokens, \\d+ cycles$`));
    } finally {
      const ended = new Promise((resolve) => browser.once('close', resolve));
      // the browser is several processes: a group of its own
      process.kill(-browser.pid!, 'SIGKILL');
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
      close();
    }
  });
});

/** What does in the page what a reader does, and tells this test what it shows in the end. */
const READER = `<script type="module">
  document.querySelector('input').value = ${JSON.stringify(apples.prompt)};
  document.querySelector('form').requestSubmit();
  const status = document.querySelector('[role=status]');
  new MutationObserver(() => {
    if (status.textContent === '') return;
    const shown = { answer: document.querySelector('output').value, status: status.textContent };
    fetch('/said', { method: 'POST', body: JSON.stringify(shown) });
  }).observe(status, { childList: true });
</script>`;

/** Serves the built page with `READER` at its end. */
async function servePage(dist: string) {
  let hear: (said: { answer: string; status: string }) => void;
  const said = new Promise<{ answer: string; status: string }>((resolve) => {
    hear = resolve;
  });
  const server = createServer(async (request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname;
    if (path === '/said') {
      let body = '';
      for await (const chunk of request) body += chunk;
      hear(JSON.parse(body));
      return response.end();
    }
    const file = join(dist, path === '/' ? 'index.html' : path);
    const bytes = await readFile(file).catch(() => undefined);
    if (!bytes) return response.writeHead(404).end();
    response.setHeader('content-type', { '.html': 'text/html', '.js': 'text/javascript' }[extname(file)] ?? '');
    response.end(path === '/' ? `${bytes}${READER}` : bytes);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { said, address: `http://127.0.0.1:${port}`, close: () => void server.close() };
}
