/** What the canister serves, held against its certificates by the library that gateways use. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Actor, HttpAgent } from '@dfinity/agent';
import { type ResponseVerificationError, verifyRequestResponsePair } from '@dfinity/response-verification';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Server, serve } from '../../packages/replica/src/http/serve.ts';
import { Client, connect, type Llm } from '../../src/client/index.ts';
import { idlService } from '../../src/interface/llm.did.ts';
import { packFolder } from '../../src/node/model/model-folder.ts';
import { type Installed, install, sha256Of, upload } from './llm.ts';

const pack = new Uint8Array(readFileSync((await packFolder('models/little-flan', 'int8')).path));
let llm: Installed;
let server: Server;

beforeAll(async () => {
  llm = await install();
  server = await serve(llm.replica, { port: 0 });
});
afterAll(async () => {
  await server.close();
  llm.replica.close();
});

const ask = async (url: string, method = 'GET') => {
  const request = { method, url, headers: [], body: new Uint8Array() };
  const { status_code, headers, body } = await llm.as().http_request(request);
  return { request, response: { status_code, headers, body: Uint8Array.from(body) } };
};
type Asked = Awaited<ReturnType<typeof ask>>;

function verify({ request, response }: Asked) {
  return verifyRequestResponsePair(
    { ...request, certificate_version: [2] },
    response,
    llm.canisterId.toUint8Array(),
    llm.replica.time(),
    300_000_000_000n,
    server.authority.rootKey,
    2,
  );
}

/** The judge's word on a response that was changed on its way. */
function verdict(asked: Asked, change: Partial<Asked['response']>): string {
  try {
    verify({ ...asked, response: { ...asked.response, ...change } });
    return 'holds';
  } catch (error) {
    return (error as ResponseVerificationError).message;
  }
}

const get = (path: string, host = `${llm.canisterId}.localhost`) =>
  fetch(`${server.url}${path}`, { headers: { host } }).catch(() => undefined);

/** The same before there is a model, with one, and after an upgrade: the two share one tree. */
describe.each([
  ['without a model', async () => {}],
  ['with a model', () => upload(llm.as(), pack)],
  ['after an upgrade', () => llm.upgrade()],
])('%s', (_, prepare) => {
  beforeAll(prepare);

  it('the page is certified, with its status and headers', async () => {
    const asked = await ask('/');
    expect(asked.response.status_code).toBe(200);
    const info = verify(asked);
    expect(info.verificationVersion).toBe(2);
    expect(info.response?.headers.map(([name]) => name.toLowerCase())).toEqual(
      expect.arrayContaining(['content-security-policy', 'content-encoding', 'content-type']),
    );
    const html = gunzipSync(asked.response.body);
    expect(html.toString()).toContain('<title>Stepwise</title>');
    // what is sent; its script is not packed once more
    expect(asked.response.body.length).toBeLessThan(75_000);
    verify(await ask('/', 'HEAD'));
    verify(await ask('/?canisterId=x'));
  });

  it('so is what there is not', async () => {
    for (const [url, method, status] of [
      ['/secret', 'GET', 404],
      ['/status/more', 'GET', 404],
      ['/__proto__', 'GET', 404],
      ['/', 'POST', 405],
      [`/?${'x'.repeat(8_000)}`, 'GET', 414],
      [`/%2F?${'x'.repeat(60_000)}`, 'HEAD', 414],
      [`/${'x'.repeat(60_000)}`, 'GET', 404],
      [`/status/?${'&'.repeat(60_000)}`, 'GET', 404],
    ] as const) {
      const asked = await ask(url, method);
      expect(asked.response.status_code).toBe(status);
      expect(verify(asked).response?.statusCode).toBe(status);
    }
  });

  it("what there is not of OpenAI's API is said in its form", async () => {
    for (const [url, method] of [
      ['/v1/embeddings', 'POST'],
      ['/v1/models/little-flan', 'GET'],
      ['/v1', 'DELETE'],
    ] as const) {
      const asked = await ask(url, method);
      expect(verify(asked).response?.statusCode).toBe(404);
      expect(JSON.parse(Buffer.from(asked.response.body).toString())).toEqual({
        error: {
          message: 'expected one of /v1/chat/completions, /v1/completions, /v1/models, got another path',
          type: 'invalid_request_error',
          param: null,
          code: 'unknown_url',
        },
      });
      // a browser asks first, and would not show what is refused
      expect(verify(await ask(url, 'OPTIONS')).response?.statusCode).toBe(204);
    }
  });

  it('what is live says that it is not', async () => {
    for (const [url, status] of [
      ['/status', 200],
      ['/metrics', 200],
      [`/metrics?${'x'.repeat(7_991)}`, 200],
      [`/status?${'&'.repeat(7_993)}`, 414],
    ] as const) {
      const asked = await ask(url);
      expect(asked.response.status_code).toBe(status);
      expect(verify(asked).response).toBeUndefined();
    }
  });
});

