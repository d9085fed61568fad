import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, fetchedModel, fetchModel, modelPath } from '../../src/node/fetch/fetch-model.ts';
import { proxyLine } from '../../src/node/fetch/proxy.ts';

const PATIENCE = { stallMs: 150, backoffMs: 5, attempts: 3 };
const ID = 'google/flan-t5-tiny';
const WEIGHTS = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7);
const text = (value: string) => new TextEncoder().encode(value);

/** What the server does with one request for a file, instead of answering it well. */
type Mischief = (request: IncomingMessage, response: ServerResponse, content: Uint8Array) => void;

let server: Server;
let endpoint: string;
let cache: string;
let files: Record<string, Uint8Array>;
let tree: Record<string, unknown>[];
/** For each file, what befalls the next requests for it, in order. */
let mischief: Record<string, Mischief[]>;
let requests: string[];

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const blobSha1 = (bytes: Uint8Array) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** As a content network does it: whole, or from a byte on. */
function serveWell(request: IncomingMessage, response: ServerResponse, content: Uint8Array): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= content.length && from > 0) return void response.writeHead(416).end();
  if (request.headers.range)
    response.setHeader('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
  response.writeHead(request.headers.range ? 206 : 200, { 'content-length': content.length - from });
  response.end(content.subarray(from));
}

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'stepwise-fetch-'));
  files = {
    'README.md': text('# read me'),
    'config.json': text('{"model_type":"t5"}'),
    'generation_config.json': text('{}'),
    'spiece.model': Uint8Array.from({ length: 5000 }, (_, i) => i),
    'tokenizer.json': text('{}'),
    'model.safetensors': WEIGHTS,
  };
  tree = [
    { type: 'directory', oid: '0'.repeat(40), size: 0, path: 'onnx' },
    ...Object.entries(files).map(([path, bytes]) => ({
      type: 'file',
      path,
      size: bytes.length,
      oid: blobSha1(bytes),
      ...(bytes.length > 1000 ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } } : {}),
    })),
  ];
  mischief = {};
  requests = [];
  server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!);
    requests.push(`${path.split('/').at(-1)}${request.headers.range ? ` ${request.headers.range}` : ''}`);
    if (path === '/signed/address') return void response.writeHead(403).end('Request has expired');
    const name = path.startsWith(`/${ID}/resolve/main/`) ? path.split('/').at(-1)! : 'tree';
    const trick = mischief[name]?.shift();
    if (path.split('?')[0] === `/api/models/${ID}/tree/main`)
      (trick ?? serveWell)(request, response, text(JSON.stringify(tree)));
    else if (files[name]) (trick ?? serveWell)(request, response, files[name]);
    else response.writeHead(404).end('Repository not found');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cache, { recursive: true });
});

const model = (more: object = {}) => ({ id: ID, revision: 'main', endpoint, cache, patience: PATIENCE, ...more });
const folder = () => modelPath(model());
const weights = async () => new Uint8Array(await readFile(join(folder(), 'model.safetensors')));

/** Sends `bytes` of the content and breaks the connection. */
const breakOff =
  (bytes: number): Mischief =>
  (request, response, content) => {
    const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from });
    response.write(content.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 30));
  };
const stallAfter =
  (bytes: number): Mischief =>
  (_, response, content) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, bytes));
  };
const status =
  (code: number, headers = {}): Mischief =>
  (_, response) =>
    response.writeHead(code, headers).end();