describe('odd paths', () => {
  /** Each way to write a path that gateways see as the same one, and what they see as another. */
  const slashes = ['/', '//', '///', '/%2F', '/%2f/', '%2F'];
  const written = (name: string) => [
    name,
    `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
    [...name].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''),
  ];
  const ends = ['', '?', '?x=/status', '#x', '?x#y'];
  const same = (name: string) =>
    slashes
      .slice(0, 5)
      .flatMap((slash) =>
        (name === '' ? [''] : written(name)).flatMap((text) => ends.map((end) => slash + text + end)),
      );
  const missing = ['status', 'metrics', 'nothing'].flatMap((name) =>
    [
      '/./',
      '/../',
      '/a/../',
      '/.',
      '/%00',
      '/%20',
      '/+',
      '/*',
      '/%3C*%3E',
      '/%',
      '/%zz',
      '/;',
      '/:',
      '//a/',
      '/%C3%A4',
      '/\\',
      '/%25',
      '/%5C',
    ]
      .map((before) => before + name)
      .concat(
        ['/', '//', '%2F', '%2Fmore', '/more', '%3Fx', '%23x', '%00', '.', '%'].map((after) => `/${name}${after}`),
      ),
  );
  /** Below the root of OpenAI's API, which is another `*`. */
  const missingApi = ['/v1', ...same('v1').filter((path) => path.length < 12)].concat(
    [
      '/',
      '//',
      '/nothing',
      '/chat',
      '/chat/completions/',
      '/models/little-flan',
      '/%00',
      '/%C3%A4',
      '/../status',
      '/%zz',
      '/%',
    ].map((after) => `/v1${after}`),
    ['/%76%31/x', '//v1/x', '/%2Fv1/x', '/v1%2Fx', '/v1/x?y#z', 'http://a/v1/x'],
    [`/v1/${'x'.repeat(2_000)}`],
  );
  const paths = [
    ...missingApi.map((path) => [path, '/v1/*'] as const),
    ...['/v10', '/v1x', '/V1/x', '/v2/models', '/a/v1/models', '/v', '/v1.', `/${'x'.repeat(2_000)}`].map(
      (path) => [path, '*'] as const,
    ),
    ...same('').map((path) => [path, '/'] as const),
    ...same('status').map((path) => [path, '/status'] as const),
    ...same('metrics').map((path) => [path, '/metrics'] as const),
    ...missing.map((path) => [path, '*'] as const),
    ['http://a/status', '/status'] as const,
    ['https://a.b:80', '/'] as const,
    ['/Status', '*'] as const,
    ['/STATUS', '*'] as const,
  ];

  it(`${paths.length} of them: each is certified, and is what gateways take it for`, async () => {
    expect(paths.length).toBeGreaterThan(250);
    const wrong: string[] = [];
    for (const [i, [url, is]] of paths.entries()) {
      for (const method of i % 10 === 0 ? ['GET', 'POST'] : ['GET']) {
        const asked = await ask(url, method);
        const status = is.endsWith('*') ? 404 : method === 'GET' ? 200 : 405;
        try {
          const { response } = verify(asked);
          if (asked.response.status_code !== status) wrong.push(`${method} ${url}: ${asked.response.status_code}`);
          const [type] = asked.response.headers.filter(([name]) => name === 'Content-Type').map(([, value]) => value);
          if (is.endsWith('*') && type?.startsWith('application/json') !== (is === '/v1/*'))
            wrong.push(`${method} ${url}: ${type}`);
          if ((response === undefined) !== ['/status', '/metrics'].includes(is))
            wrong.push(`${method} ${url}: certified?`);
        } catch (error) {
          wrong.push(`${method} ${url}: ${(error as ResponseVerificationError).message}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('does not hold', () => {
  it('for another body, status or header, or less of them', async () => {
    const asked = await ask('/');
    const { headers } = asked.response;
    const without = (wanted: string) => headers.filter(([name]) => name !== wanted);
    expect(verdict(asked, {})).toBe('holds');
    expect(verdict(asked, { body: new Uint8Array([1]) })).not.toBe('holds');
    expect(verdict(asked, { status_code: 404 })).not.toBe('holds');
    expect(verdict(asked, { headers: without('Content-Security-Policy') })).not.toBe('holds');
    expect(verdict(asked, { headers: [...headers, ['Set-Cookie', 'a=1']] })).not.toBe('holds');
    expect(verdict(asked, { headers: without('IC-Certificate') })).not.toBe('holds');
  });

  it('for a path that has a page of its own: nobody can pass off the page as missing, or as uncertified', async () => {
    const page = await ask('/');
    for (const other of ['/nothing', '/metrics']) {
      const { response } = await ask(other);
      expect(verdict({ ...page, response }, {})).not.toBe('holds');
    }
    const metrics = await ask('/metrics');
    expect(verdict({ ...metrics, response: (await ask('/nothing')).response }, {})).not.toBe('holds');
  });
});

describe('the model', () => {
  it("is certified beside the pages, and a client checks it with the network's key alone", async () => {
    const client = await connect({ host: server.url, canisterId: llm.canisterId });
    expect(await client.certifiedModel()).toBe(sha256Of(pack));
  });

  it('of a node that lies is found out', async () => {
    const agent = await HttpAgent.create({ host: server.url, shouldFetchRootKey: true });
    const actor = Actor.createActor<Llm>(() => idlService, { agent, canisterId: llm.canisterId });
    const lying = (change: (truth: Awaited<ReturnType<Llm['model_certificate']>>) => object) => {
      const liar = Object.assign(Object.create(actor), {
        model_certificate: async () => {
          const truth = await actor.model_certificate();
          return { ...truth, ...change(truth) };
        },
      });
      return new Client(liar).certifiedModel();
    };
    const changed = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
    await expect(lying(({ tree }) => ({ tree: [changed(Uint8Array.from(tree[0]!))] }))).rejects.toThrow(
      /^model: expected a tree with the root [0-9a-f]{64}, got [0-9a-f]{64}/,
    );
    await expect(lying(() => ({ certificate: [] }))).rejects.toThrow('expected a certificate and its tree, got none');
    await expect(
      lying(({ certificate }) => ({ certificate: [changed(Uint8Array.from(certificate[0]!))] })),
    ).rejects.toThrow(/[Ss]ignature/);
  });

  it('of a node that repeats an old certificate is found out', async () => {
    const agent = await HttpAgent.create({ host: server.url, shouldFetchRootKey: true });
    const actor = Actor.createActor<Llm>(() => idlService, { agent, canisterId: llm.canisterId });
    const old = await actor.model_certificate();
    const client = new Client(Object.assign(Object.create(actor), { model_certificate: async () => old }));
    expect(await client.certifiedModel()).toBe(sha256Of(pack));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    try {
      await expect(client.certifiedModel()).rejects.toThrow(/older than|time/);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the gateway', () => {
  it('shows what holds, compressed as it came', async () => {
    const response = (await get(`/?canisterId=${llm.canisterId}`, '127.0.0.1'))!;
    expect(response.status).toBe(200);
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toContain('<title>Stepwise</title>');
    expect((await get(`/metrics?canisterId=${llm.canisterId}`))!.status).toBe(200);
  });

  it('shows a page of the state whose links name the canister where its own address does', async () => {
    const links = async (url: string) =>
      Array.from(new TextDecoder().decode((await ask(url)).response.body).matchAll(/href="([^"]*)"/g), ([, to]) => to);
    const query = `?canisterId=${llm.canisterId}`;
    for (const named of [
      `/status${query}`,
      `/status?a=%22%3E&canisterId=${llm.canisterId}`,
      '/status?canisterId="><b>',
    ])
      expect(await links(named), named).toEqual([`/${query}`, `/metrics${query}`]);
    for (const own of ['/status', '/status?', '/status?x="><b>&y', '/status#x'])
      expect(await links(own), own).toEqual(['/', '/metrics']);
  });
});