describe('fetch', () => {
  it('fetches what makes a T5, and nothing else', async () => {
    expect(await fetchModel(model())).toBe(folder());
    expect((await readdir(folder())).sort()).toEqual([
      'config.json',
      'fetched.json',
      'generation_config.json',
      'model.safetensors',
      'spiece.model',
      'tokenizer.json',
    ]);
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    expect(await fetchedModel(model())).toBe(folder());
  });

  it('fetches nothing twice, and mends what was changed', async () => {
    await fetchModel(model());
    requests = [];
    await fetchModel(model());
    expect(requests).toEqual(['main']);
    await writeFile(join(folder(), 'spiece.model'), 'x'.repeat(5000));
    await fetchModel(model());
    expect(requests).toEqual(['main', 'main', 'spiece.model']);
  });

  it('takes shards and tokenizer.json where there is nothing better', async () => {
    tree = tree.filter(({ path }) => !['spiece.model', 'model.safetensors'].includes(path as string));
    for (const name of [
      'model.safetensors.index.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ]) {
      files[name] = text(name);
      tree.push({ type: 'file', path: name, size: files[name].length, oid: blobSha1(files[name]) });
    }
    await fetchModel(model());
    expect((await readdir(folder())).sort()).toEqual([
      'config.json',
      'fetched.json',
      'generation_config.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
      'tokenizer.json',
    ]);
  });

  it('goes on where a connection broke, as often as it takes', async () => {
    mischief['model.safetensors'] = [
      breakOff(50_000),
      breakOff(50_000),
      breakOff(50_000),
      breakOff(50_000),
      breakOff(50_000),
    ];
    const seen: number[] = [];
    await fetchModel(
      model({
        onBytes: (file: { name: string }, bytes: number) => file.name === 'model.safetensors' && seen.push(bytes),
      }),
    );
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    expect(seen.at(-1)).toBe(WEIGHTS.length);
    expect(requests.filter((request) => request.startsWith('model.safetensors'))).toEqual([
      'model.safetensors',
      ...[1, 2, 3, 4, 5].map((i) => `model.safetensors bytes=${i * 50_000}-`),
    ]);
  });

  it('goes on where another run stopped', async () => {
    mischief['model.safetensors'] = [breakOff(120_000), breakOff(0), breakOff(0)];
    await expect(fetchModel(model())).rejects.toThrow(/model\.safetensors|terminated/);
    expect(await fetchedModel(model())).toBeUndefined();
    expect(existsSync(join(folder(), 'model.safetensors'))).toBe(false);
    requests = [];
    await fetchModel(model());
    expect(requests).toEqual(['main', 'model.safetensors bytes=120000-']);
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it('gives a silent server up, and goes on from what had come', async () => {
    mischief['model.safetensors'] = [stallAfter(70_000)];
    await fetchModel(model());
    expect(requests.at(-1)).toBe('model.safetensors bytes=70000-');
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it('says so when the server stays silent', async () => {
    const silence: Mischief = () => {};
    mischief['tree'] = [silence, silence, silence];
    await expect(fetchModel(model())).rejects.toThrow(/tree\/main: expected an answer within 150 ms, got silence/);
    expect(requests.length).toBe(3);
  });

  it('begins again where the server knows no ranges', async () => {
    mischief['model.safetensors'] = [
      breakOff(90_000),
      (_, response, content) => response.writeHead(200, { 'content-length': content.length }).end(content),
    ];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it('does not believe another range than it asked for', async () => {
    mischief['model.safetensors'] = [
      breakOff(90_000),
      (_, response, content) =>
        response.writeHead(206, { 'content-range': `bytes 0-${content.length - 1}/${content.length}` }).end(content),
    ];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    expect(requests.slice(-2)).toEqual(['model.safetensors bytes=90000-', 'model.safetensors bytes=90000-']);
  });

  it('begins again where there is no such range', async () => {
    mischief['model.safetensors'] = [breakOff(90_000), status(416)];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    expect(requests.at(-1)).toBe('model.safetensors');
  });

  it('takes no more bytes than were declared', async () => {
    const more: Mischief = (_, response, content) => response.writeHead(200).end(Buffer.concat([content, content]));
    mischief['model.safetensors'] = [more];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    await rm(folder(), { recursive: true });
    mischief['model.safetensors'] = [more, more, more];
    await expect(fetchModel(model())).rejects.toThrow('model.safetensors: expected 300000 bytes, got more');
    expect((await readdir(folder())).filter((name) => name.startsWith('model'))).toEqual([]);
  });

  it('is not content with a good end that came too early', async () => {
    const short: Mischief = (_, response, content) => response.writeHead(200).end(content.subarray(0, 1000));
    mischief['spiece.model'] = [short];
    await fetchModel(model());
    expect(requests).toContain('spiece.model bytes=1000-');
    expect(new Uint8Array(await readFile(join(folder(), 'spiece.model')))).toEqual(files['spiece.model']);
  });

  it.each([
    [
      'a SHA-256',
      'spiece.model',
      (entry: Record<string, unknown>) => ({ ...entry, lfs: { oid: 'ab'.repeat(32), size: 5000 } }),
    ],
    ['a git hash', 'config.json', (entry: Record<string, unknown>) => ({ ...entry, oid: 'ab'.repeat(20) })],
  ])('keeps nothing that has not %s as declared', async (_, name, lie) => {
    tree = tree.map((entry) => (entry['path'] === name ? lie(entry) : entry));
    await expect(fetchModel(model())).rejects.toThrow(
      /expected (sha256|git-sha1) (ab)+, got [0-9a-f]+, twice; nothing was kept of it/,
    );
    expect(requests.filter((request) => request === name).length).toBe(2);
    expect(existsSync(join(folder(), name))).toBe(false);
    expect(existsSync(join(folder(), `${name}.part`))).toBe(false);
  });

  it('mends a part that was spoilt on the disk', async () => {
    mischief['model.safetensors'] = [breakOff(100_000), breakOff(0), breakOff(0)];
    await expect(fetchModel(model())).rejects.toThrow();
    await writeFile(join(folder(), 'model.safetensors.part'), new Uint8Array(100_000));
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it.each([
    [429, { 'retry-after': '0' }],
    [500, {}],
    [503, {}],
  ])('comes again after %i', async (code, headers) => {
    mischief['tree'] = [status(code, headers)];
    mischief['config.json'] = [status(code, headers), status(code, headers)];
    await fetchModel(model());
    expect(requests.filter((request) => request === 'config.json').length).toBe(3);
  });

  it.each([
    [404, 'is the name right?'],
    [401, 'it does not exist, or is only for those who sign in'],
  ])('does not come again after %i', async (code, hint) => {
    mischief['tree'] = [status(code)];
    await expect(fetchModel(model())).rejects.toThrow(`expected 200, got ${code}; ${hint}`);
    expect(requests.length).toBe(1);
  });

  it('fetches what adds tokens to a tokenizer', async () => {
    const names = ['added_tokens.json', 'special_tokens_map.json', 'tokenizer_config.json'];
    for (const name of names) {
      files[name] = text(`{"${name}":1}`);
      tree.push({ type: 'file', path: name, size: files[name].length, oid: blobSha1(files[name]) });
    }
    await fetchModel(model());
    expect(await readdir(folder())).toEqual(expect.arrayContaining(names));
  });

  it('reads a listing of several pages to its end', async () => {
    const all = JSON.stringify(tree.slice(4));
    const link = (next: string) => ({ link: `<${next}>; rel="next"` });
    const first: Mischief = (_, response) =>
      response
        .writeHead(200, link(`${endpoint}/api/models/${ID}/tree/main?cursor=abc`))
        .end(JSON.stringify(tree.slice(0, 2)));
    const second: Mischief = (_, response) =>
      response
        .writeHead(200, { link: `<x>; rel="prev", </api/models/${ID}/tree/main?cursor=def>; title="rel"; rel=next` })
        .end(JSON.stringify(tree.slice(2, 4)));
    mischief['tree'] = [first, second, (_, response) => response.writeHead(200).end(all)];
    await fetchModel(model());
    expect(requests.slice(0, 3)).toEqual(['main', 'main?cursor=abc', 'main?cursor=def']);
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it.each([
    ['comes back', (next: string) => next, 'at most 100 pages, got one without end'],
    ['leads away', () => 'http://127.0.0.1:9/next', 'expected the next page there, got http://127.0.0.1:9'],
  ])('refuses a listing that %s', async (_, nextOf, message) => {
    const next = nextOf(`${endpoint}/api/models/${ID}/tree/main`);
    mischief['tree'] = [(_request, response) => response.writeHead(200, { link: `<${next}>; rel="next"` }).end('[]')];
    await expect(fetchModel(model())).rejects.toThrow(message);
  });

  it('asks for a fresh address once, where the one that a redirect led to is refused', async () => {
    const away: Mischief = (_, response) => response.writeHead(302, { location: '/signed/address' }).end();
    mischief['model.safetensors'] = [away];
    await fetchModel(model());
    expect(requests.filter((request) => /safetensors|address/.test(request))).toEqual([
      'model.safetensors',
      'address',
      'model.safetensors',
    ]);
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
    await rm(folder(), { recursive: true });
    mischief['model.safetensors'] = [away, away, away];
    await expect(fetchModel(model())).rejects.toThrow(
      'model.safetensors: expected 200, got 403 from where it was redirected to',
    );
    expect(mischief['model.safetensors']!.length).toBe(1);
  });

  it('sends HF_TOKEN to the hub, not to where it redirects, and says it nowhere', async () => {
    const token = 'hf_secret';
    const elsewhere = createServer((request, response) => {
      seen.push(`elsewhere ${request.headers.authorization}`);
      response.writeHead(200, { 'content-length': WEIGHTS.length }).end(WEIGHTS);
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const { port } = elsewhere.address() as AddressInfo;
    const seen: string[] = [];
    server.on('request', ({ headers, url }) => seen.push(`${url!.split('/').at(-1)} ${headers.authorization}`));
    mischief['model.safetensors'] = [
      (_, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/x` }).end(),
    ];
    await fetchModel(model({ token }));
    elsewhere.closeAllConnections();
    await new Promise((resolve) => elsewhere.close(resolve));
    expect(seen).toContain('main Bearer hf_secret');
    expect(seen).toContain('model.safetensors Bearer hf_secret');
    expect(seen).toContain('elsewhere undefined');
    expect(await readFile(join(folder(), 'fetched.json'), 'utf8')).not.toContain(token);
    await rm(folder(), { recursive: true });
    mischief['tree'] = [status(401)];
    const message = await fetchModel(model({ token })).catch((error: Error) => error.message);
    expect(message).toContain('accept its terms on the hub, and set HF_TOKEN');
    expect(message).not.toContain(token);
  });

  it.each([
    ['hf_with space', 'HF_TOKEN: expected printable ASCII without spaces, got something else'],
    ['hf_line\nbreak', 'HF_TOKEN: expected printable ASCII without spaces, got something else'],
  ])('refuses the token %j without saying it', async (token, message) => {
    const said = await fetchModel(model({ token })).catch((error: Error) => error.message);
    expect(said).toBe(message);
    expect(requests).toEqual([]);
  });

  it('sends no token in the clear', async () => {
    const asking = fetchModel(model({ endpoint: 'http://hub.example', token: 'hf_secret' }));
    await expect(asking).rejects.toThrow('HF_TOKEN: expected an https endpoint to send it to, got http://hub.example');
  });

  it.each([
    ['huggingface.co', '; did you mean https://huggingface.co?'],
    ['localhost:8080', '; did you mean https://localhost:8080?'],
    ['ftp://huggingface.co', ''],
    ['https:huggingface.co', ''],
    ['//huggingface.co', ''],
    ['', ''],
  ])('refuses the endpoint %j in words', async (given, hint) => {
    await expect(fetchModel(model({ endpoint: given }))).rejects.toThrow(
      `fetch: expected an endpoint such as https://huggingface.co, with https:// or http://, got ${JSON.stringify(given)}${hint}`,
    );
  });

  it('says that a proxy is not used, without its password', () => {
    const env = { HTTPS_PROXY: 'http://user:password@proxy:3128' };
    const [line] = proxyLine('https://huggingface.co', env)!;
    expect(line).toContain('HTTPS_PROXY is set and is not used: set NODE_USE_ENV_PROXY=1 too');
    expect(line).not.toContain('password');
    expect(proxyLine('https://huggingface.co', { ...env, NODE_USE_ENV_PROXY: '1' })).toBeUndefined();
    expect(proxyLine('http://127.0.0.1:1', env)).toBeUndefined();
    expect(proxyLine('https://huggingface.co', {})).toBeUndefined();
  });

  it('follows to where the file lies', async () => {
    mischief['model.safetensors'] = [
      (_, response) => response.writeHead(302, { location: `/${ID}/resolve/main/model.safetensors` }).end(),
    ];
    await fetchModel(model());
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it.each([
    ['a page', '<html>', 'expected JSON, got "<html>"'],
    ['another JSON', '{"error":"x"}', 'expected a list of files, got something else; is it a hub?'],
    [
      'a bad hash',
      '[{"type":"file","path":"config.json","size":1,"oid":"xyz"}]',
      'expected "oid" to be 40 hexadecimal digits, got "xyz"',
    ],
    [
      'a size below zero',
      `[{"type":"file","path":"config.json","size":-1,"oid":"${'0'.repeat(40)}"}]`,
      'expected "size" to be an integer from 0',
    ],
    [
      'no weights',
      `[{"type":"file","path":"config.json","size":1,"oid":"${'0'.repeat(40)}"},{"type":"file","path":"spiece.model","size":1,"oid":"${'0'.repeat(40)}"},{"type":"file","path":"pytorch_model.bin","size":1,"oid":"${'0'.repeat(40)}"}]`,
      'weights as safetensors, got none; its pytorch_model.bin must be saved as safetensors',
    ],
    ['no model', '[]', 'to have config.json, got none; is it a model?'],
  ])('refuses a tree that is %s', async (_, body, message) => {
    mischief['tree'] = [(_request, response) => response.writeHead(200).end(body)];
    await expect(fetchModel(model())).rejects.toThrow(message);
  });

  it('says what to do where there is no network', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const away = model({ patience: { ...PATIENCE, attempts: 2 } });
    await expect(fetchModel(away)).rejects.toThrow(
      /expected http:\/\/127\.0\.0\.1:\d+ to answer, got fetch failed \(ECONNREFUSED\)\nWhat can be done:\n.*run it again.*\n.*HF_ENDPOINT/s,
    );
  });

  it.each(['flan-t5-small', '../x/y', 'a/b/c', 'google/../x', '/etc/passwd', 'google/.hidden'])(
    'refuses the name %s',
    async (id) => {
      await expect(fetchModel(model({ id }))).rejects.toThrow('expected a model such as google/flan-t5-small');
    },
  );

  it('keeps models in a cache folder by the rules of the machine', () => {
    expect(cacheFolder({ STEPWISE_CACHE: '/a/b' })).toBe('/a/b');
    expect(cacheFolder({ XDG_CACHE_HOME: '/c' })).toBe('/c/stepwise');
    expect(cacheFolder({})).toMatch(/\/\.cache\/stepwise$/);
    expect(modelPath(model({ cache: '/c', revision: 'refs/pr/1' }))).toBe('/c/models/google--flan-t5-tiny/refs--pr--1');
    expect(modelPath(model({ cache: '/c', revision: '..' }))).toBe('/c/models/google--flan-t5-tiny');
  });
});

describe('npm run fetch', () => {
  const script = fileURLToPath(new URL('../../scripts/fetch.ts', import.meta.url));
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...args], {
      env: { ...process.env, HF_ENDPOINT: `${endpoint}/`, STEPWISE_CACHE: cache },
    });

  it('prints the folder', async () => {
    const { stdout, stderr } = await run(ID);
    expect(stdout).toBe(`${folder()}\n`);
    expect(stderr).toContain('google/flan-t5-tiny: 5 files, 0.3 MB');
    expect(sha256(await weights())).toBe(sha256(WEIGHTS));
  });

  it('ends with one clear line and exit 1', async () => {
    await expect(run('google/other')).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: `${endpoint}/api/models/google/other/tree/main: expected 200, got 404; is the name right?\n`,
    });
  });
});
